"""Worlds built once and loaded afterwards in a tenth of a second.

The saved state is anvil's own dump without the history: call traces alone would make it fifty times as large.
Calls at blocks before the load fail, as they would on a pruned node.
"""

import gzip
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import orjson

from .aave import AaveWorld
from .anvil import Anvil, Settings
from .chain import Address
from .deployment import Market, Token
from .fill import fill
from .node import CACHE, HERE, LOCK, forget_others

World = TypeVar("World", bound=AaveWorld)


@contextmanager
def open_world(kind: type[World], *, accounts: int = 0, seed: int = 1, chain_id: int = 31337) -> Iterator[World]:
    """A world with so many random accounts (`world.accounts`), built on first use.

    Every use starts from the same state at the same block, whoever else uses it at the same time.
    """
    name = f"{kind.name}-{accounts}-{seed}-{chain_id}-"
    folder = CACHE / (name + _sources_hash()[:16])
    if not folder.is_dir():
        _build(kind, folder, accounts=accounts, seed=seed, chain_id=chain_id)
        forget_others(folder, f"{name}*")
    saved = orjson.loads((folder / "world.json").read_bytes())
    settings = Settings(chain_id=chain_id, timestamp=saved["timestamp"], load_state=folder / "state.json")
    with Anvil(settings) as anvil:
        yield kind(anvil, _market(saved["market"]), tuple(saved["accounts"]))


def _build(kind: type[AaveWorld], folder: Path, *, accounts: int, seed: int, chain_id: int) -> None:
    """Into a folder of its own, renamed when whole: two builders at once do not disturb each other."""
    CACHE.mkdir(exist_ok=True)
    with kind.start(chain_id=chain_id, kept_blocks=8) as world, tempfile.TemporaryDirectory(dir=CACHE) as building:
        opened = fill(world, accounts, seed) if accounts else ()
        parts = Path(building) / "world"
        parts.mkdir()
        (parts / "state.json").write_bytes(orjson.dumps(_state(world)))
        (parts / "world.json").write_bytes(orjson.dumps(_saved(world, opened)))
        try:
            os.rename(parts, folder)
        except OSError:
            if not folder.is_dir():  # else another builder was first, with the same result
                raise


def _state(world: AaveWorld) -> dict[str, Any]:
    dumped = world.chain.rpc.request("anvil_dumpState")
    state: dict[str, Any] = orjson.loads(gzip.decompress(bytes.fromhex(dumped[2:])))
    state["transactions"] = []
    state["historical_states"] = None
    state["blocks"] = [max(state["blocks"], key=lambda block: int(block["header"]["number"], 16))]
    return state


def _saved(world: AaveWorld, accounts: tuple[Address, ...]) -> dict[str, Any]:
    return {"timestamp": world.chain.head().timestamp, "market": asdict(world.market), "accounts": accounts}


def _market(saved: dict[str, Any]) -> Market:
    tokens = {symbol: Token(**token) for symbol, token in saved["tokens"].items()}
    return Market(**{**saved, "tokens": tokens})


def _sources_hash() -> str:
    """Of everything that decides what a world looks like: this package, and the versions of what it deploys."""
    files = sorted(path for pattern in ("*.py", "*.mjs") for path in HERE.glob(pattern))
    digest = hashlib.sha256(LOCK.read_bytes())
    for path in files:
        if not path.name.startswith("test_"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
