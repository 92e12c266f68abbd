"""Messages as a whole: who comes first, what is styled, and what strangers' names cannot do."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.alerts.samples import (
    BLOCK,
    COLD,
    DEPLOYMENT,
    MAIN,
    NOW,
    position,
    unreadable,
    view,
)
from tests.alerts.telling import (
    ADVICE,
    CRITICAL,
    EASED,
    HEALTH,
    LIQUIDATABLE,
    OK,
    RAISED,
    REMINDER,
    RESOLVED,
    SUBJECT,
    UNREADABLE,
    WARN,
    about,
    notice,
    sighted,
    text,
    told,
)
from watcher.alerts.assess import assess
from watcher.alerts.message import Message, Style
from watcher.alerts.policy import Notice
from watcher.alerts.record import Key, Rule
from watcher.alerts.rules import RuleBook, Rules
from watcher.alerts.words import IN_FULL
from watcher.domain.source import Address

# --- Many -------------------------------------------------------------------------------------------------------------


def crowd(count: int) -> list[Notice]:
    """Positions of wallets without a label, the worst last."""
    found = []
    for number in range(count):
        wallet = Address(f"0x{number:04d}{'0' * 32}{number:04d}")
        found.append(about(position(str(Decimal("1.29") - Decimal(number) / 10_000), wallet=wallet), RAISED, WARN, OK))
    return found


def test_it_names_every_position_of_a_crowd_in_one_message() -> None:
    message = told(*crowd(200))
    body = str(message.body)
    assert all(f"0x{number:04d}…{number:04d}" in body for number in range(200))
    assert len(message.about) == 200
    assert body.count("collateral ") == IN_FULL
    assert "and 194 more:" in body
    assert len(body) < 200 * 80
    brief = "WARNING · 0x0001…0001 · Aave v3 Ethereum · health 1.2899"
    assert brief in body.splitlines()


def test_it_puts_the_worst_first() -> None:
    good = notice(RESOLVED, sighted(view(position("1.5")), UNREADABLE), OK, CRITICAL)
    worse = about(position("1.05", wallet=COLD), RAISED, CRITICAL, OK)
    message = told(good, *crowd(3), worse)
    parts = str(message.body).split("\n\n")
    assert [part.split("\n")[0].split(" · Aave")[0] for part in parts] == [
        "CRITICAL · cold",
        "WARNING · 0x0002…0002",
        "WARNING · 0x0001…0001",
        "WARNING · 0x0000…0000",
        "READABLE AGAIN · main",
    ]
    assert message.severity is CRITICAL


def test_it_lets_good_news_wait_behind_bad() -> None:
    assert told(about(position("1.2"), EASED, WARN, LIQUIDATABLE)).severity is OK
    assert told(about(position("1.2"), REMINDER, WARN, WARN)).severity is WARN


def test_it_names_a_subject_once_in_what_the_message_is_about() -> None:
    seen = view(position("1.05"))
    message = told(
        notice(RAISED, sighted(seen, HEALTH), CRITICAL, OK), notice(RESOLVED, sighted(seen, UNREADABLE), OK, CRITICAL)
    )
    assert message.about == (SUBJECT,)
    assert (message.chat, message.created_at) == ("alerts", NOW)


# --- Spans ------------------------------------------------------------------------------------------------------------


def styled(message: Message) -> list[tuple[Style, str, str]]:
    """The stretches that Telegram would style: offsets count UTF-16 units."""
    units = str(message.body).encode("utf-16-le")
    return [
        (span.style, units[2 * span.offset : 2 * (span.offset + span.length)].decode("utf-16-le"), span.url)
        for span in message.body.spans
    ]


def test_it_styles_the_name_the_numbers_what_to_do_and_the_link_and_nothing_else() -> None:
    labels = {MAIN: "🐋 whale"}
    message = told(about(position("1.05"), RAISED, CRITICAL, WARN), labels=labels, advice={SUBJECT: ADVICE})
    assert styled(message) == [
        (Style.BOLD, "CRITICAL, was WARNING", ""),
        (Style.CODE, "1.0500", ""),
        (Style.CODE, "$1,846.15", ""),
        (Style.BOLD, "to get back to 1.50", ""),
        (Style.CODE, "4102.564103", ""),
        (Style.CODE, "3.846154", ""),
        (Style.LINK, "block 21,034,551, 12 s old", f"https://etherscan.io/address/{MAIN}"),
    ]


def test_it_links_nowhere_without_an_explorer() -> None:
    elsewhere = replace(BLOCK, chain="local")
    message = told(about(position("1.05", block=elsewhere), RAISED, CRITICAL, WARN))
    assert Style.LINK not in [style for style, _, _ in styled(message)]
    assert "block 21,034,551, 12 s old" in str(message.body)


def test_it_does_not_age_a_block_below_nothing() -> None:
    ahead = replace(BLOCK, timestamp=NOW + 5)
    assert "block 21,034,551, 0 s old" in text(about(position("1.05", block=ahead), RAISED, CRITICAL, OK))


def test_it_says_once_that_a_position_is_closed_of_which_two_things_stood() -> None:
    gone, other = view(covered=(MAIN, COLD)), Key(Rule.HEALTH, f"{DEPLOYMENT}/{COLD}")
    message = told(*(notice(RESOLVED, sighted(gone, key), OK, CRITICAL) for key in (HEALTH, UNREADABLE, other)))
    assert str(message.body).count("CLOSED · main") == 1
    assert str(message.body).count("CLOSED · cold") == 1
    assert len(message.sections) == 3


def test_it_tells_once_why_many_positions_of_a_market_cannot_be_read_and_names_them_all() -> None:
    wallets = [Address(f"0x{number:040x}") for number in range(1, 11)]
    lost = [unreadable(wallet) for wallet in wallets] + [unreadable(MAIN, "another reason")]
    rules = RuleBook({one.id.wallet: Rules() for one in lost})
    sightings = assess(view(lost=tuple(lost), covered=()), rules, ())
    message = told(*(notice(RAISED, one, CRITICAL, OK) for one in sightings))
    body = str(message.body)
    assert body.count("reverted without a reason") == 1
    assert body.count(", for the same reason") == 9
    assert body.count("UNREADABLE · ") == len(message.sections) == 11
    assert {section.subject for section in message.sections} == {str(one.id) for one in lost}
