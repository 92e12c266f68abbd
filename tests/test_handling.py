"""What people do about alerts, over a real database: it counts from then on, ends by itself, and outlives a restart."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.store.samples import record
from watcher.alerts.message import Level
from watcher.alerts.mute import Mute
from watcher.alerts.record import Key
from watcher.domain.source import Address
from watcher.handling import LONGEST, Handling, NotAllowed
from watcher.memory import Memory
from watcher.store import Store, StoreFailed, StoreThread
from watcher.store.acks import acknowledgements
from watcher.store.mutes import mutes

HOUR, DAY = 3600, 86_400
MAIN = Address("0x" + "1" * 40)
OK, WARN, CRITICAL = (record(name, level) for name, level in zip("owc", Level, strict=False))
STANDING = [WARN, CRITICAL]
KEYS = [OK.key, WARN.key, CRITICAL.key, CRITICAL.key, record("unheard of", Level.WARN).key]
BY = 77


@dataclass
class Desk:
    memory: Memory
    thread: StoreThread
    now: int = 1000
    freed: int = 0

    def __post_init__(self) -> None:
        self.handling = Handling(self.memory, self.thread, now=lambda: self.now, freed=self._free)

    def _free(self) -> None:
        self.freed += 1


@asynccontextmanager
async def desk(path: Path, *, now: int = 1000) -> AsyncIterator[Desk]:
    thread = StoreThread(Store.open(path / "w.db"))
    remembered = await thread.do(acknowledgements), await thread.do(mutes)
    yield Desk(Memory({one.key: one for one in (OK, *STANDING)}, *remembered), thread, now=now)
    await thread.close()


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as opened:
        yield opened


async def test_it_acknowledges_what_stands_at_the_level_at_which_it_stands(one: Desk) -> None:
    assert await one.handling.acknowledge(KEYS, BY) == STANDING
    said = one.handling.acks
    assert {(key, ack.level, ack.episode, ack.by) for key, ack in said.items()} == {
        (each.key, each.level, each.episode, BY) for each in STANDING
    }
    assert {(ack.until, ack.snooze) for ack in said.values()} == {(1000 + DAY, False)}


async def test_until_worse_lasts_a_week_and_a_snooze_as_long_as_it_is_said(one: Desk) -> None:
    assert await one.handling.until_worse([WARN.key], BY) == [WARN]
    assert await one.handling.snooze([CRITICAL.key], 8 * HOUR, BY) == [CRITICAL]
    found = {ack.level: (ack.until, ack.snooze) for ack in one.handling.acks.values()}
    assert found == {Level.WARN: (1000 + 7 * DAY, False), Level.CRITICAL: (1000 + 8 * HOUR, True)}


async def test_the_newest_word_counts_and_is_shown_while_it_covers_what_stands(one: Desk) -> None:
    await one.handling.until_worse([WARN.key], BY)
    await one.handling.snooze([WARN.key], HOUR, BY)
    assert one.handling.acks[WARN.key].snooze
    one.memory.remember([replace(WARN, level=Level.CRITICAL)])
    assert one.handling.acks == {}
    one.memory.remember([WARN])
    one.now += HOUR
    assert one.handling.acks == {}


async def test_it_outlives_a_restart(tmp_path: Path) -> None:
    async with desk(tmp_path) as one:
        await one.handling.acknowledge(KEYS, BY)
        mute = await one.handling.mute("desk", MAIN, Level.WARN, HOUR, BY)
        said = one.handling.acks
    async with desk(tmp_path) as again:
        assert (again.handling.acks, again.handling.mutes("desk")) == (said, [mute])


async def test_it_mutes_a_wallet_or_all_of_them_each_once(one: Desk) -> None:
    await one.handling.mute("desk", MAIN, Level.WARN, HOUR, BY)
    on_main = await one.handling.mute("desk", MAIN, Level.CRITICAL, 2 * HOUR, BY)
    on_all = await one.handling.mute("desk", None, Level.WARN, HOUR, BY)
    await one.handling.mute("other", None, Level.WARN, HOUR, BY)
    assert on_main == Mute(chat="desk", wallet=MAIN, level=Level.CRITICAL, until=1000 + 2 * HOUR, by=BY, at=1000)
    assert one.handling.mutes("desk") == [on_all, on_main]
    one.now += HOUR
    assert one.handling.mutes("desk") == [on_main]


async def test_it_ends_the_mute_of_a_wallet_or_all_of_a_chat_and_has_the_sender_look(one: Desk) -> None:
    on_main = await one.handling.mute("desk", MAIN, Level.WARN, HOUR, BY)
    on_all = await one.handling.mute("desk", None, Level.WARN, HOUR, BY)
    other = await one.handling.mute("other", None, Level.WARN, HOUR, BY)
    before = one.freed
    assert await one.handling.unmute("desk", MAIN) == [on_main]
    assert await one.handling.unmute("desk", MAIN) == []
    await one.handling.mute("desk", MAIN, Level.WARN, HOUR, BY)
    assert await one.handling.unmute("desk", None) == [on_all, on_main]
    assert one.memory.mutes == await one.thread.do(mutes) == (other,)
    assert one.freed > before


@pytest.mark.parametrize("level", [Level.OK, Level.LIQUIDATABLE])
async def test_nobody_can_mute_a_liquidation_or_nothing(one: Desk, level: Level) -> None:
    with pytest.raises(NotAllowed, match=rf"^a mute cannot hold {level.word}: .* liquidations are always told$"):
        await one.handling.mute("desk", None, level, HOUR, BY)
    assert one.handling.mutes("desk") == []


@pytest.mark.parametrize("seconds", [-1, 0, LONGEST + 1])
async def test_every_word_has_an_end_within_a_month(one: Desk, seconds: int) -> None:
    with pytest.raises(NotAllowed, match=f"^a mute lasts from a second to 30 d, not {seconds} s$"):
        await one.handling.mute("desk", None, Level.WARN, seconds, BY)
    with pytest.raises(NotAllowed, match=f"^a snooze lasts from a second to 30 d, not {seconds} s$"):
        await one.handling.snooze(KEYS, seconds, BY)


async def test_what_the_volume_refuses_does_not_count(one: Desk) -> None:
    await one.thread.do(_refuse)
    for asked in (
        one.handling.acknowledge(KEYS, BY),
        one.handling.mute("desk", None, Level.WARN, HOUR, BY),
    ):
        with pytest.raises(StoreFailed):
            await asked
    assert (one.memory.acks, one.memory.mutes) == ({}, ())


def _refuse(store: Store) -> None:
    driver = store._connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute("PRAGMA query_only = 1")


async def test_it_forgets_what_can_have_no_effect_any_more(one: Desk) -> None:
    await one.handling.acknowledge([WARN.key], BY)
    await one.handling.snooze([CRITICAL.key], HOUR, BY)
    kept = await one.handling.mute("desk", None, Level.WARN, 9 * DAY, BY)
    await one.handling.mute("desk", MAIN, Level.WARN, HOUR, BY)
    one.now += 2 * DAY
    await one.handling.tidy()
    assert await known(one) == ({CRITICAL.key}, (kept,)), "a snooze is kept until it was told"
    one.memory.remember([replace(CRITICAL, spoken_at=one.now)])
    await one.handling.tidy()
    assert await known(one) == (set(), (kept,))


async def known(one: Desk) -> tuple[set[Key], tuple[Mute, ...]]:
    """What is remembered, in memory as in the database."""
    acks, kept = await one.thread.do(acknowledgements), await one.thread.do(mutes)
    assert (one.memory.acks, one.memory.mutes) == (acks, kept)
    return set(acks), kept
