"""Positions that only logs tell of, through the whole daemon: found, kept over a restart, and never taken for none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.daemon.inside import Clock, inside
from tests.log_bank import deployed
from tests.worlds import multicall3
from tests.worlds.anvil import Anvil
from tests.worlds.chain import named
from tests.worlds.own import own
from watcher.alerts.rules import Rules
from watcher.bot.answers import positions, status
from watcher.bot.digest import digest
from watcher.bot.view import Sight, View
from watcher.chain import ChainSpec, EndpointSpec
from watcher.check import Report, look
from watcher.check.document import as_document
from watcher.check.look import OK, UNKNOWN
from watcher.check.table import as_table
from watcher.config import Settings, Wallet
from watcher.config.settings import CONSOLE
from watcher.doctor.feeds import look_at_feeds
from watcher.doctor.findings import Grade
from watcher.domain.source import Address
from watcher.scanning import Scan
from watcher.store import Store
from watcher.store.searched import searches_kept
from watcher.terminal import rendered

SENDER, ALICE, BOB = named("sender"), Address(named("alice")), Address(named("bob"))
MARKET = (7).to_bytes(32, "big")


@dataclass
class Banked:
    """A bank that is found by logs, with something of Alice's, some blocks ago; and the settings of who watches it."""

    anvil: Anvil
    emitter: Address
    settings: Settings

    @property
    def clock(self) -> Clock:
        return Clock(self.anvil.chain.head().timestamp + 1)

    def open(self, market: int, owner: Address) -> str:
        key = market.to_bytes(32, "big")
        self.anvil.chain.send(SENDER, self.emitter, "open(bytes32,address,uint256)", key, owner, 5)
        return key.hex()


@pytest.fixture
def banked(tmp_path: Path) -> Iterator[Banked]:
    with Anvil() as anvil:
        at = multicall3.install(anvil.chain)
        emitter = Address(anvil.chain.deploy(SENDER, own("LogsEmitter").creation()))
        chain = ChainSpec(
            name="local",
            id=31337,
            title="Local",
            multicall3=Address(at),
            block_time=Decimal(12),
            max_age=3600,
            confirmations=0,
            explorer="",
            endpoints=(EndpointSpec(name="anvil", url=anvil.url),),
        )
        settings = Settings(
            interval=3600,
            state=tmp_path / "watcher.db",
            chains={"local": chain},
            deployments=(deployed(emitter),),
            wallets=tuple(_wallet(label, at) for label, at in (("alice", ALICE), ("bob", BOB))),
            rules=Rules(),
            telegram=None,
            chats={},
            console=True,
        )
        banked = Banked(anvil, emitter, settings)
        banked.open(7, ALICE)
        for _ in range(5):
            anvil.chain.mine()
        yield banked


def _wallet(label: str, address: Address) -> Wallet:
    return Wallet(
        label=label,
        address=address,
        chains=("local",),
        protocols=("log_bank",),
        chats=(CONSOLE,),
        rules=Rules(events=True),
    )


async def test_it_finds_in_the_background_what_only_logs_tell_and_keeps_it_over_a_restart(banked: Banked) -> None:
    async with inside(banked.settings, banked.clock) as daemon:
        assert daemon.watch.last is not None
        assert not daemon.watch.last.held
        assert {one.wallet for one in daemon.watch.last.unsearched} == {ALICE, BOB}
        await daemon.daemon._scans.stop()
        scan = Scan(daemon.watch.chain, daemon.watch.searches, daemon.daemon._scans._keep)
        while await scan.step():
            pass
        banked.anvil.chain.mine()
        assert await daemon.look(after=12) == []  # found late, and so not told to be opened
        assert [held.position.id.key for held in daemon.watch.last.held] == [MARKET.hex()]
        assert not daemon.watch.last.unsearched
        other = banked.open(8, BOB)
        await daemon.look(after=301)
        while await scan.step():
            pass
        banked.anvil.chain.mine()
        [told] = await daemon.look(after=12)
        assert told.startswith("OPENED")
        assert other in {held.position.id.key for held in daemon.watch.last.held}
    store = Store.open(banked.settings.state)
    kept = searches_kept(store)
    store.close()
    assert kept["log_bank", ALICE].keys == (MARKET.hex(),)
    assert kept["log_bank", ALICE].ranges[0][0] == 0
    async with inside(banked.settings, banked.clock, daemon.inbox) as daemon:
        assert daemon.watch.last is not None
        assert len(daemon.watch.last.held) == 2  # with its first look


