"""The worker: order, pace, long messages, faults of its own, and its end."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from tests.bot_api import BotApi
from tests.notify.support import JumpingClock, MemoryChannel, bare, message, telegram, working
from watcher.alerts.message import Level, bold
from watcher.notify.channel import ChatRefused, FateUnknown, NotSent, Pace
from watcher.notify.notices import REPEAT
from watcher.store import Store, StoreFailed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "w.db"


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


def rows_of(path: Path) -> int:
    """How many messages the database holds, settled ones included."""
    with closing(sqlite3.connect(path)) as connection:
        [count] = connection.execute("SELECT count(*) FROM outbox").fetchone()
    return int(count)


async def test_it_sends_the_most_severe_first_and_one_a_second_to_a_chat(path: Path, clock: JumpingClock) -> None:
    a = MemoryChannel(clock)
    queue = [message("w1"), message("w2"), message("c", severity=Level.CRITICAL), message("ok", severity=Level.OK)]
    async with working(path, {"a": a}, clock=clock, before=queue) as rig:
        await rig.until_empty()
    assert a.texts == ["c", "w1", "w2", "ok"]
    began = a.sent[0][0]
    assert [at - began for at, _, _ in a.sent] == [0.0, 1.0, 2.0, 3.0]


async def test_it_never_makes_telegram_refuse_for_flood(path: Path, clock: JumpingClock) -> None:
    chats = {f"p{n}": n for n in range(1, 41)} | {f"g{n}": -n for n in range(1, 4)}
    queue = [message(f"{name} {n}", name) for n in range(3) for name in chats]
    queue += [message(f"g1 {n}", "g1") for n in range(3, 25)]
    async with BotApi(chats=chats.values(), clock=clock.now) as api, telegram(api) as bot:
        channels = {name: bot.chat(str(number)) for name, number in chats.items()}
        async with working(path, channels, clock=clock, before=queue) as rig:
            began = clock.now()
            await rig.until_empty()
    assert len(api.requests) == len(api.accepted) == len(queue)
    private = [sent.time for sent in api.accepted if sent.chat > 0]
    assert max(private) - began <= 7.0  # 120 messages at 30 a second, some turns taken by groups
    assert 60.0 <= max(sent.time for sent in api.accepted) - began <= 67.0  # 25 to one group, at 20 a minute
    for name, number in chats.items():
        assert bare(api.texts(number)) == [f"{name} {n}" for n in range(25 if name == "g1" else 3)]


async def test_it_forgets_what_was_delivered_that_long_ago_by_its_own_clock(path: Path, clock: JumpingClock) -> None:
    settled = clock.now()
    async with working(path, {"a": MemoryChannel(clock)}, clock=clock, before=[message("x")]) as rig:
        await rig.until_empty()
        await clock.sleep_until(settled + 100)
        await rig.sender.forget(clock.now() - settled + 1)
        kept = rows_of(path)
        await rig.sender.forget(clock.now() - settled - 1)
        assert (kept, rows_of(path)) == (1, 0)


async def test_it_sends_to_other_chats_while_one_is_slow(path: Path, clock: JumpingClock) -> None:
    slow, quick = MemoryChannel(clock, gate=asyncio.Event()), MemoryChannel(clock)
    async with working(path, {"a": slow, "b": quick}, clock=clock) as rig:
        await rig.put(message("x"), message("y"), message("z", "b"))
        await rig.until(lambda: _length(quick.sent, 1))
        assert slow.texts == ["x"]
        assert slow.gate is not None
        slow.gate.set()
        await rig.until_empty()
    assert slow.texts == ["x", "y"]


async def test_it_starts_no_more_sends_than_it_may(path: Path, clock: JumpingClock) -> None:
    gate = asyncio.Event()
    channels = {f"c{n}": MemoryChannel(clock, gate=gate) for n in range(40)}
    async with working(path, channels, clock=clock, before=[message("x", name) for name in channels]) as rig:
        await rig.until(lambda: _at_least(sum(len(channel.sent) for channel in channels.values()), 16))
        assert sum(len(channel.sent) for channel in channels.values()) == rig.sender.in_flight == 16
        gate.set()
        await rig.until_empty()
    assert all(channel.texts == ["x"] for channel in channels.values())


async def test_it_backs_off_twice_as_long_each_time_and_labels_every_repeat(path: Path, clock: JumpingClock) -> None:
    a = MemoryChannel(clock, errors=[FateUnknown("502") for _ in range(8)])
    began = clock.now()
    async with working(path, {"a": a}, clock=clock, before=[message("x")]) as rig:
        await rig.until_empty()
    [(at, _, label)] = a.sent
    assert at - began == 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60
    assert label == f"{REPEAT}\nRaised 3 min ago, delivered late."


async def test_it_lets_an_escalation_pass_a_message_that_waits_for_its_retry(path: Path, clock: JumpingClock) -> None:
    a = MemoryChannel(clock, errors=[FateUnknown("502") for _ in range(6)])
    async with working(path, {"a": a}, clock=clock, before=[message("w")]) as rig:
        await rig.until(lambda: _true(not a.errors))
        await rig.put(message("c", severity=Level.CRITICAL))
        await rig.until_empty()
    assert sorted(a.texts) == ["c", "w"]


async def test_it_does_not_let_one_broken_channel_end_the_others(
    path: Path, clock: JumpingClock, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = MemoryChannel(clock, errors=[ZeroDivisionError()]), MemoryChannel(clock)
    async with working(path, {"a": a, "b": b}, clock=clock, before=[message("x"), message("y", "b")]) as rig:
        await rig.until_empty()
    assert [(text, label) for _, text, label in a.sent] == [("x", REPEAT)]
    assert b.texts == ["y"]
    assert "notify.channel_broken" in capsys.readouterr().out


async def test_it_delivers_a_long_message_in_parts_each_paced_and_only_the_doubtful_one_labelled(
    path: Path, clock: JumpingClock
) -> None:
    a = MemoryChannel(clock, cut=2, errors=[None, FateUnknown("lost")])
    async with working(path, {"a": a}, clock=clock, before=[message("aabbc"), message("zz")]) as rig:
        await rig.until_empty()
    assert [(text, label) for _, text, label in a.sent] == [("aa", None), ("bb", REPEAT), ("c", None), ("zz", None)]
    times = [at for at, _, _ in a.sent]
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(times))


async def test_it_sends_long_texts_to_telegram_whole(path: Path, clock: JumpingClock) -> None:
    lines = [f"{n}: " + "🦊" * 60 for n in range(120)]
    async with BotApi(chats=[5], clock=clock.now) as api, telegram(api) as bot:
        channels = {"a": bot.chat("5", silent_below=Level.CRITICAL)}
        async with working(path, channels, clock=clock, before=[message(bold("\n".join(lines)))]) as rig:
            await rig.until_empty()
    assert "\n".join(api.texts()).split("\n") == lines
    assert all(sent.entities and sent.silent for sent in api.accepted)


async def test_it_writes_into_the_topic_of_a_forum(path: Path, clock: JumpingClock) -> None:
    async with BotApi(chats=[-7], topics={-7: [3]}, clock=clock.now) as api, telegram(api) as bot:
        channels = {"a": bot.chat("-7", thread=3), "b": bot.chat("-7", thread=4)}
        async with working(path, channels, clock=clock, before=[message("x"), message("y", "b")]) as rig:
            await rig.until_empty()
            assert "Message thread not found" in (await rig.chats())["b"].disabled
    assert {sent.thread for sent in api.accepted} == {3}


async def test_it_delivers_from_where_it_stopped_once_a_chat_is_mended(path: Path, clock: JumpingClock) -> None:
    a, b = MemoryChannel(clock, errors=[ChatRefused("blocked")]), MemoryChannel(clock)
    async with working(path, {"a": a, "b": b}, clock=clock) as rig:
        await rig.put(message("x"), message("y"))
        await rig.until_empty()
        assert a.texts == []
        await rig.thread.do(Store.enable_chat, "a")
        rig.sender.wake()
        await rig.until_empty()
    assert a.texts == ["y"]
    assert len(b.sent) == 1


async def test_it_serves_other_chats_after_a_reload(path: Path, clock: JumpingClock) -> None:
    a, c = MemoryChannel(clock), MemoryChannel(clock, pace=Pace.FREE)
    async with working(path, {"a": a}, clock=clock, before=[message("x", "c")]) as rig:
        await rig.put(message("y"))
        await rig.until(lambda: _length(a.sent, 1))
        rig.sender.serve({"c": c})
        await rig.put(message("z"))
        await rig.until(lambda: _length(c.sent, 1))
        assert (await rig.backlog()).pending == 1
    assert (a.texts, c.texts) == (["y"], ["x"])


async def test_it_finishes_what_is_on_its_way_when_stopped(path: Path, clock: JumpingClock) -> None:
    a = MemoryChannel(clock, gate=asyncio.Event())
    async with working(path, {"a": a}, clock=clock, before=[message("x"), message("y")]) as rig:
        await rig.until(lambda: _length(a.sent, 1))
        stopping = asyncio.create_task(rig.sender.stop(5.0))
        await asyncio.sleep(0)
        assert a.gate is not None
        a.gate.set()
        await stopping
        backlog = await rig.backlog()
    assert a.texts == ["x"]
    assert backlog.pending == 1


async def test_it_is_cut_off_when_stopped_and_labels_the_repeat(path: Path, clock: JumpingClock) -> None:
    stuck = MemoryChannel(clock, gate=asyncio.Event())
    async with working(path, {"a": stuck}, clock=clock, before=[message("x")]) as rig:
        await rig.until(lambda: _length(stuck.sent, 1))
        await rig.sender.stop(0.0)
    well = MemoryChannel(clock)
    async with working(path, {"a": well}, clock=clock) as rig:
        await rig.until_empty()
    assert [label for _, _, label in stuck.sent + well.sent] == [None, REPEAT]


async def test_it_sends_on_when_the_disk_is_well_again_and_repeats_nothing(
    path: Path, clock: JumpingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, failures = MemoryChannel(clock), [StoreFailed("disk full") for _ in range(3)]
    written = Store.delivered

    def failing(store: Store, message_id: int, now: int, external_id: str, *, more: bool = False) -> None:
        if failures:
            raise failures.pop()
        written(store, message_id, now, external_id, more=more)

    monkeypatch.setattr(Store, "delivered", failing)
    async with working(path, {"a": a}, clock=clock, before=[message("x"), message("y")]) as rig:
        await rig.until_empty()
    assert [(text, label) for _, text, label in a.sent] == [("x", None), ("y", None)]
    assert not failures


async def test_it_shows_that_it_lives_while_there_is_nothing_to_do(path: Path, clock: JumpingClock) -> None:
    async with working(path, {"a": MemoryChannel(clock)}, clock=clock) as rig:
        began = rig.sender.progressed_at
        await rig.until(lambda: _at_least(rig.sender.progressed_at, began + 30))
        assert clock.now() - rig.sender.progressed_at <= 10.0


async def test_it_makes_even_an_escalation_wait_when_telegram_says_so(path: Path, clock: JumpingClock) -> None:
    a = MemoryChannel(clock, errors=[NotSent("flood", 60.0)])
    began = clock.now()
    async with working(path, {"a": a}, clock=clock, before=[message("w")]) as rig:
        await rig.until(lambda: _true(not a.errors))
        await rig.put(message("c", severity=Level.CRITICAL))
        await rig.until_empty()
    assert sorted(a.texts) == ["c", "w"]
    assert min(at for at, _, _ in a.sent) >= began + 60


async def _length(of: list[tuple[float, str, str | None]], count: int) -> bool:
    return len(of) >= count


async def _at_least(value: float, least: float) -> bool:
    return value >= least


async def _true(value: object) -> bool:
    return bool(value)


@pytest.mark.parametrize(
    ("pace", "advice"),
    [(Pace.PRIVATE, "Unblock the bot or invite it again"), (Pace.FREE, "Mend it, or correct its URL")],
)
async def test_it_says_what_to_do_about_a_lost_chat_by_what_it_is(tmp_path: Path, pace: Pace, advice: str) -> None:
    clock = JumpingClock()
    lost, other = MemoryChannel(clock, pace=pace, errors=[ChatRefused("gone")]), MemoryChannel(clock)
    async with working(tmp_path / "w.db", {"a": lost, "b": other}, clock=clock) as rig:
        await rig.put(message("an alert"))
        await rig.until_empty()
    [told] = other.texts
    assert advice in told
    assert ("the chat a" in told) == (pace is Pace.PRIVATE)
