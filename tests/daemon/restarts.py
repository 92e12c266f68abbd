"""The real process started again and again over one database, with or without a crossing while it is down."""

from __future__ import annotations

from pathlib import Path

from tests.daemon.inside import said
from tests.daemon.process import Watcher, running
from tests.daemon.world import Market, configure

_DOWN = 90
"""Per cent of its price that ether falls to."""


async def restarted(folder: Path, market: Market, *, times: int, crossing: bool) -> list[int]:
    """How many messages each start had written by the end of its first evaluation.

    The first start, which tells what there is, is not counted. A crossing is undone, and told so, before the next one.
    """
    market.borrower("one", "1.15" if not crossing else "1.35")
    price = market.world.answer("WETH")
    config, state = configure(folder, market, rules="good_reads = 1"), folder / "watcher.db"
    async with running(config) as first:
        await first.until("snapshot.taken")
        assert await first.end() == 0
    found = []
    for _ in range(times):
        before = said(state)
        if crossing:
            market.world.set_price("WETH", price * _DOWN // 100)
        async with running(config) as watcher:
            await watcher.until("snapshot.taken")
            found.append(said(state) - before)
            if crossing:
                await _recovered(watcher, market, price)
            assert await watcher.end() == 0
    return found


async def _recovered(watcher: Watcher, market: Market, price: int) -> None:
    """Until all is well again and has been said to be."""
    market.world.set_price("WETH", price)
    await watcher.until("snapshot.taken", times=2)
    market.world.chain.mine()
    await watcher.until("alert.resolved")
