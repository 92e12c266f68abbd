"""What is remembered between looks, where no chain is needed to show it."""

from __future__ import annotations

from tests.alerts.samples import BLOCK, COLD, DEPLOYMENT, MAIN, later, position
from watcher.domain.position import Position
from watcher.domain.source import Address
from watcher.happenings import Baseline
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
