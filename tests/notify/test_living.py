"""One living message per incident: true, seldom edited, and never in the way of an alert."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.alerts.samples import COLD, MAIN
from tests.bot_api_rules import Fault
from tests.notify.scene import THIRD, Scene, key, scene
from tests.notify.support import message
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.message import Level, Text, bold
from watcher.config.daily import Daily
from watcher.config.quiet import Hours, Quiet
from watcher.notify.channel import MessageGone, NotSent
from watcher.store import Store
from watcher.store.incidents import incident_of, open_incidents


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path / "w.db") as staged:
        yield staged


async def test_it_edits_the_alert_as_health_moves_with_an_arrow_against_what_was_told(stage: Scene) -> None:
    await stage.told((MAIN, "1.0832"))
    before = stage.shown()
    await stage.look((MAIN, "1.0711"), after=130)
    after = stage.shown()
    assert after.text.splitlines()[0] == before.text.splitlines()[0] == "CRITICAL · main · Aave v3 Ethereum"
    assert "health 1.0711 ↘ < 1.10 (critical)" in after.text
    assert "Raised 2 min ago at health 1.0832." in after.text
    assert after.markup == before.markup
    assert len(stage.api.accepted) == 1


async def test_it_edits_once_a_minute_at_most_in_an_hour_of_moving_health(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    for step in range(300):
        await stage.look((MAIN, f"1.0{step % 90 + 10}"))
    times = [stage.api.accepted[0].time, *(edit.time for edit in stage.api.edits)]
    assert all(later - earlier >= 60 for earlier, later in pairwise(times))
    assert 50 <= len(stage.api.edits) <= 60
    assert f"health 1.0{295 % 90 + 10}"[:10] in stage.shown().text


async def test_it_edits_nothing_whose_text_is_the_same(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    await stage.look((MAIN, "1.08"), after=61)
    stage.clock.advance(100)
    await stage.living.renew()
    assert [method for method, *_ in stage.api.requests].count("editMessageText") == len(stage.api.edits) == 1


async def test_it_stays_within_all_limits_with_fifty_chats_to_edit(tmp_path: Path) -> None:
    chats = {f"chat{n}": n if n <= 40 else -n for n in range(1, 51)}
    async with scene(tmp_path / "w.db", chats, users=[5]) as stage:
        await stage.told((MAIN, "1.09"))
        began = stage.clock.now()
        for health in ("1.08", "1.07"):
            await stage.look((MAIN, health), after=61)
        asked = [method for method, *_ in stage.api.requests]
        assert asked.count("editMessageText") == len(stage.api.edits) == 100
        assert asked.count("sendMessage") == len(stage.api.accepted) == 50
        assert stage.clock.now() - began < 140


async def test_it_edits_first_what_has_not_been_edited_for_longest(stage: Scene) -> None:
    all_ = [(MAIN, "1.09"), (COLD, "1.09"), (THIRD, "1.09")]
    for count in (1, 2, 3):
        await stage.told(*all_[:count])
    await stage.look(*((wallet, "1.08") for wallet, _ in all_), after=61)
    now = int(stage.clock.now())
    stage.acks[key()] = Acknowledgement(key=key(), episode=1, level=Level.CRITICAL, until=now + 3600, by=5, at=now)
    await stage.living.refresh(1)
    await stage.look(*((wallet, "1.07") for wallet, _ in all_), after=75)
    assert [edit.message_id for edit in stage.api.edits] == [1, 2, 3, 1, 2, 3, 1]


async def test_it_lets_an_alert_pass_that_comes_while_an_edit_is_on_its_way(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    stage.api.fail_next(Fault.SLOW, method="editMessageText")
    looking = asyncio.create_task(stage.look((MAIN, "1.08"), after=61))
    while not stage.api.edits:  # noqa: ASYNC110 - the server sets no event for what it then hangs on
        await asyncio.sleep(0.002)
    began = stage.clock.now()
    await stage.put(message("an alert", chat="me", severity=Level.CRITICAL, created_at=int(began)))
    await stage.delivered()
    await looking
    assert stage.api.texts() == [stage.api.texts()[0], "an alert"]
    assert stage.api.accepted[1].time - began <= 3
    [incident] = await stage.thread.do(open_incidents)
    assert incident.body.text == ""  # nobody knows: the next minute tells it anew
    await stage.look((MAIN, "1.08"), after=61)
    assert len(stage.api.edits) == 2


async def test_it_waits_with_edits_until_no_alert_waits(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    await stage.thread.do(
        Store.commit, [], [message(f"alert {n}", chat="me", created_at=int(stage.clock.now())) for n in range(3)]
    )
    looking = asyncio.create_task(stage.look((MAIN, "1.08"), after=61))
    await stage.delivered()
    await looking
    await stage.look((MAIN, "1.08"), after=1)
    assert len(stage.api.edits) == 1
    assert stage.api.edits[0].time > stage.api.accepted[-1].time


async def test_it_leaves_a_command_room_in_a_group_with_many_messages_to_edit(tmp_path: Path) -> None:
    async with scene(tmp_path / "w.db", {"team": -5}) as stage:
        await stage.told((MAIN, "1.09"))
        for number in range(12):
            with suppress(NotSent):  # no turn to spare
                await stage.sender.edit("team", "1", Text(f"edit {number}"))
        began = stage.clock.now()
        for number in range(3):
            await stage.sender.answer(message(f"answer {number}", chat="team"))
        assert stage.clock.now() - began <= 5
        await stage.sender.edit("team", "1", Text("pressed"), asked=True)
        assert stage.clock.now() - began <= 10, "who presses a button waits as well"


async def test_it_leaves_a_message_alone_while_somebody_chooses(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"), (COLD, "1.08"))
    stage.clock.advance(60)
    await stage.sender.edit("me", "1", None, stage.panel.choosing("me", 1, ["main", "cold"]), asked=True)
    await stage.look((MAIN, "1.07"), (COLD, "1.06"), after=30)
    assert stage.labels() == [["All 2"], ["main"], ["cold"], ["Back"]]
    await stage.look((MAIN, "1.07"), (COLD, "1.06"), after=31)
    assert stage.labels()[0] == ["Acknowledge…", "Until worse"]


async def test_it_waits_with_edits_until_no_answer_waits(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    await asyncio.gather(
        stage.sender.answer(message("x" * 10_000, chat="me")), stage.sender.edit("me", "1", Text("an edit"))
    )
    methods = [method for method, *_ in stage.api.requests]
    assert methods[1:] == ["sendMessage"] * 3 + ["editMessageText"]


async def test_it_holds_the_chat_as_long_as_a_refused_edit_asks_for(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    stage.api.fail_next(Fault.FLOOD, method="editMessageText", retry_after=30)
    await stage.look((MAIN, "1.08"), after=61)
    began = stage.clock.now()
    await stage.put(message("an alert", chat="me", severity=Level.CRITICAL, created_at=int(began)))
    await stage.delivered()
    assert stage.api.accepted[1].time - began >= 29
    await stage.look((MAIN, "1.08"), after=2)
    assert [edit.text.count("1.0800") for edit in stage.api.edits] == [1]


async def test_it_keeps_where_a_chat_has_gone_that_an_edit_is_told_of(stage: Scene) -> None:
    await stage.thread.do(Store.register, {"me": "5"})
    await stage.told((MAIN, "1.09"))
    stage.api.fail_next(Fault.MIGRATED, method="editMessageText", new_id=-1007)
    await stage.look((MAIN, "1.08"), after=61)
    assert (await stage.thread.do(Store.chats))["me"].address == "-1007", "else nobody is heard there before a restart"
    assert await stage.thread.do(open_incidents) == [], "there, the old numbers are other messages'"
    await stage.told((MAIN, "0.99"))
    assert (stage.api.accepted[-1].chat, stage.api.accepted[-1].reply_to) == (-1007, None)


async def test_it_takes_an_edit_that_had_arrived_for_done(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    stage.api.fail_next(Fault.LOST, method="editMessageText")
    await stage.look((MAIN, "1.08"), after=61)
    stage.clock.advance(12)
    await stage.living.renew()
    asked = [method for method, *_ in stage.api.requests]
    assert asked.count("editMessageText") == len(stage.api.edits) == 1, "an edit is not repeated blindly"
    stage.clock.advance(50)
    await stage.living.renew()  # the same text: Telegram says that it is there already
    [incident] = await stage.thread.do(open_incidents)
    assert incident.body.text == stage.shown().text
    assert len(stage.api.edits) == 1


async def test_it_ends_with_a_message_that_is_not_there_any_more(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    stage.api.accepted.clear()
    await stage.look((MAIN, "1.08"), after=61)
    assert await stage.thread.do(open_incidents) == []
    await stage.look((MAIN, "1.07"), after=61)
    assert len([1 for method, *_ in stage.api.requests if method == "editMessageText"]) == 1


async def test_it_says_that_it_is_over_takes_the_buttons_away_and_edits_no_more(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    assert stage.labels() == [["Acknowledge", "Until worse"], ["Snooze 1 h", "Snooze 8 h"], ["Details"]]
    await stage.told((MAIN, "2.0"), after=600)
    for _ in range(3):
        await stage.look((MAIN, "2.0"), after=61)
    assert stage.shown().text == "OVER\n\nCRITICAL · main · Aave v3 Ethereum\nIt is over."
    assert stage.labels() == []
    assert len(stage.api.edits) == 1
    assert await stage.thread.do(open_incidents) == []
    assert [one.reply_to for one in stage.api.accepted] == [None, 1]


async def test_it_answers_the_first_message_over_a_restart_and_edits_what_it_finds(stage: Scene) -> None:
    await stage.told((MAIN, "1.25"))
    await stage.look((MAIN, "1.24"), after=61)
    await stage.stop()
    await stage.start()
    await stage.look((MAIN, "1.23"), after=12)
    assert len(stage.api.edits) == 1, "a restart is no reason to edit sooner"
    await stage.told((MAIN, "1.05"))
    await stage.stop()
    await stage.start()
    await stage.told((MAIN, "2.0"), after=600)
    assert [one.reply_to for one in stage.api.accepted] == [None, 1, 1]
    await stage.look((MAIN, "2.0"), after=61)
    assert stage.shown(1).text.startswith("TOLD AGAIN BELOW\n\nWARNING · main")
    assert stage.shown(2).text.startswith("OVER\n\nCRITICAL, was WARNING · main")


async def test_it_moves_one_of_three_members_that_gets_worse_to_a_message_of_its_own(stage: Scene) -> None:
    await stage.told((MAIN, "1.25"), (COLD, "1.24"), (THIRD, "1.23"))
    assert stage.labels()[0] == ["Acknowledge…", "Until worse"]
    await stage.told((MAIN, "1.25"), (COLD, "1.05"), (THIRD, "1.23"))
    await stage.look((MAIN, "1.26"), (COLD, "1.04"), (THIRD, "1.22"), after=70)
    first, second = stage.shown(1).text, stage.shown(2).text
    assert "WARNING · cold · Aave v3 Ethereum\nIt got worse, and is told again below." in first
    assert "health 1.2600 ↗" in first
    assert "health 1.2200 ↘" in first
    assert "1.0400" not in first
    assert "health 1.0400 ↘ < 1.10 (critical)" in second
    assert stage.api.accepted[1].reply_to == 1
    assert stage.labels(2)[0] == ["Acknowledge", "Until worse"]


async def test_it_makes_one_incident_of_what_was_folded_before_it_could_be_told(stage: Scene) -> None:
    stage.api.fail_next(Fault.FLOOD, retry_after=20)
    first = asyncio.create_task(stage.told((MAIN, "1.25")))
    while not stage.api.requests:  # noqa: ASYNC110 - the server sets no event
        await asyncio.sleep(0.001)
    second = asyncio.create_task(stage.told((MAIN, "1.05"), after=1))
    await asyncio.gather(first, second)
    [incident] = await stage.thread.do(open_incidents)
    assert [(one.level, one.left) for one in incident.members] == [(Level.CRITICAL, False)]
    await stage.look((MAIN, "1.04"), after=61)
    assert "It was WARNING before" not in stage.shown().text
    assert "health 1.0400 ↘" in stage.shown().text
    assert len(stage.api.accepted) == 1


async def test_it_keeps_saying_that_a_message_may_have_come_twice(stage: Scene) -> None:
    stage.api.fail_next(Fault.LOST)
    await stage.told((MAIN, "1.09"))
    assert len(stage.api.accepted) == 2
    await stage.look((MAIN, "1.08"), after=61)
    assert stage.shown(2).text.startswith("May be a repeat")
    assert "1.0800" in stage.shown(2).text


async def test_it_gives_no_all_clear_for_what_is_no_longer_watched(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"), (COLD, "1.08"))
    kept = tuple(wallet for wallet in stage.settings.wallets if wallet.address != MAIN)
    stage.settings = replace(stage.settings, wallets=kept)
    stage.records[key()] = replace(stage.records[key()], level=Level.OK)  # as a removal ends it
    await stage.look((COLD, "1.07"), after=61)
    assert (
        "CRITICAL · main · Aave v3 Ethereum\nNo longer watched here: how it stands is not known." in stage.shown().text
    )
    assert "health 1.0700 ↘" in stage.shown().text
    stage.settings = replace(stage.settings, wallets=())
    stage.records[key(COLD)] = replace(stage.records[key(COLD)], level=Level.OK)
    await stage.look(after=61)
    assert stage.shown().text.startswith("NO LONGER WATCHED\n\n")
    assert "OVER" not in stage.shown().text
    assert "It is over." not in stage.shown().text
    assert stage.labels() == []


async def test_it_shows_a_chat_nothing_more_of_a_wallet_that_is_not_its_own_any_more(tmp_path: Path) -> None:
    async with scene(tmp_path / "w.db", {"me": 5, "desk": 6}) as stage:
        await stage.told((MAIN, "1.09"))
        mine = tuple(replace(wallet, chats=("me",)) for wallet in stage.settings.wallets)
        stage.settings = replace(stage.settings, wallets=mine)
        await stage.look((MAIN, "1.07"), after=61)
        ids = {one.chat: one.message_id for one in stage.api.accepted}
        assert "health 1.0700" in stage.shown(ids[5], 5).text
        assert "1.07" not in stage.shown(ids[6], 6).text
        assert stage.shown(ids[6], 6).text.startswith("NO LONGER WATCHED")


async def test_it_gives_times_by_the_one_clock_of_a_chat(stage: Scene) -> None:
    quiet = Quiet(Hours(time(22), time(7)), "America/New_York")
    me = replace(stage.settings.chats["me"], digest=Daily(time(8), "Europe/Berlin"), quiet=quiet)
    stage.settings = replace(stage.settings, chats={"me": me})
    await stage.told((MAIN, "1.09"))
    now = int(stage.clock.now())
    stage.acks[key()] = Acknowledgement(key=key(), episode=1, level=Level.CRITICAL, until=now + 3600, by=5, at=now)
    await stage.look((MAIN, "1.08"), after=61)
    assert stage.shown().text.endswith("Acknowledged at 23:13 CET."), "as its charts and its digest do"


async def test_it_names_whoever_of_another_chat_takes_care(tmp_path: Path) -> None:
    async with scene(tmp_path / "w.db", {"me": 5, "other": 6}) as stage:
        await stage.told((MAIN, "1.09"))
        now = int(stage.clock.now())
        stage.acks[key()] = Acknowledgement(key=key(), episode=1, level=Level.CRITICAL, until=now + 3600, by=5, at=now)
        await stage.look((MAIN, "1.08"), after=61)
        ids = {one.chat: one.message_id for one in stage.api.accepted}
        assert stage.shown(ids[5], 5).text.endswith("Acknowledged at 22:13 UTC.")
        assert stage.shown(ids[6], 6).text.endswith("Acknowledged by 5 at 22:13 UTC.")


async def test_it_says_that_it_does_not_know_what_it_cannot_see(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    await stage.look(unseen=True, after=61)
    assert stage.shown().text.splitlines()[1] == "Not seen now: how it stands is not known."
    assert stage.labels()


async def test_it_shows_at_once_who_takes_care_and_fewer_buttons(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    await stage.look((MAIN, "1.08"), after=61)
    now = int(stage.clock.now())
    stage.acks[key()] = Acknowledgement(key=key(), episode=1, level=Level.CRITICAL, until=now + 3600, by=5, at=now)
    await stage.living.refresh(1)
    assert stage.shown().text.endswith("Acknowledged at 22:14 UTC.")
    assert stage.labels() == [["Tell me again in 1 h"], ["Details"]]
    stage.acks[key()] = replace(stage.acks[key()], snooze=True, until=now + 8 * 3600)
    await stage.living.refresh(1)
    assert stage.shown().text.endswith("Snoozed until 06:14 UTC.")
    await stage.look((MAIN, "1.07"), after=30)
    assert len(stage.api.edits) == 3, "only a press edits within the minute"


async def test_it_shows_who_takes_care_under_a_reminder_too(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    await stage.told((MAIN, "1.09"), after=5 * 3600)
    reminder = stage.api.accepted[1]
    assert (reminder.reply_to, reminder.text.splitlines()[0]) == (1, "STILL CRITICAL · main · Aave v3 Ethereum")
    assert stage.labels(2)[0] == ["Acknowledge", "Until worse"]
    now = int(stage.clock.now())
    stage.acks[key()] = Acknowledgement(key=key(), episode=1, level=Level.CRITICAL, until=now + 3600, by=5, at=now)
    await stage.look((MAIN, "1.09"))
    await stage.living.refresh(2)
    assert stage.shown(2).text == f"{reminder.text}\n\nAcknowledged at 03:13 UTC."
    assert stage.labels(2) == [["Tell me again in 1 h"], ["Details"]]


async def test_it_edits_the_first_of_several_parts_and_in_sum_where_there_is_no_more_room(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    record = replace(stage.records[key()], episode=2)
    stage.records[key()] = record
    told = await stage.thread.do(incident_of, 1)
    assert told is not None
    section = replace(told.sections[0], episode=2, body=bold("CRITICAL") + " x" * 3000)
    long = replace(message("", chat="me"), severity=Level.CRITICAL, body=section.body, sections=(section,))
    await stage.put(long)
    await stage.delivered()
    _, second = stage.api.accepted[1:]
    assert stage.labels(2)
    assert second.markup is None
    await stage.look((MAIN, "1.08"), after=61)
    now = int(stage.clock.now())
    stage.acks[key()] = Acknowledgement(key=key(), episode=2, level=Level.CRITICAL, until=now + 3600, by=5, at=now)
    await stage.living.refresh(2)
    assert stage.shown(3).text == second.text
    assert stage.labels(2) == [["Tell me again in 1 h"], ["Details"]]
    assert "CRITICAL · main · Aave v3 Ethereum · health 1.0800 ↘" in stage.shown(2).text
    stage.records[key()] = replace(record, level=Level.OK)
    await stage.look((MAIN, "2"), after=61)
    assert stage.shown(2).text.startswith("OVER\n\n1 ALERT, raised 2 min ago\nnow: 1 over")
    assert stage.labels(2) == []
    assert await stage.thread.do(open_incidents) == []


async def test_it_takes_a_message_that_says_it_already_for_edited(stage: Scene) -> None:
    await stage.told((MAIN, "1.09"))
    [incident] = await stage.thread.do(open_incidents)
    stage.clock.advance(2)
    await stage.sender.edit("me", "1", incident.body, stage.panel.alert("me", 1, [key()]))
    assert stage.api.edits == []
    stage.clock.advance(2)
    with pytest.raises(MessageGone):
        await stage.sender.edit("me", "9", incident.body)
