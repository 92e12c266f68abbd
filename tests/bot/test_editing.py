"""Edits of the wallets file from the chat: proposed, confirmed on their own message, saved once, and followed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.bot.seen import BY, SEAL, SPEC, Untouched, cases, hands, reply, view
from watcher.bot.access import Push
from watcher.bot.editing import in_force, outcome
from watcher.bot.hands import Hands
from watcher.bot.presses import MAY_ONLY_ASK, OUT_OF_DATE, Response, respond
from watcher.bot.proposals import LIVES, Proposals
from watcher.bot.reply import Reply
from watcher.bot.view import View
from watcher.config import Chat, Role, load
from watcher.wallets import Change, Edit, edit_wallets

NEW = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # from EIP-55
ME, DESK = Chat(name="me", id=5, role=Role.ACT), Chat(name="desk", id=-100, users=(7,), role=Role.ACT)
CONFIG = """wallets_file = "wallets.toml"
[telegram]
token = "${credential:token}"
[chats.me]
id = 5
[chats.desk]
id = -100
"""
FILE = """# Ours.
[[wallets]]
label = "main"
address = "{main}"
chains = ["base"]
chats = ["me"]
warn = 1.40  # agreed in May

[[wallets]]
label = "desk"
address = "{desk}"
chains = ["base"]
"""


@dataclass
class Room:
    """A chat that may edit a real file, as it sees it, and what it says and presses."""

    config: Path
    seen: View
    hands: Hands
    clock: list[float]

    @property
    def text(self) -> str:
        return self.config.with_name("wallets.toml").read_text()

    async def ask(self, line: str, message: str = "70") -> Reply:
        said = await reply(line, self.seen, self.hands)
        if said.sent is not None:
            said.sent(message)
        return said

    async def press(self, data: str, *, chat: Chat = ME, message: str = "70", role: Role = Role.ACT) -> Response:
        pressed = SEAL.opened(data, chat.name)
        push = Push(chat=chat, by=BY, message=message, query="q", pressed=pressed)
        return await respond(push, replace(self.seen, chat=chat.name, role=role), self.hands)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    addresses = {label: cases()[label].position.id.wallet for label in ("main", "desk")}
    config, clock = tmp_path / "watcher.toml", [0.0]
    config.write_text(CONFIG)
    config.with_name("wallets.toml").write_text(FILE.format(**addresses))

    async def edit(change: Change) -> Edit:
        return edit_wallets(config, change, environ={})

    seen = view("main", "desk", spec=replace(SPEC, name="base"))
    wallets = load(config, secrets=False, environ={}).wallets
    made = replace(hands(Untouched(), edit=edit), proposals=_proposals(clock))
    return Room(config, replace(seen, wallets=wallets, alone=False, role=Role.ACT), made, clock)


def _proposals(clock: list[float]) -> Proposals:
    return Proposals(lambda: clock[0])


def button(said: Reply, name: str) -> str:
    return next(one.data for row in said.keyboard for one in row if one.label == name)


async def test_it_asks_before_it_watches_and_then_does(room: Room) -> None:
    before = room.text
    said = await room.ask(f"/watch {NEW} the new one warn=1.35")
    question, address, places, *rest = str(said.body).split("\n")
    assert (question, address) == ("Watch the new one?", NEW)
    assert "deployments" in places or "Aave v3 Base" in places, "everything that is known on its chain"
    assert rest == [
        *("warn below 1.35, critical below 1.10, target 1.50", "alerts to me", ""),
        "Nothing is changed until you confirm, within 5 min.",
    ]
    assert [[one.label for one in row] for row in said.keyboard] == [["Confirm", "Cancel"]]
    assert room.text == before

    done = await room.press(button(said, "Confirm"))
    assert done.nod == "Saved."
    assert done.shows is not None
    assert str(done.shows[0]).endswith("to me\n\nSaved. It is in force within seconds.")
    assert done.shows[1] == ()
    assert room.text == before + (
        f'\n[[wallets]]\nlabel = "the new one"\naddress = "{NEW}"\nchains = ["base"]\nchats = ["me"]\nwarn = 1.35\n'
    )


async def test_it_tells_everybody_where_there_is_nobody_else(room: Room) -> None:
    room.config.write_text(CONFIG.replace("[chats.desk]\nid = -100\n", ""))
    room.seen = replace(room.seen, alone=True)
    await room.press(button(await room.ask(f"/watch {NEW} chains=ethereum,base"), "Confirm"))
    assert room.text.endswith(f'[[wallets]]\naddress = "{NEW}"\nchains = ["ethereum", "base"]\n')


async def test_it_shows_which_rules_change_and_takes_them_back(room: Room) -> None:
    said = await room.ask("/thresholds main warn=1,45 drop=10% remind=2h stale=off critical=1.2")
    assert str(said.body).startswith(
        "Other rules for main?\nwarn = 1.40 → 1.45\ncritical = 1.10 → 1.2\n"
        'remind = "4h" → "2h"\nstale = true → false\ndrop = off → 0.1\n\n'
    )
    await room.press(button(said, "Confirm"))
    assert 'warn = 1.45  # agreed in May\ndrop = 0.1\nremind = "2h"\nstale = false\ncritical = 1.2\n' in room.text
    back = await room.ask("/thresholds main warn=default")
    assert "warn = 1.45 → 1.30" in str(back.body)


async def test_it_takes_a_wallet_out(room: Room) -> None:
    said = await room.ask("/unwatch main")
    assert str(said.body).startswith("Watch main no longer?\n0x")
    await room.press(button(said, "Confirm"))
    assert 'label = "main"' not in room.text
    assert 'label = "desk"' in room.text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/thresholds main critical=1.9", "wallets[1].critical: critical 1.9 is not below warn 1.40"),
        ("/thresholds main warn=0.9", "wallets[1].warn: 0.9 is not a health above 1"),
        ("/thresholds main remind=1s", 'wallets[1].remind: "1s" is not a duration from "1m" to "30d"'),
        (f"/watch {NEW} chains=moon", 'wallets[3].chains: "moon" is not a known chain'),
        (f"/watch {NEW} main", 'wallets[3].label: "main" is the label of wallets[1] already'),
    ],
)
async def test_it_says_what_the_configuration_has_against_it(room: Room, line: str, said: str) -> None:
    before = room.text
    answer = await room.ask(line)
    assert str(answer.body).startswith("Nothing was changed.\n")
    assert said in str(answer.body)
    assert answer.keyboard == ()
    assert room.text == before


async def test_it_says_how_to_get_a_file_to_edit(room: Room) -> None:
    room.config.write_text(CONFIG.removeprefix('wallets_file = "wallets.toml"\n'))
    answer = await room.ask(f"/watch {NEW}")
    assert 'wallets_file: not set; write wallets_file = "wallets.toml" above the first [table]' in str(answer.body)


async def test_it_asks_nothing_where_nothing_would_change(room: Room) -> None:
    answer = await room.ask("/thresholds main warn=1.4")
    assert (str(answer.body), answer.keyboard) == ("That is so already: there is nothing to change.", ())


@pytest.mark.parametrize(
    ("what", "nod"),
    [
        ("another message", OUT_OF_DATE),
        ("another chat", OUT_OF_DATE),
        ("too late", OUT_OF_DATE),
        ("forged", OUT_OF_DATE),
        ("only asking", MAY_ONLY_ASK),
        ("cancelled", OUT_OF_DATE),
        ("after a restart", OUT_OF_DATE),
    ],
)
async def test_it_saves_nothing_for_a_press_that_is_not_right(room: Room, what: str, nod: str) -> None:
    before = room.text
    said = await room.ask("/unwatch main")
    data = button(said, "Confirm")
    match what:
        case "another message":
            done = await room.press(data, message="71")
        case "another chat":
            done = await room.press(data, chat=DESK)
        case "too late":
            room.clock[0] += LIVES
            done = await room.press(data)
        case "forged":
            done = await room.press(data[:-1] + ("0" if data[-1] != "0" else "1"))
        case "only asking":
            done = await room.press(data, role=Role.READ)
        case "cancelled":
            cancelled = await room.press(button(said, "Cancel"))
            assert cancelled.nod == "Cancelled."
            assert cancelled.shows is not None
            assert str(cancelled.shows[0]).endswith("Cancelled: nothing was changed.")
            done = await room.press(data)
        case _:
            room.hands = replace(room.hands, proposals=_proposals(room.clock))
            done = await room.press(data)
    assert (done.nod, done.shows, done.reply, done.edit) == (nod, None, None, None)
    assert room.text == before


async def test_it_knows_a_proposal_by_its_chat_too_for_chats_number_their_messages_alike(room: Room) -> None:
    said = await room.ask("/unwatch main")
    pressed = SEAL.opened(button(said, "Confirm"), "me")
    assert pressed is not None
    assert await room.hands.proposals.take(pressed.ref, "desk", "70") is None
    assert await room.hands.proposals.take(pressed.ref, "me", "70") is not None


async def test_it_saves_once_however_often_it_is_pressed(room: Room) -> None:
    data = button(await room.ask(f"/watch {NEW}"), "Confirm")
    nods = [done.nod for done in await asyncio.gather(*(room.press(data) for _ in range(5)))]
    assert sorted(nods) == ["Saved.", *[OUT_OF_DATE] * 4]
    assert room.text.count(NEW) == 1


async def test_it_does_not_overwrite_what_somebody_else_wrote_meanwhile(room: Room) -> None:
    data = button(await room.ask("/unwatch main"), "Confirm")
    others = room.text + "# mine\n"
    room.config.with_name("wallets.toml").write_text(others)
    done = await room.press(data)
    assert done.nod == "Nothing was changed."
    assert done.shows is not None
    assert "was changed by somebody else meanwhile; look at it and try again" in str(done.shows[0])
    assert room.text == others


async def test_it_waits_for_the_message_that_a_press_is_under(room: Room) -> None:
    said = await reply("/unwatch main", room.seen, room.hands)
    pressing = asyncio.create_task(room.press(button(said, "Confirm")))
    await asyncio.sleep(0)
    assert said.sent is not None
    said.sent("70")
    assert (await pressing).nod == "Saved."


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"/watch {NEW} fresh", "Watching fresh: no position"),
        ("/thresholds main warn=1.35", "main: the rules are in force."),
        ("/unwatch main", "Not watched any more."),
    ],
)
async def test_it_tells_what_came_of_it_once_it_is_in_force(room: Room, line: str, told: str) -> None:
    done = await room.press(button(await room.ask(line), "Confirm"))
    assert done.edit is not None
    assert not in_force(done.edit, room.seen)
    wallets = load(room.config, secrets=False, environ={}).wallets
    after = replace(room.seen, wallets=tuple(one for one in wallets if "me" in one.chats))
    unseen = replace(after, sights=tuple(replace(sight, snapshot=None) for sight in after.sights))
    assert in_force(done.edit, unseen) is line.startswith("/unwatch")
    assert in_force(done.edit, after)
    assert str(outcome(done.edit, after)) == told
