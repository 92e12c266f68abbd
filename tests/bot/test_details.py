"""What the Details of an alert show, by the conditions that it speaks of."""

from __future__ import annotations

from dataclasses import replace

from tests.bot.seen import LABELS, SPEC, ask, cases, snapshot, view
from watcher.alerts.record import Key, Rule
from watcher.alerts.sighting import feed_subject
from watcher.bot.details import IN_FULL, details
from watcher.bot.view import View
from watcher.domain.sequencer import Running, Sequencer


def about(*labels: str, rule: Rule = Rule.HEALTH) -> list[Key]:
    return [Key(rule, str(cases()[label].position.id)) for label in labels]


def shown(seen: View, *keys: Key) -> str:
    return str(details(seen, keys))


def test_it_shows_a_position_as_the_command_does() -> None:
    for rule in (Rule.HEALTH, Rule.DISTANCE, Rule.DROP, Rule.EVENT):
        assert shown(view(), *about("main", rule=rule)) == ask("/position main", view())
    both = about("main") + about("main", rule=Rule.DROP)
    assert shown(view(), *both) == ask("/position main", view())  # told once


def test_it_shows_the_worst_in_full_and_names_the_rest() -> None:
    told = shown(view(), *about(*LABELS.values())).split("\n\n")
    heads = [part.splitlines()[0] for part in told if " · Aave v3" in part]
    assert heads[:IN_FULL] == ["CRITICAL · main · Aave v3", "CRITICAL · desk · Aave v3", "WARNING · fund · Aave v3"]
    assert [line.split(" ", 1)[1] for line in told[-1].splitlines()] == [
        "staker · Aave v3",
        "cold storage · Aave v3",
        "cold wallet · Aave v3",
        "saver · Aave v3",
    ]


def test_it_says_why_a_position_could_not_be_read() -> None:
    told = shown(view(lost=["main"]), *about("main", rule=Rule.UNREADABLE))
    assert told.startswith("UNKNOWN · main · Aave v3\ngetUserAccountData on")


def test_it_tells_closed_from_not_seen() -> None:
    [key] = about("main")
    where = cases()["main"].position.id.deployment
    empty = replace(snapshot([]), covered=frozenset({(where, cases()["main"].position.id.wallet)}))
    closed = replace(view(), sights=(replace(view().sights[0], snapshot=empty),))
    assert shown(closed, key) == f"main · {where}: no position there now"
    unseen = replace(view(), sights=(replace(view().sights[0], snapshot=None),))
    assert shown(unseen, key) == f"main · {where}: not in what could be seen"


def test_it_shows_nothing_of_a_wallet_whose_alerts_the_chat_does_not_get() -> None:
    seen = view()
    theirs = replace(seen, wallets=tuple(one for one in seen.wallets if one.label != "main"))
    assert shown(theirs, *about("main")) == "Nothing of it can be seen any more."
    assert shown(view("main", lost=["main"]), *about("desk")) == "Nothing of it can be seen any more."


def test_it_shows_a_feed_with_its_answer_its_age_and_who_rests_on_it() -> None:
    [feed] = {reading.feed for reading in cases()["main"].position.feeds if reading.pair.startswith("WETH")}
    told = shown(view("main", "staker"), Key(Rule.STALE, feed_subject(SPEC.name, feed)))
    assert told == (
        "WETH / USD · Ethereum\n$2,000.00, 1 s / 1 h, fresh\nnext in 59 min\n"
        "under staker +0.0145\nunder main −0.0104\n\nEthereum: block 205, 12 s old"
    )
    assert shown(view(), Key(Rule.STALE, feed_subject("elsewhere", feed))) == "Nothing of it can be seen any more."


def test_it_shows_how_the_sequencer_of_a_chain_is() -> None:
    [sight] = view().sights
    assert sight.snapshot is not None
    down = Sequencer(state=Running.DOWN, since=view().now - 600)
    seen = replace(view(), sights=(replace(sight, snapshot=replace(sight.snapshot, sequencer=down)),))
    assert shown(seen, Key(Rule.SEQUENCER, SPEC.name)) == "Ethereum: block 205, 12 s old\nSEQUENCER DOWN for 10 min"
    assert shown(view(), Key(Rule.SEQUENCER, SPEC.name)) == "Ethereum: block 205, 12 s old"


def test_it_shows_since_when_a_chain_is_not_seen() -> None:
    blind = view(blind_since=view().now - 600)
    assert shown(blind, Key(Rule.BLIND, SPEC.name)) == "Ethereum: block 205, 12 s old, NOT CURRENT\nBLIND for 10 min"
