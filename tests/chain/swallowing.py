"""One read from an endpoint in a process of its own, and what it cost: `python -m tests.chain.swallowing URL`."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.chain.conftest import call, spec_of
from watcher.chain import Chain, EndpointSpec
from watcher.domain.errors import EndpointError


@dataclass(frozen=True, slots=True)
class Cost:
    """Of the read alone: `seconds`, and by how many bytes the resident memory was larger at its peak than before."""

    problem: str
    seconds: float
    growth: int


async def read(url: str) -> Cost:
    async with Chain(spec_of(EndpointSpec(name="alpha", url=url), chain_id=31337)) as chain:
        pinned = await chain.pin(chain.endpoints[0])
        forget_peak()
        before, began = peak(), time.monotonic()
        try:
            await pinned.read([call(1)])
        except EndpointError as refusal:
            return Cost(str(refusal), time.monotonic() - began, peak() - before)
    return Cost("", 0, 0)


def forget_peak() -> None:
    """The highest resident size is the present one from now on (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """The highest resident size since then, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(read(sys.argv[1])))))
