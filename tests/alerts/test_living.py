"""The words of a living message: each alert under the headline that it was told under, and how it is now."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.alerts.samples import COLD, DEPLOYMENT, MAIN, NOW, position, view
from tests.alerts.telling import (
    ADVICE,
    CRITICAL,
    HEALTH,
    OK,
    RAISED,
    RESOLVED,
    SUBJECT,
    UNREADABLE,
    WARN,
    about,
    lines,
    notice,
    sighted,
    told,
)
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.incident import Incident, opened_by
from watcher.alerts.living import Now, noticed, recomposed, trend
from watcher.alerts.message import Level, utf16_length
from watcher.alerts.record import Key, Record, Rule
from watcher.alerts.summing import NAMED, summed
from watcher.alerts.words import Telling
from watcher.domain.source import Address

COLD_HEALTH = Key(Rule.HEALTH, f"{DEPLOYMENT}/{COLD}")
LATER = NOW + 1500


def incident(*, left: bool = False) -> Incident:
    """Two alerts, and an all-clear, in one message."""
    message = told(
        about(position("1.0832"), RAISED, CRITICAL, OK),
        about(position("1.2", wallet=COLD), RAISED, WARN, OK),
        notice(RESOLVED, sighted(view(position("1.0832")), UNREADABLE), OK, CRITICAL),
    )
    members = tuple(replace(one, left=left and one.key == COLD_HEALTH) for one in opened_by(message.sections))
    return Incident(
        id=1,
        chat="me",
        external_id="7",
        members=members,
        body=message.body,
        opened_at=NOW,
        edited_at=NOW,
        sections=message.sections,
    )


def now(main: tuple[str, Level], cold: tuple[str, Level], *acks: Acknowledgement) -> Now:
    seen = {
        HEALTH: sighted(view(position(main[0])), HEALTH),
        COLD_HEALTH: sighted(view(position(cold[0], wallet=COLD)), COLD_HEALTH),
    }
    levels = {HEALTH: main[1], COLD_HEALTH: cold[1]}
    records = {key: Record(key=key, level=level, episode=1) for key, level in levels.items()}
    telling = Telling(
        labels={MAIN: "main", COLD: "cold"},
        chains={},
        explorers={},
        advice={SUBJECT: ADVICE},
        markets={DEPLOYMENT: "Aave v3 Ethereum"},
        now=LATER,
    )
    return Now(
        now=LATER,
        records=records,
        notices={key: noticed(records[key], sighting) for key, sighting in seen.items()},
        acks={ack.key: ack for ack in acks},
        telling=telling,
        clock=lambda moment: f"{(moment - NOW) // 60} min past",
        person=lambda user: f"user {user}",
    )


def ack(key: Key, **changes: object) -> Acknowledgement:
    said = Acknowledgement(key=key, episode=1, level=CRITICAL, until=LATER + 3600, by=5, at=LATER)
    return replace(said, **changes)  # type: ignore[arg-type]


def test_it_keeps_the_headline_and_the_way_out_and_says_where_health_went() -> None:
    first, *_ = str(recomposed(incident(), now(("1.0711", CRITICAL), ("1.2", WARN)))).split("\n\n")
    assert first == lines(
        """
        CRITICAL · main · Aave v3 Ethereum
        health 1.0711 ↘ < 1.10 (critical)
        liquidation at WETH $1,846.15 (−7.6 %)
        to get back to 1.50, one of:
        · repay 4102.564103 USDC (has 5,000)
        · add 3.846154 WETH (has 2.4)
        collateral $20,000.00 (10 WETH)
        debt $14,937.91 (14,937.914 USDC)
        price USDC / USD: 11 h 6 min old, heartbeat 24 h
        block 21,034,551, 25 min old
        Raised 25 min ago at health 1.0832.
        """
    )


def test_it_says_what_has_eased_what_is_over_and_what_was_beside_it() -> None:
    main, cold, other = str(recomposed(incident(), now(("1.2", WARN), ("1.5", OK)))).split("\n\n")
    assert main.splitlines()[:2] == [
        "CRITICAL · main · Aave v3 Ethereum · now WARNING",
        "health 1.2000 ↗ < 1.30 (warn)",
    ]
    assert cold == "WARNING · cold · Aave v3 Ethereum\nIt is over."
    assert other.splitlines()[0] == "READABLE AGAIN · main · Aave v3 Ethereum"
    assert other.splitlines()[-1] == "As it was 25 min before this."


def test_it_begins_with_that_nothing_stands_any_more() -> None:
    over = now(("2", OK), ("2", OK))
    assert str(recomposed(incident(), over)).startswith("OVER\n\nCRITICAL · main")
    assert str(recomposed(incident(left=True), over)).startswith("OVER: the rest is told again below\n\n")
    assert over.is_over(incident())
    assert not now(("2", OK), ("1.2", WARN)).is_over(incident())


def test_it_has_each_member_in_a_line_where_there_is_no_more_room() -> None:
    brief = str(recomposed(incident(left=True), now(("1.2", WARN), ("1.04", CRITICAL)), brief=True))
    assert brief.splitlines()[-2:] == [
        "CRITICAL · main · Aave v3 Ethereum · health 1.2000 ↗, now WARNING",
        "WARNING · cold · Aave v3 Ethereum · It got worse, and is told again below.",
    ]


def test_it_says_once_who_takes_care_of_all_and_else_under_each() -> None:
    both = now(("1.07", CRITICAL), ("1.2", WARN), ack(HEALTH), ack(COLD_HEALTH))
    assert str(recomposed(incident(), both)).count("Acknowledged by user 5 at 25 min past.") == 1
    assert str(recomposed(incident(), both)).endswith("\n\nAcknowledged by user 5 at 25 min past.")
    assert both.handled(incident().members)
    one = now(("1.07", CRITICAL), ("1.2", WARN), ack(COLD_HEALTH, snooze=True))
    main, cold, _ = str(recomposed(incident(), one)).split("\n\n")
    assert "user 5" not in main
    assert cold.endswith("\nSnoozed by user 5 until 85 min past.")
    assert not one.handled(incident().members)


@pytest.mark.parametrize(
    ("was", "is_now", "arrow"),
    [("1.08", "1.09", " ↗"), ("1.09", "1.08", " ↘"), ("1.08321", "1.08329", " →"), (None, "1", ""), ("1", None, "")],
)
def test_it_points_where_health_went_as_far_as_people_can_see(was: str | None, is_now: str | None, arrow: str) -> None:
    assert trend((was and Decimal(was)) or None, (is_now and Decimal(is_now)) or None) == arrow


def crowd(count: int) -> tuple[Incident, Now]:
    """So many wallets that were critical; by now the first is over, and the last is seen no more."""
    wallets = [Address(f"0x{number:040x}") for number in range(1, count + 1)]
    found = [position(f"1.0{number:02d}", wallet=wallet) for number, wallet in enumerate(wallets)]
    message = told(*(about(one, RAISED, CRITICAL, OK) for one in found))
    members = opened_by(message.sections)
    told_of = replace(incident(), members=members, sections=message.sections, body=message.body)
    keys = [Key(Rule.HEALTH, f"{DEPLOYMENT}/{wallet}") for wallet in wallets]
    records = {key: Record(key=key, level=WARN if place % 2 else CRITICAL, episode=1) for place, key in enumerate(keys)}
    records[keys[0]] = replace(records[keys[0]], level=OK)
    seen = view(*(replace(one, at=replace(one.at, number=one.at.number + 9)) for one in found[:-1]))
    notices = {key: noticed(records[key], sighted(seen, key)) for key in keys[:-1]}
    base = now(("1.2", WARN), ("1.2", WARN))
    acks = {keys[2]: ack(keys[2])}
    return told_of, replace(base, records=records, notices=notices, acks=acks)


def test_it_sums_up_what_has_no_room_even_in_a_line_each() -> None:
    told_of, by_now = crowd(64)
    text = summed(told_of, by_now, in_full=1)
    count, full, brief, cared = str(text).split("\n\n")
    assert count.splitlines()[:2] == [
        "64 ALERTS, raised 25 min ago",
        "now: 31 critical, 31 warning, 1 not seen, 1 over",
    ]
    assert full.splitlines()[:2] == [
        "CRITICAL · 0x0000…0003 · Aave v3 Ethereum",
        "health 1.0020 → < 1.10 (critical)",
    ]
    assert brief.splitlines()[0] == "CRITICAL · 0x0000…0005 · Aave v3 Ethereum · health 1.0040 →"
    assert len(brief.splitlines()) == NAMED - 1 + 1
    assert brief.splitlines()[-1] == "and 47 more"
    assert cared == "Acknowledged or snoozed: 1 of 62."


def test_it_has_room_for_a_sum_however_many_there_are() -> None:
    assert utf16_length(str(summed(*crowd(99), in_full=0))) < 2000
