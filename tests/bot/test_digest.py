"""The digest: what cannot be seen first, then the worst, and never an all-clear that is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bot import seen
from tests.bot.seen import IDLE, SPEC, cases, held, snapshot, view
from tests.store.samples import point
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.message import Level, Message, Section, Text
from watcher.alerts.mute import Mute
from watcher.alerts.record import Key, Record, Rule
from watcher.alerts.rules import Rules
from watcher.bot.digest import digest
from watcher.bot.view import FOLLOWED, Misunderstood, Sight, View, view_of, with_last_day
from watcher.config import Chat, Settings
from watcher.config.daily import Daily
from watcher.domain.source import Address
from watcher.notify.split import split
from watcher.snapshot import Snapshot
from watcher.store import Store, StoreThread
from watcher.store.digests import DAY, LastDay
from watcher.store.history import keep_points

NOW = view().now
ME = Chat(name="me", id=5, digest=Daily(time(8), "Europe/Berlin"))
ALL_CLEAR = "no alert stands"


def told(of: View) -> str:
    return str(digest((), of))


def position(label: str) -> str:
    return str(cases()[label].position.id)


def record(rule: Rule, subject: str, level: Level, *, ago: int) -> Record:
    return Record(key=Key(rule, subject), level=level, episode=1, since=NOW - ago)


def alerting(of: View, *records: Record) -> View:
    return replace(of, records={one.key: one for one in records})


CRITICAL = record(Rule.HEALTH, position("main"), Level.CRITICAL, ago=7260)
NEAR = record(Rule.DISTANCE, position("main"), Level.WARN, ago=900)
LOST = record(Rule.UNREADABLE, position("fund"), Level.WARN, ago=3600)


def test_it_tells_all_that_stands_the_unknown_first_then_the_worst() -> None:
    shown = replace(
        alerting(view("saver", "main", "fund", "staker", lost=["fund"]), CRITICAL, NEAR, LOST),
        day_ago={position("main"): Decimal("1.0728"), position("staker"): Decimal("1.41")},
        last_day=LastDay(raised={Level.CRITICAL: 2, Level.WARN: 1}, ended=3),
        schedule=Daily(time(8), "Europe/Berlin"),
    )

    assert told(shown) == (
        "DIGEST, INCOMPLETE · Mon 19 Jan, 05:47\n\n"
        "4 wallets, 4 positions: 1 CRITICAL, 1 UNKNOWN\nhealth (since a day ago) · collateral / debt\n\n"
        "UNKNOWN · fund · Aave v3\n· unreadable for 1 h\n\n"
        "CRITICAL · main · Aave v3\n1.0416 (−0.0312) · $20,000.00 / $15,840.00\n"
        "· health CRITICAL for 2 h 1 min\n· distance to liquidation WARNING for 15 min\n\n"
        "staker · Aave v3\n1.4327 (+0.0227) · $55,404.07 / $36,735.32\n\n"
        "saver · Aave v3\n∞ · $28,852.36, no debt\n\n"
        "Ethereum: block 205, 12 s old\n· at least collateral $104,256.42, debt $52,575.32\n\n"
        "alerts in the last day: 2 CRITICAL, 1 WARNING, 3 ended\n\n"
        "next: Mon 19 Jan, 08:00 (Europe/Berlin)"
    )


def test_it_says_before_anything_else_which_chain_cannot_be_seen() -> None:
    base = Sight(spec=replace(SPEC, name="base", title="Base"))
    blind = replace(view("staker", blind_since=NOW - 7500), sights=(*view(blind_since=NOW - 7500).sights, base))
    lines = told(blind).splitlines()

    assert lines[:3] == [
        "DIGEST, INCOMPLETE",
        "Ethereum CANNOT BE SEEN for 2 h 5 min: what follows is older.",
        "Base HAS NOT BEEN SEEN: nothing is known of its positions.",
    ]
    assert "staker · Aave v3, NOT CURRENT" in lines
    assert "· then collateral $55,404.07, debt $36,735.32" in lines


def test_a_chain_that_stands_still_is_not_seen_though_no_alert_says_so_yet() -> None:
    assert "Ethereum CANNOT BE SEEN for 6 min" in told(view("staker", age=400))


def test_it_gives_an_all_clear_only_where_everything_is_seen_and_nothing_stands() -> None:
    well = view("staker", "saver")
    stale = replace(well, sights=(replace(well.sights[0], snapshot=_hours_later()),), now=NOW + 7200)
    assert ALL_CLEAR in told(well)
    for other in (
        view("staker", "main"),
        view("staker", "saver", lost=["saver"]),
        view("staker", "saver", blind_since=NOW),
        view("staker", "saver", age=400),
        replace(well, sights=(Sight(spec=SPEC),)),
        alerting(well, record(Rule.DROP, position("staker"), Level.WARN, ago=60)),
        stale,
    ):
        assert ALL_CLEAR not in told(other)


def test_it_names_the_prices_that_are_late_and_who_takes_care_of_them() -> None:
    late = replace(view("main"), sights=(replace(view().sights[0], snapshot=_hours_later("main")),), now=NOW + 7200)
    [weth, _] = cases()["main"].position.feeds
    key = Key(Rule.STALE, f"{SPEC.name}:{weth.feed}")
    seen = Acknowledgement(key=key, episode=1, level=Level.WARN, until=NOW + 9999)
    seen_to = replace(late, records={key: Record(key=key, level=Level.WARN, episode=1, since=NOW)}, acks={key: seen})

    assert "1 CRITICAL, 2 STALE PRICES\n" in told(late)
    assert "STALE PRICE · WETH / USD · Ethereum: 2 h / 1 h\n" in told(late)
    assert "STALE PRICE · WETH / USD · Ethereum: 2 h / 1 h, acknowledged" in told(seen_to)
    assert told(seen_to).count("WETH / USD") == 1


def _hours_later(*labels: str) -> Snapshot:
    before = snapshot(labels or ("staker", "saver"))
    block = replace(before.block, timestamp=before.block.timestamp + 7200)
    later = tuple(replace(one, position=replace(one.position, at=block)) for one in before.held)
    return replace(before, block=block, held=later)


def test_it_tells_what_is_acknowledged_snoozed_and_muted() -> None:
    desk = record(Rule.HEALTH, position("desk"), Level.CRITICAL, ago=300)
    acks = {
        CRITICAL.key: Acknowledgement(key=CRITICAL.key, episode=1, level=Level.CRITICAL, until=NOW + 60),
        desk.key: Acknowledgement(key=desk.key, episode=1, level=Level.CRITICAL, until=NOW + 7200, snooze=True),
        NEAR.key: Acknowledgement(key=NEAR.key, episode=1, level=Level.WARN, until=NOW),  # has run out
    }
    mutes = (
        Mute(chat="me", wallet=Address(cases()["saver"].position.id.wallet), level=Level.WARN, until=NOW + 3600),
        Mute(chat="me", wallet=None, level=Level.CRITICAL, until=NOW + 60),
        Mute(chat="me", wallet=None, level=Level.CRITICAL, until=NOW),
    )
    lines = told(replace(alerting(view(), CRITICAL, desk, NEAR), acks=acks, mutes=mutes)).splitlines()

    assert "· health CRITICAL for 2 h 1 min, acknowledged" in lines
    assert "· health CRITICAL for 5 min, snoozed for 2 h more" in lines
    assert "· distance to liquidation WARNING for 15 min" in lines
    assert [line for line in lines if line.startswith("muted")] == [
        "muted up to WARNING: saver, for 1 h more",
        "muted up to CRITICAL: everything, for 1 min more",
    ]


def test_it_leaves_no_alert_out_whose_position_is_not_there_to_show() -> None:
    gone = record(Rule.HEALTH, f"aave_x/{cases()['saver'].position.id.wallet}/0x/", Level.WARN, ago=60)
    theirs = record(Rule.HEALTH, f"aave_x/{Address('0x' + '1' * 40)}/0x/", Level.WARN, ago=60)

    assert "saver · aave_x\n· health WARNING for 1 min" in told(alerting(view("saver"), gone, theirs))
    assert told(alerting(view("saver"), gone, theirs)).count("aave_x") == 1


def test_it_tells_what_did_not_get_through() -> None:
    behind = replace(IDLE, pending=6, held=2, refused=1, oldest=NOW - 300)
    shown = told(replace(view(), backlog=behind, last_day=LastDay(lost=2), disabled={"desk": "Forbidden. See t.me/x"}))

    assert "alerts in the last day: none\n2 messages could not be delivered: see the log\n" in shown
    assert (
        "messages: 3 waiting, 2 held back, 1 for a chat that gets nothing\ndesk gets nothing: Forbidden. See t·me∕x"
        in shown
    )
    assert "The database cannot be read: see the log" in told(replace(view(), last_day=None))


def test_it_stays_short_with_many_positions_and_splits_as_any_message() -> None:
    one = view("main")
    many = tuple(held(cases()["main"]) for _ in range(FOLLOWED + 12))
    crowded = replace(one, sights=(replace(one.sights[0], snapshot=replace(snapshot(["main"]), held=many)),))
    shown = digest((), crowded)

    assert shown.text.count("CRITICAL · main") == FOLLOWED
    assert "… and 12 more" in shown.text
    assert "collateral $840,000.00" in shown.text
    assert len(split(shown, 4096)) == 1


async def test_it_is_given_the_health_of_a_day_ago_and_what_this_chat_was_told(tmp_path: Path) -> None:
    wallets = (seen.wallet("main"), replace(seen.wallet("desk"), chats=("other",)))
    settings = Settings(
        interval=12,
        state=tmp_path / "w.db",
        chains={SPEC.name: SPEC},
        deployments=(),
        wallets=wallets,
        rules=Rules(),
        telegram=None,
        chats={"me": ME},
    )
    store = StoreThread(Store.open(settings.state))
    raised = Section(
        rule="health", subject="x", severity=Level.WARN, level=Level.WARN, body=Text("x"), at=NOW, since=NOW, opens=True
    )
    await store.do(Store.commit, (), [Message.of("me", [raised], NOW - 60), Message.of("other", [raised], NOW - 60)])
    await store.do(keep_points, [point(position(label), NOW - DAY, "1.2") for label in ("main", "desk")])
    snapshots = {SPEC.name: snapshot(["main", "desk"])}
    plain = await view_of(ME, settings, snapshots, {}, store, started_at=0, now=NOW)
    assert plain.last_day is None
    shown = await with_last_day(plain, store)
    await store.close()

    assert shown.day_ago == {position("main"): Decimal("1.2")}
    assert shown.last_day == LastDay(raised={Level.WARN: 1})
    assert shown.schedule == ME.digest
    assert "1.0416 (−0.1584) · " in told(shown)


def test_it_is_asked_for_without_more_and_says_so_to_a_chat_without_wallets() -> None:
    with pytest.raises(Misunderstood, match="more than it takes"):
        digest(["main"], view())
    assert told(replace(view(), wallets=())) == "This chat gets the alerts of no wallet."
