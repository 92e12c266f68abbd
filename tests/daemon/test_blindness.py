"""What cannot be seen is said once, is never taken for good news, and is said to be over once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chain.rpc_stand_in import SECRETS, Fault, error, on_wire, raw, result
from tests.daemon.gate import Gate
from tests.daemon.inside import NEVER, Clock, Inbox, Inside, inside
from tests.daemon.world import Market, configure
from watcher.config import Settings, load
from watcher.watch import BLIND_AFTER

FOUR_HOURS = 4 * 3600


def settings(folder: Path, market: Market, *endpoints: str, max_age: int = 86_400) -> Settings:
    return load(configure(folder, market, endpoints=endpoints, interval=NEVER, max_age=max_age))


async def test_it_says_that_it_is_blind_once_and_when_it_is_over_once(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url), clock) as daemon:
        [warning] = daemon.inbox.texts
        assert "WARNING · weak" in warning
        gate.shut(on_wire())
        assert await daemon.look(after=BLIND_AFTER - 1) == []
        [blind] = await daemon.look(after=1)
        assert blind.startswith("BLIND · Local\n")
        assert "This is not an all-clear" in blind
        for _ in range(10):
            assert await daemon.look(after=60) == []
        gate.open()
        [back] = await daemon.look(after=60)
        assert back.startswith("SEEING AGAIN · Local\n")
        assert "It could not be watched for 11 min" in back
        assert await daemon.look(after=12) == []


async def test_it_never_takes_blindness_for_good_news(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url), clock) as daemon:
        borrowers.move("WETH", 90)
        await daemon.look()
        before = len(daemon.inbox.texts)
        gate.shut(raw(b"", status=503))
        borrowers.move("WETH", 200)
        for _ in range(60):
            await daemon.look(after=60)
        [blind] = daemon.inbox.texts[before:]
        assert blind.startswith("BLIND")


async def test_it_says_two_things_about_an_hour_in_the_dark_and_none_of_its_positions(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock, record_property: Callable[[str, object], None]
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url), clock) as daemon:
        borrowers.move("WETH", 90)
        assert "LIQUIDATABLE" not in "".join(daemon.inbox.texts)
        await daemon.look()
        gate.shut(on_wire())
        borrowers.move("WETH", 100)
        told = [(seconds, text) for seconds in range(12, 3612, 12) for text in await daemon.look(after=12)]
        [(first, blind)] = told
        assert blind.startswith("BLIND · Local\n")
        assert first <= 60
        gate.open()
        [back] = await daemon.look(after=12)
        assert back.startswith("SEEING AGAIN · Local\nIt could not be watched for 1 h")
        record_property("A4", f"1 BLIND after {first} s, 1 when it was over, 0 resolved")


async def test_it_reminds_of_a_chain_that_stays_dark(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url), clock) as daemon:
        gate.shut(raw(b"", status=503))
        await daemon.look(after=BLIND_AFTER)
        [reminder] = await daemon.look(after=FOUR_HOURS)
        assert reminder.startswith("STILL BLIND · Local\n")


async def test_it_tells_at_once_what_happened_while_it_was_blind(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url), clock) as daemon:
        gate.shut(on_wire())
        await daemon.look(after=BLIND_AFTER)
        borrowers.move("WETH", 85)
        gate.open()
        told = "\n".join(await daemon.look(after=12))
        assert "LIQUIDATABLE, was WARNING · weak" in told
        assert "WARNING · thin" in told
        assert "SEEING AGAIN" in told


async def test_it_is_blind_when_the_newest_block_is_old(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with inside(settings(tmp_path, borrowers, borrowers.world.url, max_age=90), clock) as daemon:
        assert await daemon.look(after=80) == []
        [blind] = await daemon.look(after=BLIND_AFTER)
        assert blind.startswith("BLIND · Local\n")
        assert "s old, more than 90 s (head_age)" in blind
        borrowers.world.pass_time(140)
        [back] = await daemon.look(after=5)
        assert back.startswith("SEEING AGAIN · Local\n")


async def test_it_does_not_believe_a_node_that_went_back(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url), clock) as daemon:
        old = borrowers.world.chain.snapshot()
        for _ in range(5):
            borrowers.move("WETH", 99)
        assert "CRITICAL, was WARNING · weak" in "".join(await daemon.look())
        borrowers.world.chain.revert(old)
        [blind] = await daemon.look(after=BLIND_AFTER)
        assert blind.startswith("BLIND · Local\n")
        assert "is behind" in blind


async def test_it_says_nothing_while_one_of_its_endpoints_still_sees(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url, borrowers.world.url), clock) as daemon:
        gate.shut(on_wire())
        for _ in range(3):
            assert await daemon.look(after=BLIND_AFTER) == []
        borrowers.move("WETH", 95)
        assert "CRITICAL, was WARNING · weak" in "".join(await daemon.look(after=12))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (raw(b"", status=401), "HTTP 401 (not authorised): check the key"),
        (raw(b"<html>Please pay</html>", status=402, kind="text/html"), "HTTP 402"),
        (raw(" ".join(SECRETS), status=403, kind="text/plain"), "HTTP 403 (forbidden)"),
        (raw(b"", status=429, Retry_After="600"), "HTTP 429 (too many requests)"),
        (error(-32005, "daily request count exceeded for " + SECRETS[1]), "limits our requests"),
    ],
    ids=["401", "402", "403", "429", "-32005"],
)
async def test_it_says_why_it_is_blind_and_gives_no_key_away(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock, fault: Fault, words: str
) -> None:
    async with inside(settings(tmp_path, borrowers, gate.url), clock) as daemon:
        gate.shut(fault)
        [blind] = await daemon.look(after=BLIND_AFTER)
        assert words in blind
        assert not [secret for secret in (*SECRETS, gate.url) if secret in blind]


async def test_it_does_not_use_a_node_of_another_chain(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    gate.faults["eth_chainId"] = result("0x1")
    async with inside(settings(tmp_path, borrowers, gate.url), clock) as daemon:
        assert daemon.inbox.texts == []
        [blind] = await daemon.look(after=BLIND_AFTER)
        assert "serves chain 1, not 31337 (Local)" in blind
        assert gate.count("eth_call") == 0


async def test_it_stays_quiet_about_the_same_blindness_after_a_restart(
    tmp_path: Path, borrowers: Market, gate: Gate, clock: Clock
) -> None:
    inbox, chosen = Inbox(), settings(tmp_path, borrowers, gate.url)
    gate.shut(on_wire())
    async with inside(chosen, clock, inbox) as daemon:
        await daemon.look(after=BLIND_AFTER)
    async with inside(chosen, clock, inbox) as daemon:
        assert await daemon.look(after=BLIND_AFTER) == []
        assert len(inbox.texts) == 1
        gate.open()
        told = await daemon.look(after=12)
        assert [text.splitlines()[0] for text in told] == ["WARNING · weak · Aave v3 Local", "SEEING AGAIN · Local"]


async def test_it_says_which_position_it_cannot_read_and_still_watches_the_others(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    world = borrowers.world
    address = borrowers.borrower("broken", "3")
    world.supply(address, "WBTC", 10**8)
    async with inside(settings(tmp_path, borrowers, world.url), clock) as daemon:
        feed = world.tokens["WBTC"].feed
        code = world.chain.code(feed)
        world.chain.set_code(feed, b"\xfe")
        borrowers.move("WETH", 95)
        told = "\n\n".join(await daemon.look(after=12))
        assert "UNREADABLE · broken · Aave v3 Local" in told
        assert "This is not an all-clear" in told
        assert "CRITICAL, was WARNING · weak" in told
        assert await daemon.look(after=12) == []
        world.chain.set_code(feed, code)
        world.chain.mine()
        [back] = await daemon.look(after=12)
        assert back.startswith("READABLE AGAIN · broken")


async def test_it_turns_a_bug_of_its_own_into_an_alert(
    tmp_path: Path, borrowers: Market, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError("a secret of the stack")

    async with inside(settings(tmp_path, borrowers, borrowers.world.url), clock) as daemon:
        monkeypatch.setattr("watcher.watch.assess", stumble)
        told = await _until_blind(daemon)
        assert "internal error: ZeroDivisionError; see the log" in told
        assert "secret" not in told


async def _until_blind(daemon: Inside) -> str:
    """What it says within twice the limit."""
    told = [text for _ in range(3) for text in await daemon.look(after=BLIND_AFTER)]
    assert told, "a fault that lasted longer than the limit was not said"
    return told[0]
