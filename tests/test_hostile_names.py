"""F3. Ten thousand names of the worst kind, in all that we write: nothing to touch, nothing unseen, no markup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.alerts.samples import ETH_FEED, MAIN, NOW, USDC_USD, position, reading, unreadable, view
from tests.alerts.telling import (
    ADVICE,
    CRITICAL,
    HEALTH,
    OK,
    RAISED,
    REMINDER,
    RESOLVED,
    STALE,
    SUBJECT,
    UNREADABLE,
    WARN,
    about,
    notice,
    sighted,
)
from tests.bot import seen
from tests.hostile import clickable, names, poisoned, unseen
from watcher.alerts.beside import sight_chain
from watcher.alerts.clean import clean, visible
from watcher.alerts.message import Text
from watcher.alerts.record import Key, Rule
from watcher.alerts.rules import Rules
from watcher.alerts.sighting import suspect_subject
from watcher.alerts.words import Telling, compose
from watcher.bot.commands import COMMANDS, Command, answer
from watcher.bot.details import details
from watcher.bot.view import Misunderstood, View
from watcher.config import Role
from watcher.domain.doubt import Doubt, Suspicion
from watcher.notify.telegram import TelegramBot

MANY = 10_000
LIMITS = (9, 24, 32, 40, 160, 300)


# --- The detector itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *(
            "see evil.com",
            "evil.co.uk/x",
            "пример.рф",
            "1.1.1.1",
            "tg://x",
            "http://localhost",
            "a@b.co",
            "hi @support",
        ),
        *("/start", "do /ack@bot", "(/x)", "#free", "#1inch", "$USDC", "$1INCH now", "buy $A"),
    ],
)
def test_the_detector_sees_what_telegram_would_link(text: str) -> None:
    assert clickable(text)


@pytest.mark.parametrize(
    "text",
    [
        *("health 1.0500", "$1,846.15", "1.05.", "Done. Next", "ETH / USD", "and/or", "#1", "5 % / 1 h", "0x5aAe…eAed"),
        *("block 21,034,551, 12 s old", "$usdc", "US$", "a · b", "12:34", "v3.0.2"),
    ],
)
def test_the_detector_leaves_alone_what_telegram_would(text: str) -> None:
    assert not clickable(text)


# --- One name ---------------------------------------------------------------------------------------------------------


def check(name: str, limit: int) -> None:
    shown = clean(name, limit)
    assert 0 < len(shown) <= limit
    assert not clickable(shown), (name, shown)
    assert not unseen(shown), (name, shown)
    assert "\n" not in shown
    assert shown == shown.strip()
    assert clean(shown, limit) == shown
    assert not unseen(visible(name[:300]))


def test_it_makes_ten_thousand_names_fit_to_stand_among_our_words() -> None:
    for number, name in enumerate(islice(names(3), MANY)):
        check(name, LIMITS[number % len(LIMITS)])


CHARACTERS = st.one_of(
    st.characters(), st.sampled_from("./@#$:·…-_ \n\u200b\u200d\u202e\u0301\uff0e\uff04\uff0f\uff20\u3002aZ1")
)


@settings(max_examples=400, deadline=None)
@given(st.text(CHARACTERS, max_size=60), st.sampled_from(LIMITS))
def test_it_makes_any_name_fit(name: str, limit: int) -> None:
    check(name, limit)


# --- Everything that is written ---------------------------------------------------------------------------------------


class Names:
    """One after the other; `given` counts them."""

    def __init__(self, of: Iterator[str]) -> None:
        self._of = of
        self.given = 0

    def __call__(self) -> str:
        self.given += 1
        return next(self._of)


def messages(name: Callable[[], str]) -> list[Text]:
    """An alert of each kind."""
    late = position("1.05", feeds=(reading(age=7400), USDC_USD))
    found = replace(late, notes=("a note",))
    doubt = Doubt(suspicion=Suspicion.JUMP, source=ETH_FEED, name=name() or "x", said=f"{name()} at 1.5", about=(late,))
    doubted = replace(view(late), doubts=(doubt,))
    notices = [
        about(found, RAISED, CRITICAL, OK),
        about(found, REMINDER, CRITICAL, CRITICAL),
        notice(RAISED, sighted(view(found), STALE), WARN, OK),
        *(
            notice(RAISED, sighted(doubted, key), CRITICAL, OK)
            for key in (Key(Rule.SUSPECT, suspect_subject("ethereum", ETH_FEED, Suspicion.JUMP)), HEALTH)
        ),
        notice(RAISED, sighted(view(lost=(unreadable(),), covered=()), UNREADABLE), CRITICAL, OK),
        notice(RESOLVED, sighted(view(covered=(MAIN,)), HEALTH), OK, CRITICAL),
        notice(
            RAISED, sight_chain("ethereum", name() or "x", NOW - 60, NOW, Rules(), [MAIN], known=True), CRITICAL, OK
        ),
    ]
    deployment = SUBJECT.split("/")[0]
    return [
        compose(
            "alerts",
            [poisoned(one, name)],
            Telling(
                labels={MAIN: name()},
                chains={"ethereum": name()},
                explorers={"ethereum": "https://etherscan.io"},
                advice={SUBJECT: poisoned(ADVICE, name)},
                markets={deployment: name()},
                now=NOW,
            ),
        ).body
        for one in notices
    ]


def answers(name: Callable[[], str]) -> list[Text]:
    """What the bot shows of them, Details among it."""
    of = poisoned(seen.view(lost=["staker"]), name)
    conditions = [Key(Rule.HEALTH, str(case.position.id)) for case in seen.cases().values()]
    return [*(_told(command, of) for command in COMMANDS.values() if command.tell), details(of, conditions)]


def _told(command: Command, of: View) -> Text:
    assert command.tell is not None
    try:
        return command.tell([], of)
    except Misunderstood as problem:
        return Text(str(problem))


@pytest.mark.parametrize(("written", "many"), [(messages, MANY), (answers, MANY // 4)])
def test_it_writes_nothing_that_a_name_could_act_through(
    written: Callable[[Callable[[], str]], list[Text]], many: int, record_property: Callable[[str, object], None]
) -> None:
    given, chat = Names(names(4)), TelegramBot("1:abc").chat("5")
    honest = written(lambda: "plain")
    while given.given < many:
        for text, plain in zip(written(given), honest, strict=True):
            said = str(text)
            assert clickable(text) == clickable(plain), said  # our own commands, where an answer names them
            assert not unseen(said), said
            assert said.count("\n") == str(plain).count("\n"), said
            assert [(span.style, span.url) for span in text.spans] == [(one.style, one.url) for one in plain.spans]
            assert len(said) <= len(str(plain)) + 400 * (1 + str(plain).count("plain"))
            assert len(chat.parts(text)) <= 4
    record_property("F3", f"{given.given:,} in {written.__name__}: 0, 0 and 0")


async def test_it_says_no_name_back_that_could_act() -> None:
    of, hands = replace(seen.view(), role=Role.ACT), seen.hands()
    for name, command in zip(islice(names(5), 1_000), cycle([*sorted(COMMANDS.keys() - {"help"}), ""])):
        reply = await answer(command or name, [name, "-20%"], of, hands, seen.BY)
        said = reply.body if command else Text(reply.body.text.split("\n\n")[0])  # what follows names our commands
        assert not clickable(said), str(said)
        assert not unseen(str(said)), str(said)
