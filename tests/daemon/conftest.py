"""A market with three borrowers and a node of it that can be made to misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from structlog.testing import capture_logs

from tests.daemon.gate import Gate
from tests.daemon.inside import Clock
from tests.daemon.world import Market, market


@pytest.fixture
def borrowers() -> Iterator[Market]:
    """`sound` at a health of 2, `thin` at 1.35, `weak` at 1.15 (a warning by the default rules)."""
    with market() as it:
        it.borrower("sound", "2")
        it.borrower("thin", "1.35")
        it.borrower("weak", "1.15")
        yield it


@pytest.fixture
def clock(borrowers: Market) -> Clock:
    """Ten seconds after the newest block."""
    return Clock(borrowers.now + 10)


@pytest.fixture
async def gate(borrowers: Market) -> AsyncIterator[Gate]:
    async with Gate(chain_id=31337, upstream=borrowers.world.url) as gate:
        yield gate


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """No log between the results: the daemon of a process of its own is asked for its log, not this one."""
    with capture_logs():
        yield
