"""Daily digests as they are written: once a day, whatever becomes of the daemon, the clock and the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from pathlib import Path

import pytest

from tests.bot import seen
from watcher.bot.view import Sight, View
from watcher.config import Chat
from watcher.config.daily import Daily
from watcher.digests import LOOK_EVERY, PATIENCE, Digests
from watcher.store import Store, StoreThread
from watcher.store.digests import digest_days

ZONE, HOUR = "Europe/Berlin", 3600
ME = Chat(name="me", id=5, digest=Daily(time(8), ZONE))
MORNING = datetime.fromisoformat("2026-03-28T08:00:00+01:00").timestamp()  # the day before a day of 23 hours


@dataclass(slots=True)
class Rig:
    """A database, a clock that is set by hand, and what would be seen."""

    path: Path
    now: float = MORNING
    shown: View = field(default_factory=seen.view)
    spoken: int = 0
    store: StoreThread = field(init=False)
    digests: Digests = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.store = StoreThread(Store.open(self.path))
        self.digests = Digests(self.store, view=self.view, now=lambda: self.now, spoke=self.speak)

    async def restart(self) -> None:
        await self.store.close()
        self.start()

    async def view(self, chat: Chat) -> View:
        return replace(self.shown, chat=chat.name, now=int(self.now), schedule=chat.digest)

    def speak(self) -> None:
        self.spoken += 1

    async def look(self, *chats: Chat, at: float | None = None) -> None:
        self.now = self.now if at is None else at
        await self.digests.look(chats or (ME,))

    async def written(self) -> list[str]:
        """The chats of the digests that wait, having delivered them all."""
        found: list[str] = []
        while (claimed := await self.store.do(Store.claim, int(self.now))) is not None:
            assert claimed.message.severity == 0
            assert claimed.message.body.text.startswith("DIGEST")
            found.append(claimed.message.chat)
            await self.store.do(Store.delivered, claimed.id, int(self.now), str(claimed.id))
        return found


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path / "watcher.db")
    yield rig
    await rig.store.close()


async def days(rig: Rig, moments: Sequence[float], *, restarting: bool = False) -> list[float]:
    """When a digest was written, by somebody who looks at these moments."""
    found = []
    for moment in moments:
        if restarting:
            await rig.restart()
        await rig.look(at=moment)
        found += [moment] * len(await rig.written())
    return found


async def test_it_writes_one_each_morning_also_where_a_day_has_23_hours(rig: Rig) -> None:
    half_hours = [MORNING - HOUR + each * 1800 for each in range(3 * 48)]

    assert await days(rig, half_hours) == [MORNING, MORNING + 23 * HOUR, MORNING + 47 * HOUR]
    assert await rig.store.do(digest_days) == {"me": date(2026, 3, 30)}
    assert rig.spoken == 3


async def test_it_writes_none_twice_over_restarts_and_clocks_that_go_back(rig: Rig) -> None:
    moments = [MORNING, MORNING + 1, MORNING - 60, MORNING + 30, MORNING - HOUR, MORNING + 5 * HOUR]

    assert await days(rig, moments, restarting=True) == [MORNING]


async def test_it_makes_up_for_one_that_was_missed_within_twelve_hours(rig: Rig) -> None:
    assert await days(rig, [MORNING - 60, MORNING + 12 * HOUR - 1], restarting=True) == [MORNING + 12 * HOUR - 1]
    assert await days(rig, [MORNING + 35 * HOUR, MORNING + 47 * HOUR], restarting=True) == [MORNING + 47 * HOUR]


async def test_each_chat_has_its_own_time_and_one_without_has_none(rig: Rig) -> None:
    tokyo = Chat(name="tokyo", id=6, digest=Daily(time(8), "Asia/Tokyo"))
    chats = (ME, tokyo, Chat(name="silent", id=7))
    await rig.look(*chats, at=MORNING - 8 * HOUR)  # eight in Tokyo
    assert await rig.written() == ["tokyo"]
    await rig.look(*chats, at=MORNING)
    assert await rig.written() == ["me"]


async def test_a_chat_without_wallets_gets_none(rig: Rig) -> None:
    rig.shown = replace(rig.shown, wallets=())
    await rig.look()

    assert await rig.written() == []


async def test_it_waits_for_the_first_sight_of_every_chain_but_not_for_long(rig: Rig) -> None:
    whole = rig.shown
    rig.shown = replace(whole, sights=(Sight(spec=seen.SPEC),))
    assert await days(rig, [MORNING, MORNING + LOOK_EVERY, MORNING + PATIENCE]) == [MORNING + PATIENCE]

    rig.shown = replace(whole, sights=(Sight(spec=seen.SPEC, blind_since=1),))
    assert await days(rig, [MORNING + 23 * HOUR]) == [MORNING + 23 * HOUR]  # it is known to be blind: no use in waiting


async def test_one_that_still_waits_gives_way_to_the_next(rig: Rig) -> None:
    for day in range(3):
        await rig.look(at=MORNING + 24 * day * HOUR)

    assert await rig.written() == ["me"]


async def test_it_tries_again_once_the_database_takes_it(rig: Rig) -> None:
    def execute(sql: str) -> None:
        rig.store._store._connection.exec_driver_sql(sql)
        rig.store._store._connection.commit()

    execute("CREATE TEMP TRIGGER no BEFORE INSERT ON digest BEGIN SELECT RAISE(FAIL, 'x'); END")
    assert await days(rig, [MORNING]) == []
    execute("DROP TRIGGER no")

    assert await days(rig, [MORNING + LOOK_EVERY]) == [MORNING + LOOK_EVERY]
