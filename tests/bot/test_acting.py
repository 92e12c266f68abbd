"""Commands that act: what they are taken for, and that what cannot be understood changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bot.seen import BY, Untouched, ask, cases, hands, reply, view
from watcher.alerts.incident import Member
from watcher.alerts.message import Level
from watcher.alerts.mute import Mute
from watcher.alerts.record import Key, Record, Rule
from watcher.bot.access import Push
from watcher.bot.hands import Alert
from watcher.bot.presses import OVER, respond
from watcher.bot.view import View
from watcher.buttons import Action, Pressed
from watcher.config import Chat, Role
from watcher.domain.source import Address

NEW = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"  # from EIP-55
RULES = (
    "clear, critical, distance_critical, distance_warn, drop, drop_within, events, good_reads, liquidated, remind,"
    " stale, suspect, target, terms, unknown_age, unreadable, warn"
)


def acting(*labels: str, standing: dict[Key, Level] | None = None) -> View:
    """A view whose chat may act, in which these alerts stand."""
    records = {
        key: Record(key=key, level=level, episode=1, since=place)
        for place, (key, level) in enumerate((standing or {}).items())
    }
    return replace(view(*labels), role=Role.ACT, records=records)


def of(label: str, rule: Rule = Rule.HEALTH) -> Key:
    return Key(rule, str(cases()[label].position.id))


STANDING = {
    of("desk"): Level.WARN,
    of("main"): Level.CRITICAL,
    of("main", Rule.DISTANCE): Level.WARN,
    of("staker"): Level.OK,
    Key(Rule.BLIND, "tape"): Level.WARN,
    Key(Rule.BLIND, "elsewhere"): Level.WARN,
    Key(Rule.HEALTH, "aave_v3/0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"): Level.CRITICAL,
}


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("/ack", [of("main"), of("desk"), of("main", Rule.DISTANCE), Key(Rule.BLIND, "tape")]),
        ("/ack all", [of("main"), of("desk"), of("main", Rule.DISTANCE), Key(Rule.BLIND, "tape")]),
        ("/ack main", [of("main"), of("main", Rule.DISTANCE)]),
        ("/ACK Desk", [of("desk")]),
    ],
)
def test_it_acknowledges_what_stands_of_this_chats_wallets(line: str, keys: list[Key]) -> None:
    untouched = Untouched()
    ask(line, acting(standing=STANDING), hands(untouched))
    assert untouched.done == [("acknowledge", BY, keys)]


def test_it_acknowledges_the_sequencer_of_a_chain_that_a_wallet_of_the_chat_is_on() -> None:
    here, elsewhere = Key(Rule.SEQUENCER, "tape"), Key(Rule.SEQUENCER, "elsewhere")
    seen, untouched = acting(standing={here: Level.CRITICAL, elsewhere: Level.CRITICAL}), Untouched()
    ask("/ack", seen, hands(untouched))
    assert untouched.done == [("acknowledge", BY, [here])]
    assert ask("/ack", seen, hands(Untouched(stands=seen.standing_of()))).startswith(
        "Acknowledged: 1 alert.\n· CRITICAL · Ethereum · sequencer\n"
    )


def test_it_says_what_was_acknowledged() -> None:
    seen = acting(standing=STANDING)
    assert ask("/ack", seen, hands(Untouched(stands=seen.standing_of()))) == (
        "Acknowledged: 4 alerts.\n"
        "· CRITICAL · main · Aave v3\n"
        "· WARNING · desk · Aave v3\n"
        "· WARNING · main · Aave v3 · distance to liquidation\n"
        "· WARNING · Ethereum · blind\n"
        "No reminder until it gets worse or ends, for a day at most."
    )


@pytest.mark.parametrize(
    ("key", "concerned"),
    [
        (of("main"), True),
        (of("desk"), False),
        (Key(Rule.BLIND, "tape"), True),
        (Key(Rule.STALE, "tape:0x" + "fe" * 20), True),
        (Key(Rule.BLIND, "elsewhere"), False),
    ],
)
def test_it_knows_which_alerts_are_a_chats_own(key: Key, concerned: bool) -> None:
    assert acting("main").concerns(key) is concerned


@pytest.mark.parametrize(("wallets", "seen"), [(["main", "desk"], 1), (["main"], 0)], ids=["its own", "not any more"])
async def test_it_takes_a_press_for_the_wallets_of_its_chat_only(wallets: list[str], seen: int) -> None:
    alert = Alert(id=1, chat="me", message="9", members=[Member(key=of("desk"), episode=1, level=Level.WARN)])
    untouched = Untouched(stands=[Record(key=of("desk"), level=Level.WARN, episode=1)])

    async def found(_: int) -> Alert:
        return alert

    chat = Chat(name="me", id=BY, role=Role.ACT)
    push = Push(chat=chat, by=BY, message="9", query="q", pressed=Pressed(Action.ACK, 1))
    said = await respond(push, acting(*wallets), replace(hands(untouched), alert=found))
    assert (said.nod.startswith("Acknowledged."), said.nod == OVER, len(untouched.done)) == (bool(seen), not seen, seen)


def test_it_has_nothing_to_acknowledge_where_nothing_stands() -> None:
    untouched = Untouched()
    assert ask("/ack", acting(), hands(untouched)) == "Nothing stands: nothing to acknowledge."
    assert ask("/ack staker", acting(standing=STANDING), hands(untouched)).startswith("Nothing stands of staker")
    assert untouched.done == []


@pytest.mark.parametrize(
    ("line", "label", "level", "seconds"),
    [
        ("/mute 2h", None, Level.WARN, 7200),
        ("/mute all 90m", None, Level.WARN, 5400),
        ("/mute main 1h30m critical", "main", Level.CRITICAL, 5400),
        ("/mute cold storage 30min", "cold storage", Level.WARN, 1800),
        ("/mute main 7D CRITICAL", "main", Level.CRITICAL, 7 * 86_400),
        ("/mute main 1d warn", "main", Level.WARN, 86_400),
    ],
)
def test_it_mutes_what_is_meant(line: str, label: str | None, level: Level, seconds: int) -> None:
    untouched = Untouched()
    told = ask(line, acting(), hands(untouched))
    wallet = cases()[label].position.id.wallet if label else None
    assert untouched.done == [("mute", "me", wallet, level, seconds, BY)]
    assert told.startswith(f"Muted: warnings{' and what is critical' if level is Level.CRITICAL else ''} of")
    assert ("What is liquidatable is told" if level is Level.CRITICAL else "What is critical is told") in told


def test_it_unmutes_and_shows_what_is_muted() -> None:
    main = cases()["main"].position.id.wallet
    untouched = Untouched()
    assert ask("/unmute main", acting(), hands(untouched)) == "Not muted any more:\n· warnings of main"
    assert ask("/unmute", acting(), hands(untouched)) == "Not muted any more:\n· warnings of all wallets"
    assert untouched.done == [("unmute", "me", main), ("unmute", "me", None)]
    seen = acting()
    muted = Mute(chat="me", wallet=main, level=Level.CRITICAL, until=seen.now + 5400)
    assert ask("/mute", seen) == "Nothing is muted here."
    assert ask("/mute", replace(seen, mutes=(muted,), role=Role.READ)) == (
        "Muted here:\n· warnings and what is critical of main, for 1 h 30 min"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/ack nobody", "No wallet is called “nobody”. There are: main, cold storage, cold wallet"),
        ("/ack cold", "“cold” may be cold storage, cold wallet. Write more of the name."),
        ("/ack main now", "“now” is more than it takes."),
        ("/mute main", "“main” is no duration. Write 30m, 2h or 1d."),
        ("/mute critical", "“critical” is no duration. Write 30m, 2h or 1d."),
        ("/mute main critical", "“main” is no duration. Write 30m, 2h or 1d."),
        ("/mute 2h main", "“main” is no duration. Write 30m, 2h or 1d."),
        ("/mute 2", "“2” is no duration. Write 30m, 2h or 1d."),
        ("/mute 2 h", "“h” is no duration. Write 30m, 2h or 1d."),
        ("/mute -2h", "“-2h” is no duration. Write 30m, 2h or 1d."),
        ("/mute 0h", "“0h” is out of bounds: from 1m to 7d."),
        ("/mute 30s", "“30s” is out of bounds: from 1m to 7d."),
        ("/mute 8d", "“8d” is out of bounds: from 1m to 7d."),
        ("/mute 99999999999999h", "“99999999999999h” is out of bounds: from 1m to 7d."),
        ("/mute nobody 2h", "No wallet is called “nobody”."),
        ("/mute 2h liquidatable", "What is liquidatable is always told. Mute warnings, or what is critical."),
        ("/unmute nobody", "No wallet is called “nobody”."),
        ("/unmute main 2h", "“2h” is more than it takes."),
        ("/watch", "Which address?"),
        ("/watch label", '"label" (5 characters after 0x) is not an address; write 0x and 40 hex digits'),
        ("/watch vitalik.eth", '"vitalik.eth" is a name, and names are not looked up; write 0x'),
        (f"/watch {NEW[:-1]}", f'"{NEW[:-1]}" (39 characters after 0x) is not an address'),
        (f"/watch {NEW.lower()}", f'"{NEW.lower()}" is not a checksummed address; write "{NEW}"'),
        (f"/watch {NEW[:-1]}e", f'"{NEW[:-1]}e" does not fit its checksum: a character is mistyped.'),
        ("/watch 0x" + "0" * 40, '"0x0000000000000000000000000000000000000000" is the zero address'),
        ("/watch {main}", "0x3761…{main_end} is watched already: main."),
        (f"/watch {NEW} {'long' * 9}", "A label has at most 32 characters; that is 36."),
        (f"/watch {NEW} x warn=low", "warn is a number, not “low”."),
        (f"/watch {NEW} x chain=base", f"There is no rule “chain”. There are: {RULES}."),
        ("/unwatch", "Which? There are: main, cold storage, cold wallet, staker, fund, desk, saver."),
        ("/unwatch nobody", "No wallet is called “nobody”."),
        ("/unwatch main desk", "“desk” is more than it takes."),
        ("/thresholds warn=1.4", "Whose? There are: main, cold storage, cold wallet"),
        ("/thresholds nobody warn=1.4", "No wallet is called “nobody”."),
        ("/thresholds main warm=1.4", f"There is no rule “warm”. There are: {RULES}."),
        ("/thresholds main warn= 1.4", "“warn=” is no key and value. Write them in one, such as warn=1.4"),
        ("/thresholds main warn=1.4 warn=1.5", "warn is there twice."),
        ("/thresholds main warn=-1", "warn is a number, not “-1”."),
        ("/thresholds main warn=1e3", "warn is a number, not “1e3”."),
        ("/thresholds main good_reads=1.5", "good_reads is a whole number, not “1·5”."),
        ("/thresholds main stale=maybe", "stale is on or off, not “maybe”."),
        ("/thresholds main remind=4", "remind is a duration such as 4h, not “4”."),
    ],
)
def test_it_says_what_is_wrong_with_a_command_and_changes_nothing(line: str, said: str) -> None:
    main = cases()["main"].position.id.wallet
    untouched = Untouched()
    told = ask(line.replace("{main}", main), acting(standing=STANDING), hands(untouched))
    assert told.startswith(said.replace("{main_end}", main[-4:])), told
    assert told.splitlines()[-1].startswith("Write /")
    assert untouched.done == []


@pytest.mark.parametrize(
    "line", ["/ack", "/mute 2h", "/unmute", f"/watch {NEW}", "/unwatch main", "/thresholds main warn=1.4"]
)
def test_it_changes_nothing_for_those_who_may_only_ask(line: str) -> None:
    untouched = Untouched()
    told = ask(line, replace(acting(standing=STANDING), role=Role.READ), hands(untouched))
    assert told == f'In this chat commands may only ask: {line.split()[0]} takes role = "act"'
    assert untouched.done == []


def test_it_tells_nothing_of_wallets_that_are_others() -> None:
    untouched = Untouched()
    seen = replace(acting("main"), elsewhere=frozenset({Address(NEW)}))
    told = ask(f"/watch {NEW}", seen, hands(untouched))
    assert told.startswith("0x5aAe…eAed cannot be added from here")
    for line in ("/ack desk", "/mute desk 2h", "/unwatch desk", "/thresholds desk warn=1.4"):
        assert ask(line, seen, hands(untouched)).startswith("No wallet is called “desk”. There are: main.")
    assert untouched.done == []


@pytest.mark.parametrize(
    ("line", "caption"),
    [
        ("/chart main", "main · Aave v3 over 86400 s"),
        ("/chart main 7d", "main · Aave v3 over 604800 s"),
        ("/chart cold storage aave week", "cold storage · Aave v3 over 604800 s"),
        ("/chart main spark", "main has no position at “spark” in what could be seen."),
        ("/chart", "Whose? There are: main, cold storage,"),
        ("/chart 7d", "Whose? There are: main, cold storage,"),
        ("/chart nobody", "No wallet is called “nobody”."),
    ],
)
def test_it_draws_what_is_named_for_whoever_may_ask(line: str, caption: str) -> None:
    assert ask(line, view()).startswith(caption)


async def test_it_sends_a_chart_as_a_picture() -> None:
    assert (await reply("/chart main", view())).photo == b"a picture"
