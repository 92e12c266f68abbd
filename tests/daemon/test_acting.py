"""Commands and buttons that act, on the real daemon: what they do is in its database, its files and its silence."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.bot_api_rules import Fault
from tests.daemon.inside import Clock
from tests.daemon.talking import ANN, GROUP, ME, STRANGER, Talking, talking
from tests.daemon.waiting import eventually
from tests.daemon.world import TOKEN, Market
from tests.worlds.chain import named
from watcher.bot.presses import MAY_ONLY_ASK, OUT_OF_DATE, OVER
from watcher.buttons import Action, Seal

SEAL = Seal.of_bot(TOKEN)
HOUR = 3600


def button(action: Action, arg: str = "", *, chat: str = "me", ref: int = 1) -> str:
    return SEAL.sealed(action, chat, ref, arg)


def data_under(markup: object, label: str) -> str:
    """What a button with this label carries."""
    assert isinstance(markup, dict)
    buttons = [each for row in markup["inline_keyboard"] for each in row]
    return str(next(each["callback_data"] for each in buttons if each["text"].startswith(label)))


async def later(chat: Talking, clock: Clock, seconds: float) -> int:
    """One look, so many seconds later; how many messages there are then, all of them delivered."""
    clock.now += seconds
    await chat.watch.tick()
    waiting = "SELECT count(*) FROM outbox WHERE fate = 'pending'"
    await chat.until_none(waiting)
    return len(chat.api.accepted)


async def test_it_reminds_no_more_of_what_somebody_has_acknowledged(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        assert await later(chat, clock, 5 * HOUR) == 2  # the reminder: nobody has said anything
        assert data_under(chat.api.accepted[0].markup, "Acknowledge") == button(Action.ACK)
        told = "Acknowledged. No reminder until it gets worse or ends, for a day at most."
        assert [await chat.press(button(Action.ACK)) for _ in range(2)] == [told, told]
        assert chat.kept("ack") == 1
        shown = await chat.edited(1)
        assert "cknowledged" in shown.text
        assert await later(chat, clock, 5 * HOUR) == 2
        borrowers.move("WETH", 95)
        assert await later(chat, clock, 12) == 3
        assert "CRITICAL, was WARNING · weak" in chat.api.accepted[-1].text
        assert await chat.press(button(Action.ACK)) == OVER  # it has a message of its own


async def test_it_takes_nobody_to_have_seen_what_got_worse_and_is_still_on_its_way_to_them(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        chat.api.fail_next(Fault.SERVER_ERROR, times=5)
        borrowers.move("WETH", 95)
        clock.now += 12
        await chat.watch.tick()
        assert await chat.press(button(Action.ACK)) == OVER
        assert chat.kept("ack") == 0


async def test_it_tells_again_what_was_snoozed_and_still_stands(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        said = await chat.press(button(Action.SNOOZE, "3600"))
        assert said == "Snoozed for 1 h. Told again then, or as soon as it gets worse."
        assert await later(chat, clock, HOUR - 60) == 1
        assert await later(chat, clock, 120) == 2
        said = await chat.press(button(Action.UNTIL_WORSE))
        assert said == "Quiet until it gets worse. For a week at most."
        assert await later(chat, clock, 20 * HOUR) == 2


async def test_it_acknowledges_one_of_several(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    borrowers.move("WETH", 95)  # so that `thin` warns too
    async with talking(tmp_path, borrowers, clock) as chat:
        assert await chat.press(button(Action.CHOOSE)) == "All of it, or one?"
        edit = await chat.edited(1)
        assert edit.text == chat.api.accepted[0].text
        labels = [row[0]["text"] for row in edit.markup["inline_keyboard"]]
        assert labels == [
            "All 2",
            "CRITICAL · weak · Aave v3 Local",
            "WARNING · thin · Aave v3 Local",
            "Back",
        ]
        said = await chat.press(data_under(edit.markup, "WARNING · thin"))
        assert said.startswith("Acknowledged. ")
        assert chat.kept("ack WHERE subject LIKE '%" + borrowers.accounts["thin"] + "'") == chat.kept("ack") == 1
        assert await chat.press(button(Action.BACK)) == ""
        said = await chat.press(data_under(edit.markup, "All"))
        assert said == "Acknowledged, 2 alerts. No reminder until it gets worse or ends, for a day at most."


async def test_it_shows_details_and_a_chart_as_answers_to_the_alert(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    pytest.importorskip("matplotlib")
    async with talking(tmp_path, borrowers, clock, role="read") as chat:  # who may only ask may see
        assert await chat.press(button(Action.DETAILS)) == ""
        details = await chat.message(2)
        assert details.reply_to == 1
        assert details.text.startswith("WARNING · weak · Aave v3 Local\nhealth 1.1")
        assert "\n\ncollateral $" in details.text
        assert await chat.press(button(Action.CHART, "86400")) == ""
        chart = await chat.message(3)
        assert chart.reply_to == 1
        assert chart.photo > 10_000
        assert chart.text.startswith("weak · Aave v3 Local\nhealth over 24 h: 1.1")
        assert (await chat.ask("/chart weak 7d")).startswith("weak · Aave v3 Local\nhealth over 7 days: 1.1")
        assert chat.api.accepted[-1].photo > 10_000


async def test_it_watches_whom_a_chat_names_once_confirmed(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    new = borrowers.accounts["sound"]
    async with talking(tmp_path, borrowers, clock, listed=["weak"]) as chat:
        file = tmp_path / "wallets.toml"
        before = file.read_text()
        asked = await chat.ask(f"/watch {new} the sound one warn=1.4")
        assert asked.startswith(f"Watch the sound one?\n{new}\nAave v3 Local\nwarn below 1.4,")
        question = chat.api.accepted[-1]
        confirm = data_under(question.markup, "Confirm")

        assert await chat.press(confirm, 1) == OUT_OF_DATE
        assert file.read_text() == before
        assert await chat.press(confirm, question.message_id) == "Saved."
        edit = await chat.edited(question.message_id)
        assert edit.markup is None
        assert edit.text.endswith("Saved. It is in force within seconds.")
        assert f'label = "the sound one"\naddress = "{new}"\nchains = ["local"]\nwarn = 1.4\n' in file.read_text()
        await chat.take_over()
        followed = await chat.message(3)
        assert (followed.reply_to, followed.text[:37]) == (question.message_id, "Watching the sound one: 1 position, l")
        assert "the sound one" in await chat.ask("/health")
        assert await chat.press(confirm, question.message_id) == OUT_OF_DATE


async def test_it_changes_limits_and_takes_wallets_out_once_confirmed(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        assert (await chat.ask("/thresholds thin warn=1.4")).startswith(
            "Other rules for thin?\nwarn = 1.30 → 1.4\n\nNothing is changed until you confirm"
        )
        question = chat.api.accepted[-1]
        assert await chat.press(data_under(question.markup, "Confirm"), question.message_id) == "Saved."
        await chat.take_over()
        texts = {(await chat.message(count)).text.splitlines()[0] for count in (3, 4)}
        assert "thin: the rules are in force." in texts
        assert any(text.startswith("WARNING · thin") for text in texts)  # at 1.35 it now warns

        await chat.ask("/unwatch sound")
        question = chat.api.accepted[-1]
        assert await chat.press(data_under(question.markup, "Cancel"), question.message_id) == "Cancelled."
        assert (await chat.edited(question.message_id)).text.endswith("Cancelled: nothing was changed.")
        assert "sound" in (tmp_path / "wallets.toml").read_text()


async def test_it_says_how_to_get_a_file_that_it_may_edit(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        path = tmp_path / "watcher.toml"
        wallets = (tmp_path / "wallets.toml").read_text()
        path.write_text(path.read_text().replace('wallets_file = "wallets.toml"\n', "") + wallets)
        told = await chat.ask("/unwatch sound")
        assert told.startswith("Nothing was changed.\n")
        assert 'wallets_file: not set; write wallets_file = "wallets.toml" above the first [table]' in told


async def test_it_mutes_and_tells_what_was_held_afterwards(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        assert (await chat.ask("/mute thin 2h")).startswith(
            "Muted: warnings of thin, for 2 h.\nWhat is critical is told."
        )
        assert await chat.ask("/mute") == "Muted here:\n· warnings of thin, for 2 h"
        assert await chat.ask("/unmute") == "Not muted any more:\n· warnings of thin"
        assert chat.kept("mute") == 0
        assert await chat.ask("/ack weak") == (
            "Acknowledged: 1 alert.\n· WARNING · weak · Aave v3 Local\n"
            "No reminder until it gets worse or ends, for a day at most."
        )
        assert chat.kept("ack") == 1


async def test_it_changes_nothing_for_any_of_a_thousand_commands_and_presses_that_are_not_right(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    dice = random.Random(7)
    speakers = {(ME, ME), (GROUP, ANN)}
    lines = ["/ack", "/mute 2h", "/unmute", "/unwatch weak", "/watch " + named("new"), "/thresholds weak warn=1.4"]
    acts = [action for action in Action if action not in (Action.DETAILS, Action.CHART)]
    async with talking(tmp_path, borrowers, clock, chats={"me": ME, "desk": GROUP}) as chat:
        file = (tmp_path / "wallets.toml").read_text()
        right = {message.chat: message.message_id for message in chat.api.accepted}
        theirs = {ME: "me", GROUP: "desk"}
        wrong = 0
        for _ in range(1000):
            place, user = dice.choice([ME, GROUP, STRANGER]), dice.choice([ME, ANN, STRANGER, 9])
            if (place, user) not in speakers:
                line = dice.choice(lines)
                name, ref = theirs.get(place, "me"), dice.choice([1, 2])
                data = button(dice.choice(acts), "3600", chat=name, ref=ref)  # as right as can be, but for who presses
                if dice.random() < 0.5:
                    chat.api.updates.say(place, user, line)
                else:
                    chat.api.updates.press(place, user, right.get(place, 1), data)
                continue
            other = theirs[ME if place == GROUP else GROUP]
            data, message = dice.choice(
                [
                    (button(dice.choice(acts), "3600", chat=other, ref=dice.choice([1, 2])), right[place]),
                    (button(dice.choice(acts), "3600", chat=theirs[place], ref=dice.choice([1, 2])), 99),
                    (button(dice.choice(acts), "3600", chat=theirs[place], ref=77), right[place]),
                    ("x" * dice.randrange(1, 64), right[place]),
                ]
            )
            assert await chat.press(data, message, chat=place, user=user) == OUT_OF_DATE
            wrong += 1
        assert wrong > 100
        assert (await chat.ask("/mute")) == "Nothing is muted here."
        assert len(chat.api.accepted) == len(right) + 1
        assert len(chat.api.updates.answered) == wrong
        assert (chat.kept("ack"), chat.kept("mute"), chat.api.edits) == (0, 0, [])
        assert (tmp_path / "wallets.toml").read_text() == file


async def test_it_changes_nothing_for_those_who_may_only_ask(tmp_path: Path, borrowers: Market, clock: Clock) -> None:
    async with talking(tmp_path, borrowers, clock, role="read") as chat:
        file = (tmp_path / "wallets.toml").read_text()
        for action in (Action.ACK, Action.CHOOSE, Action.SNOOZE, Action.UNTIL_WORSE, Action.CONFIRM):
            assert await chat.press(button(action, "3600")) == MAY_ONLY_ASK
        assert await chat.ask("/unwatch weak") == 'In this chat commands may only ask: /unwatch takes role = "act"'
        assert (chat.kept("ack"), chat.api.edits, (tmp_path / "wallets.toml").read_text()) == (0, [], file)


async def test_it_alerts_at_once_while_somebody_presses_without_end(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with talking(tmp_path, borrowers, clock, paced=True) as chat:
        for _ in range(300):
            chat.api.updates.press(ME, ME, 1, button(Action.DETAILS))
        await chat.message(2)
        borrowers.move("WETH", 95)
        clock.now += 12
        await chat.watch.tick()
        before = len(chat.api.accepted)
        texts = [(await chat.message(before + count)).text for count in (1, 2)]
        assert any("CRITICAL, was WARNING · weak" in text for text in texts)  # one answer may be on its way already


async def test_it_is_the_same_whether_a_press_comes_once_or_again_after_a_restart(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    async with talking(tmp_path, borrowers, clock) as chat:
        asked = await chat.ask("/unwatch sound")
        assert asked.startswith("Watch sound no longer?")
        question = chat.api.accepted[-1]
        confirm = data_under(question.markup, "Confirm")
        await chat.press(button(Action.ACK))
        assert await chat.press(confirm, question.message_id) == "Saved."
        file = (tmp_path / "wallets.toml").read_text()
        await chat.stop()
        await chat.start()  # as if nobody had ever told Telegram that these updates were read
        await eventually(lambda: any(watch.last for watch in chat.daemon.watches.values()))
        assert (await chat.press(button(Action.ACK))).startswith("Acknowledged. ")
        assert await chat.press(confirm, question.message_id) == OUT_OF_DATE
        assert (chat.kept("ack"), (tmp_path / "wallets.toml").read_text()) == (1, file)
