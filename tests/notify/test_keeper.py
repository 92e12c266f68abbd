"""B8. A state volume that is full or read-only: alerts still go out, and it is told that nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.notify.support import START, JumpingClock, MemoryChannel, Rig, working
from tests.store.samples import record
from watcher.alerts.message import Level, Message, Section, Text
from watcher.alerts.record import Key, Rule
from watcher.notify.channel import BodyRefused, ChatMoved, NotSent
from watcher.notify.keeper import Keeper
from watcher.notify.unstored import LABEL
from watcher.store import Store

OK, WARN, CRITICAL = Level.OK, Level.WARN, Level.CRITICAL
FULL, READ_ONLY = "max_page_count = 1", "query_only = 1"
WELL = {FULL: "max_page_count = 1000000", READ_ONLY: "query_only = 0"}
AGES = 10**8
"""Seconds that no clock of a test runs by itself."""
REFUSES, MENDED = "STATE VOLUME REFUSES WRITES", "STATE VOLUME WRITABLE AGAIN"


@dataclass
class Desk:
    """A keeper over a worker with two chats."""

    rig: Rig
    keeper: Keeper
    a: MemoryChannel
    b: MemoryChannel
    quiet: set[str]
    """Chats in their quiet hours."""

    async def volume(self, pragma: str) -> None:
        def ask(store: Store) -> None:
            driver = store._connection.connection.driver_connection
            assert driver is not None
            driver.execute(f"PRAGMA {pragma}")  # SQLite then answers as it does on such a volume

        await self.rig.thread.do(ask)

    async def until_sent(self, channel: MemoryChannel, count: int) -> list[str]:
        async def there() -> bool:
            return len(channel.sent) >= count

        await self.rig.until(there)
        return [text.splitlines()[0] for text in channel.texts]

    async def stored(self) -> set[Key]:
        return set(await self.rig.thread.do(Store.records))


@asynccontextmanager
async def desk(path: Path, a: MemoryChannel, b: MemoryChannel) -> AsyncIterator[Desk]:
    async with working(path, {"a": a, "b": b}, clock=a.clock) as rig:
        quiet: set[str] = set()
        keeper = Keeper(rig.thread, rig.sender, chats=lambda: ("a", "b"), now=a.clock.now, quiet=lambda: quiet)
        yield Desk(rig, keeper, a, b, quiet)


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = JumpingClock()
    async with desk(tmp_path / "w.db", MemoryChannel(clock), MemoryChannel(clock)) as opened:
        yield opened


def news(subject: str, level: Level, *, size: int = 1, at: int = START) -> Message:
    body = Text(f"{level.word} {subject}\n" + "x" * size)
    section = Section(rule="health", subject=subject, severity=level, level=level, body=body, at=at, since=at)
    return Message.of("a", [section], at)


def key(subject: str) -> Key:
    return Key(Rule.HEALTH, subject)


async def test_it_holds_in_memory_too_what_a_chat_is_not_to_hear_in_its_quiet_hours(one: Desk) -> None:
    await one.volume(READ_ONLY)
    one.quiet.add("a")
    await one.keeper.keep([record("x", WARN)], [news("x", WARN), news("y", CRITICAL)])
    assert set(await one.until_sent(one.a, 2)) == {REFUSES, "CRITICAL y"}
    await one.keeper.retry()
    one.quiet.clear()
    await one.keeper.retry()
    assert (await one.until_sent(one.a, 3))[2] == "WARNING x"


async def test_it_holds_in_memory_too_what_is_muted_until_the_end_of_the_mute(one: Desk) -> None:
    await one.volume(READ_ONLY)
    held = replace(news("x", WARN), held_until=START + AGES)
    await one.keeper.keep([record("x", WARN)], [held, news("y", CRITICAL)])
    assert set(await one.until_sent(one.a, 2)) == {REFUSES, "CRITICAL y"}
    await one.keeper.retry()
    await one.rig.clock.sleep_until(START + AGES)
    await one.keeper.retry()
    assert (await one.until_sent(one.a, 3))[2] == "WARNING x"
    label = one.a.sent[2][2] or ""
    assert label.startswith(LABEL)
    assert label.endswith("ago, held by a mute.")


@pytest.mark.parametrize("fault", [FULL, READ_ONLY])
async def test_it_sends_from_memory_and_tells_of_the_volume_within_ten_seconds(
    one: Desk, fault: str, record_property: Callable[[str, object], None]
) -> None:
    await one.volume(fault)
    one.a.clock.busy = lambda: True  # time passes only where somebody waits for it
    for _ in range(3):
        await asyncio.sleep(0)  # a jump that was decided on before is over
    began = one.a.clock.now()
    await one.keeper.keep([record("p", CRITICAL)], [news("p", CRITICAL, size=9_000)])
    assert await one.until_sent(one.a, 2) == [REFUSES, "CRITICAL p"]
    assert await one.until_sent(one.b, 1) == [REFUSES]
    took = max(at for at, _, _ in one.a.sent + one.b.sent) - began
    record_property("B8", f"alert and warning within {took:.1f} s, full and read-only")
    assert took <= 10
    assert {label for _, _, label in one.a.sent} == {LABEL}
    assert set(one.keeper.unsaved) == {key("p")}
    await one.volume(WELL[fault])
    assert await one.stored() == set()


@pytest.mark.parametrize("fault", [FULL, READ_ONLY])
async def test_it_stores_what_memory_held_once_the_volume_works_and_repeats_nothing(one: Desk, fault: str) -> None:
    await one.volume(fault)
    many = [record(f"p{number}", CRITICAL) for number in range(500)]
    await one.keeper.keep(many, [news("p", CRITICAL, size=9_000)])
    await one.until_sent(one.a, 2)
    for _ in range(5):
        await one.keeper.retry()
    await one.keeper.keep([record("q", WARN)], [news("q", WARN, size=9_000)])
    await one.until_sent(one.a, 3)
    await one.volume(WELL[fault])
    await one.keeper.retry()
    await one.keeper.retry()
    assert await one.until_sent(one.a, 4) == [REFUSES, "CRITICAL p", "WARNING q", MENDED]
    assert await one.stored() == {key("q"), *(known.key for known in many)}
    assert not one.keeper.unsaved
    await one.rig.until_empty()
    assert (len(one.a.sent), len(one.b.sent)) == (4, 2)


async def test_it_stores_the_messages_that_had_not_left_with_the_state_that_they_tell(tmp_path: Path) -> None:
    clock = JumpingClock()
    a = MemoryChannel(clock, errors=[NotSent("dark") for _ in range(3)])
    async with desk(tmp_path / "w.db", a, MemoryChannel(clock)) as one:
        await one.volume(READ_ONLY)
        await one.keeper.keep([record("p", CRITICAL)], [news("p", CRITICAL)])
        await one.volume(WELL[READ_ONLY])
        await one.keeper.retry()
        await one.rig.until_empty()
        assert await one.stored() == {key("p")}
        assert "CRITICAL p" in await one.until_sent(a, 2)
    assert len([text for text in a.texts if text.startswith("CRITICAL p")]) == 1


async def test_it_tries_from_memory_until_it_arrives_newest_and_most_severe_first(tmp_path: Path) -> None:
    clock = JumpingClock()
    errors: list[Exception | None] = [NotSent("dark"), NotSent("flood", 30.0), ChatMoved("-7"), NotSent("dark")]
    a = MemoryChannel(clock, errors=errors)
    async with desk(tmp_path / "w.db", a, MemoryChannel(clock)) as one:
        messages = [news("p", WARN), news("q", WARN), news("p", CRITICAL, at=START + 120)]
        one.rig.sender.send_now(messages)
        assert await one.until_sent(a, 3) == ["moved to -7", "CRITICAL p", "WARNING q"]
    assert "First raised 2 min earlier." in a.texts[1]


async def test_it_gives_up_from_memory_only_what_is_refused_for_good(tmp_path: Path) -> None:
    clock = JumpingClock()
    a = MemoryChannel(clock, errors=[BodyRefused("no")])
    async with desk(tmp_path / "w.db", a, MemoryChannel(clock)) as one:
        one.rig.sender.send_now([news("p", CRITICAL), news("q", WARN)])
        assert await one.until_sent(a, 1) == ["WARNING q"]
        assert one.rig.sender.take_back() == []
