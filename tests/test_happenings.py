"""What is remembered between looks, where no chain is needed to show it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.alerts.samples import BLOCK, COLD, DEPLOYMENT, MAIN, later, position
from watcher.alerts import moves
from watcher.alerts.beside import sight_event
from watcher.alerts.happened import Happened, What
from watcher.alerts.message import Level
from watcher.alerts.rules import Rules
from watcher.alerts.sighting import View
from watcher.domain.position import Position, Term
from watcher.domain.source import Address
from watcher.happenings import Baseline
from watcher.snapshot import Held, Snapshot
from watcher.store.seen import LastSeen


def seen(wallet: Address, *positions: Position, blocks: int = 0) -> LastSeen:
    return LastSeen(deployment=DEPLOYMENT, wallet=wallet, block=later(BLOCK, blocks), positions=positions)


BEFORE = position("1.25")
AFTER = position("1.5")
THEIRS = position("2", wallet=COLD)


def test_it_believes_what_a_look_kept_that_was_cut_off_before_it_knew() -> None:
    """Else a reload in the middle of a commit would tell the same event again."""
    known = Baseline.kept([seen(MAIN, BEFORE), seen(COLD, THEIRS)])
    recalled = known.recalling([seen(MAIN, AFTER, blocks=1), seen(COLD, THEIRS)])
    assert recalled.held == {str(AFTER.id): AFTER, str(THEIRS.id): THEIRS}
    assert recalled.block == later(BLOCK)
    assert known.recalling([seen(MAIN, AFTER), seen(COLD)]) is known


def test_it_recalls_that_a_position_was_gone_by_then() -> None:
    known = Baseline.kept([seen(MAIN, BEFORE), seen(COLD, THEIRS)])
    assert known.recalling([seen(MAIN, blocks=1)]).held == {str(THEIRS.id): THEIRS}


def test_it_forgets_all_but_what_is_watched() -> None:
    known = Baseline.kept([seen(MAIN, BEFORE), seen(COLD, THEIRS)]).only({(DEPLOYMENT, COLD)})
    assert known.held == {str(THEIRS.id): THEIRS}
    assert known.covered == {(DEPLOYMENT, COLD)}


# --- Terms ------------------------------------------------------------------------------------------------------------


def ruled(health: str, *terms: tuple[str, str], blocks: int = 0, moving: str = "") -> Snapshot:
    """A look at one position under these rules of WETH, and with a rate that moves by itself."""
    rules = tuple(Term(what=what, of="WETH", value=value) for what, value in terms)
    rates = (Term(what="borrow rate", of="USDC", value=moving, set_by_rule=False),) if moving else ()
    there = replace(position(health, block=later(BLOCK, blocks)), terms=rules + rates)
    held = Held(position=there, reader=NOBODY, market=None, account="the same")
    return Snapshot(
        block=there.at,
        endpoint="one",
        held=(held,),
        unreadable=(),
        covered=frozenset({(DEPLOYMENT, MAIN)}),
        asked=frozenset(),
        rounds=1,
    )


NOBODY: Any = None
OPEN = (("liquidation threshold", "80 %"), ("status", "active"))
LOWER = (("liquidation threshold", "78 %"), ("status", "active"))


def test_it_tells_once_that_a_threshold_was_lowered_with_the_health_before_and_after() -> None:
    first = ruled("1.25", *OPEN, moving="3 %")
    baseline, [event] = Baseline.of(first).then(ruled("1.22", *LOWER, moving="4 %", blocks=1))
    assert event.what is What.TERMS
    assert [(was.value, now.value) for was, now in event.terms] == [("80 %", "78 %")]
    assert (event.before, event.position.health.factor) == (Decimal("1.25"), Decimal("1.22"))
    assert baseline.then(ruled("1.22", *LOWER, moving="5 %", blocks=2))[1] == []


def test_it_tells_no_terms_that_are_new_or_gone_with_an_asset() -> None:
    wider = (*OPEN, ("supply cap", "5"))
    assert Baseline.of(ruled("1.25", *OPEN)).then(ruled("1.25", *wider, blocks=1))[1] == []
    assert Baseline.of(ruled("1.25", *wider)).then(ruled("1.25", *OPEN, blocks=1))[1] == []


def test_it_takes_changed_terms_back_with_their_block_and_tells_them_no_second_time() -> None:
    told, _ = Baseline.of(ruled("1.25", *OPEN)).then(ruled("1.22", *LOWER, blocks=1))
    orphan = {later(BLOCK, 1).hash}
    assert told.then(ruled("1.22", *LOWER, blocks=2), orphans=orphan)[1] == []
    _, [undone] = told.then(ruled("1.25", *OPEN, blocks=2), orphans=orphan)
    assert (undone.what, undone.undone) == (What.TERMS, True)


def test_it_knows_terms_over_a_restart() -> None:
    before = ruled("1.25", *OPEN).positions[0]
    kept = Baseline.kept([seen(MAIN, before)])
    _, events = kept.then(ruled("1.25", *LOWER, blocks=1))
    assert [event.what for event in events] == [What.TERMS]


@pytest.mark.parametrize(
    ("health", "level"),
    [("1.6", Level.WARN), ("1.05", Level.CRITICAL), ("0.9", Level.LIQUIDATABLE), (None, Level.OK)],
)
def test_it_is_as_urgent_as_what_is_left_of_health(health: str | None, level: Level) -> None:
    now = position(health)
    pair = (Term(what="status", of="WETH", value="active"), Term(what="status", of="WETH", value="frozen"))
    event = Happened(what=What.TERMS, position=now, changes=(), before=Decimal(2), terms=(pair,))
    view = View(block=BLOCK, positions=(now,), unreadable=(), covered=frozenset())
    sighting = sight_event(event, Rules(), view)
    assert sighting is not None
    assert sighting.firing is level
    assert sight_event(event, Rules(terms=False), view) is None
    told = [str(line) for line in moves.event(event)]
    assert told[0] == "status of WETH: active → frozen"
    assert told[-1].endswith("(terms)")
