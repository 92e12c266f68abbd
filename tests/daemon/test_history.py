"""What a daemon keeps of what it sees: real contracts, a database, and a clock that the test moves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.daemon.inside import NEVER, Clock, Inside, inside
from tests.daemon.world import Market, configure
from watcher.config import Settings, load
from watcher.store import Store
from watcher.store.history import DAY, Point, points_of, positions_kept


def settings(folder: Path, market: Market, *, keep: str = "", rules: str = "") -> Settings:
    path = configure(folder, market, interval=NEVER, labels=["weak"], rules=rules)
    if keep:
        path.write_text(f'{path.read_text()}\n[history]\nkeep = "{keep}"\n')
    return load(path)


def kept(daemon: Inside) -> list[Point]:
    """Every point of the one position that is watched, read beside the daemon."""
    store = Store.read_only(daemon.state)
    try:
        return [point for name in positions_kept(store) for point in points_of(store, name, 0, 2**40)]
    finally:
        store.close()


async def next_look(daemon: Inside, market: Market, *, after: int) -> None:
    """A look at the next block, so many seconds later by the chain's clock and by ours."""
    market.world.pass_time(after)
    market.world.chain.mine()
    await daemon.look(after=after)


async def test_it_keeps_a_point_of_a_position_as_the_contract_has_it(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        [point] = kept(daemon)
    head = borrowers.world.chain.head()
    assert point.position == f"aave_local/{borrowers.accounts['weak']}"
    assert (point.at, point.block) == (head.timestamp, head.number)
    assert point.health == borrowers.health("weak")
    assert point.numeraire == "USD"
    assert {leg.symbol for leg in point.legs} == {"WETH", "USDC"}
    collateral, debt, *_ = borrowers.world.account_data(borrowers.accounts["weak"])
    assert (point.collateral, point.debt) == (Decimal(collateral) / 10**8, Decimal(debt) / 10**8)
    weth = next(leg for leg in point.legs if leg.symbol == "WETH")
    assert weth.price == Decimal(borrowers.world.answer("WETH")) / 10**8
    assert abs(sum(leg.value for leg in point.legs) - (point.collateral - point.debt)) < Decimal("0.000001")


async def test_it_keeps_a_point_at_once_where_the_level_changed_by_a_hair(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    health = borrowers.health("weak")
    async with inside(
        settings(tmp_path, borrowers, rules=f"critical = {health - Decimal('0.001'):.6f}"), clock
    ) as daemon:
        borrowers.world.set_price("WETH", borrowers.world.answer("WETH") * 9995 // 10_000)
        await daemon.look(after=5)
        assert len(kept(daemon)) == 1
        borrowers.world.set_price("WETH", borrowers.world.answer("WETH") * 998 // 1000)
        await daemon.look(after=5)
        assert len(kept(daemon)) == 2


async def test_it_keeps_a_point_a_minute_and_at_once_where_the_health_or_the_account_changed(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        await next_look(daemon, borrowers, after=20)
        assert len(kept(daemon)) == 1
        await next_look(daemon, borrowers, after=45)
        assert len(kept(daemon)) == 2
        borrowers.move("WETH", 95)  # from a warning to critical
        await daemon.look(after=5)
        assert len(kept(daemon)) == 3
        borrowers.move("WETH", 98)  # critical still, and 2 % nearer to the end
        await daemon.look(after=5)
        assert len(kept(daemon)) == 4
        borrowers.world.supply(borrowers.accounts["weak"], "WETH", 5 * 10**16)
        await daemon.look(after=5)
        assert len(kept(daemon)) == 5
        await daemon.look(after=5)
        assert len(kept(daemon)) == 5


async def test_it_keeps_no_more_of_a_position_that_is_closed(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        address = borrowers.accounts["weak"]
        borrowers.world.repay(address, "USDC")
        await daemon.look(after=5)
        assert kept(daemon)[-1].health == Decimal("Infinity")
        borrowers.world.withdraw(address, "WETH")
        count = len(kept(daemon))
        await next_look(daemon, borrowers, after=100)
        await next_look(daemon, borrowers, after=100)
        assert len(kept(daemon)) == count


async def test_it_keeps_nothing_where_nothing_is_to_be_kept_and_forgets_what_was(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        assert len(kept(daemon)) == 1
    async with inside(settings(tmp_path, borrowers, keep="off"), clock, daemon.inbox) as daemon:
        await next_look(daemon, borrowers, after=100)
        assert len(kept(daemon)) == 1
        await daemon.daemon._chores.housekeeping()
        assert kept(daemon) == []


async def test_it_forgets_in_housekeeping_what_is_older_than_asked(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, keep="2d"), clock) as daemon:
        clock.now += 2 * DAY - 100
        await daemon.daemon._chores.housekeeping()
        assert len(kept(daemon)) == 1
        clock.now += 200
        await daemon.daemon._chores.housekeeping()
        assert kept(daemon) == []


async def test_it_alerts_all_the_same_where_the_history_cannot_be_written_and_logs_that_once(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    chosen = settings(tmp_path, borrowers)
    async with inside(chosen, clock) as daemon:
        with closing(sqlite3.connect(chosen.state)) as other:
            other.execute("CREATE TRIGGER full BEFORE INSERT ON history BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        with capture_logs() as log:
            await next_look(daemon, borrowers, after=61)
            borrowers.move("WETH", 92)
            [alert] = await daemon.look(after=61)
            assert alert.startswith("CRITICAL, was WARNING · weak")
            assert [entry["event"] for entry in log].count("history.not_written") == 1
            with closing(sqlite3.connect(chosen.state)) as other:
                other.execute("DROP TRIGGER full")
            await next_look(daemon, borrowers, after=61)
            assert [entry["event"] for entry in log].count("history.written_again") == 1
        assert len(kept(daemon)) == 2


async def test_it_sees_and_alerts_all_the_same_where_a_bug_keeps_the_history_from_being_written(
    tmp_path: Path, borrowers: Market, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with inside(settings(tmp_path, borrowers), clock) as daemon:
        monkeypatch.setattr(Point, "of", lambda position: 1 // 0)
        borrowers.move("WETH", 92)
        with capture_logs() as log:
            [alert] = await daemon.look(after=61)
        assert alert.startswith("CRITICAL, was WARNING · weak")
        assert "history.bug" in [entry["event"] for entry in log]
        assert "watch.bug" not in [entry["event"] for entry in log]