async def test_it_finds_again_what_a_reorganisation_brought(banked: Banked) -> None:
    """Into a block that had been searched before, with nothing in it."""
    async with inside(banked.settings, banked.clock) as daemon:
        await daemon.daemon._scans.stop()
        scan = Scan(daemon.watch.chain, daemon.watch.searches, daemon.daemon._scans._keep)
        chain = banked.anvil.chain
        before = chain.snapshot()
        for _ in range(3):
            chain.mine()
            await daemon.look(after=12)
        await daemon.look(after=301)
        while await scan.step():
            pass
        chain.mine()
        await daemon.look(after=12)
        assert daemon.watch.last is not None
        assert not daemon.watch.last.unsearched
        chain.revert(before)
        chain.increase_time(5)  # other blocks than before
        banked.open(9, BOB)
        for _ in range(2):
            chain.mine()
        await daemon.look(after=12)
        assert daemon.watch.reorgs == 1
        while await scan.step():
            pass
        chain.mine()
        await daemon.look(after=12)
        assert {held.position.id.wallet for held in daemon.watch.last.held} == {ALICE, BOB}


async def test_it_searches_by_itself(banked: Banked) -> None:
    async with inside(banked.settings, banked.clock) as daemon:
        await daemon.look()
        [task] = daemon.daemon._scans._tasks
        assert task.get_name() == "search local"
        assert not task.done()


# --- Check and doctor -------------------------------------------------------------------------------------------------


async def checked(banked: Banked) -> Report:
    return await look(banked.settings, now=banked.clock)


async def test_a_check_without_a_daemon_searches_for_itself(banked: Banked) -> None:
    report = await checked(banked)
    assert [one.position.id.key for one in report.findings] == [MARKET.hex()]
    assert not report.unsearched
    assert [wallet.address for wallet in report.idle] == [BOB]
    assert report.exit_code == OK
    assert not banked.settings.state.exists()


async def test_a_check_that_cannot_search_says_what_is_not_searched_and_never_that_there_is_nothing(
    banked: Banked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watcher.check.searching.SEARCHES_WITHIN", 0.0)
    report = await checked(banked)
    head = banked.anvil.chain.head().number
    assert not report.findings
    assert not report.idle
    assert {wallet.address for wallet in report.not_known} == {ALICE, BOB}
    assert report.exit_code == UNKNOWN
    document = as_document(report, "1")
    assert document["exit_code"] == UNKNOWN
    assert [(one["wallet"]["label"], one["blocks"], one["ranges"]) for one in document["unsearched"]] == [
        ("alice", head + 1, [[0, head]]),
        ("bob", head + 1, [[0, head]]),
    ]
    shown = rendered(lambda width: as_table(report, width))
    assert "Not yet searched" in shown
    assert f"blocks 0–{head}" in shown
    assert "No position" not in shown
    assert "could be read and searched" in shown
    found, *_ = await look_at_feeds(banked.settings, banked.clock)
    assert found.grade is Grade.WARNING
    assert "not everything searched yet: Log Bank" in found.words


async def test_a_check_goes_by_what_the_daemon_has_found(banked: Banked, monkeypatch: pytest.MonkeyPatch) -> None:
    async with inside(banked.settings, banked.clock) as daemon:
        await daemon.daemon._scans.stop()
        scan = Scan(daemon.watch.chain, daemon.watch.searches, daemon.daemon._scans._keep)
        while await scan.step():
            pass
        monkeypatch.setattr("watcher.check.searching.SEARCHES_WITHIN", 0.0)
        report = await checked(banked)  # beside the daemon
    assert [one.position.id.key for one in report.findings] == [MARKET.hex()]
    assert not report.unsearched


# --- Commands ---------------------------------------------------------------------------------------------------------


async def test_commands_say_what_is_not_searched_and_never_that_there_is_nothing(banked: Banked) -> None:
    async with inside(banked.settings, banked.clock) as daemon:
        seen = daemon.watch.last
        assert seen is not None
    spec = banked.settings.chains["local"]
    now = int(banked.clock.now)
    view = View(
        chat=CONSOLE,
        wallets=banked.settings.wallets,
        sights=(Sight(spec=spec, snapshot=seen),),
        now=now,
        started_at=now,
    )
    line = f"not yet searched · 2 wallets · Log Bank: blocks 0–{seen.block.number}"
    assert line in str(status((), view))
    assert "Not known: not everything has been searched yet." in str(positions((), view))
    told = str(digest((), view))
    assert told.startswith("DIGEST, INCOMPLETE")
    assert line in told
    whole = replace(view, sights=(Sight(spec=spec, snapshot=replace(seen, unsearched=())),))
    assert "No position." in str(positions((), whole))
    assert str(digest((), whole)).startswith("DIGEST\n")
