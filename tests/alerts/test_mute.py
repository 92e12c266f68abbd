"""What a mute holds, and what it cannot."""

from __future__ import annotations

import pytest

from watcher.alerts.message import Level, Message, Section, Text
from watcher.alerts.mute import Mute, News, apart, ends
from watcher.domain.source import Address

OK, WARN, CRITICAL, LIQUIDATABLE = Level
MAIN, FUND, OTHER = (Address(f"0x{number:040x}") for number in (1, 2, 3))
NOW, SOON, LATER = 1000, 2000, 9000


def mute(wallet: Address | None = None, level: Level = WARN, until: int = SOON, chat: str = "desk") -> Mute:
    return Mute(chat=chat, wallet=wallet, level=level, until=until)


def held(news: News | list[News], *mutes: Mute) -> list[int]:
    return list(ends("desk", news if isinstance(news, list) else [news], mutes, NOW).values())


def news(weight: Level, *wallets: Address, subject: str = "x") -> News:
    return News(subject, wallets or (MAIN,), weight)


@pytest.mark.parametrize("level", [WARN, CRITICAL])
@pytest.mark.parametrize("weight", Level)
def test_it_holds_up_to_its_level_and_nothing_above(level: Level, weight: Level) -> None:
    assert held(news(weight), mute(level=level)) == [SOON if weight <= level else 0]


def test_it_never_holds_what_is_liquidatable_whatever_it_says() -> None:
    assert held(news(LIQUIDATABLE), mute(level=LIQUIDATABLE)) == [0]


def test_it_holds_for_its_chat_its_wallet_and_its_time_only() -> None:
    assert held(news(WARN), mute(MAIN)) == [SOON]
    assert held(news(WARN), mute(FUND), mute(chat="other"), mute(until=NOW)) == [0]


def test_it_holds_what_several_wallets_share_only_while_each_of_them_is_muted() -> None:
    shared = news(WARN, MAIN, FUND)
    assert held(shared, mute(MAIN)) == [0]
    assert held(shared, mute(MAIN, until=LATER), mute(FUND)) == [SOON]
    assert held(shared, mute(until=LATER), mute(FUND)) == [LATER]


def test_the_mute_that_lasts_longest_counts() -> None:
    assert held(news(WARN), mute(MAIN), mute(until=LATER)) == [LATER]
    assert held(news(CRITICAL), mute(MAIN, level=CRITICAL), mute(until=LATER)) == [SOON]


def test_what_is_loud_of_a_subject_takes_the_rest_along() -> None:
    assert held([news(WARN), news(CRITICAL)], mute()) == [0]
    assert held([news(CRITICAL), news(WARN)], mute()) == [0]
    assert held([news(WARN), news(CRITICAL, subject="y")], mute()) == [SOON, 0]


def test_nobody_can_mute_what_is_about_no_wallet() -> None:
    assert held(News("state volume", (), WARN), mute()) == [0]


def section(subject: str, wallet: Address, weight: Level = WARN) -> Section:
    return Section(
        rule="health",
        subject=subject,
        severity=weight,
        level=weight,
        body=Text(subject),
        at=5,
        since=5,
        wallets=(wallet,),
        weight=weight,
    )


def test_it_takes_a_held_message_apart_by_what_still_holds_it() -> None:
    sections = [section("x", MAIN), section("y", FUND), section("z", OTHER), section("xx", MAIN)]
    message = Message.of("desk", sections, 5, held_until=LATER)
    parts = apart(message, [mute(MAIN), mute(FUND, until=LATER)], NOW)
    assert [(part.held_until, part.about, part.created_at) for part in parts] == [
        (NOW, ("z",), 5),
        (SOON, ("x", "xx"), 5),
        (LATER, ("y",), 5),
    ]
