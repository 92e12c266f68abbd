"""One account behind the accrual of every market that it has entered, and the contract's own view of it then.

The plain view goes by the last transaction in each market; so does a liquidation, but in the two markets that it
touches. Anybody may accrue the others first, so what counts is the view when all are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watcher.domain.errors import NotDecodable, ReadFailed
from watcher.domain.source import Address
from watcher.protocols.compound_v2 import calls, vai
from watcher.protocols.compound_v2.shared import accrual
from watcher.protocols.compound_v2.vai import Vai, vai_of
from watcher.reads import Bundle, Call, Outcome, Plan, sure


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What is there after accruing. `view` is the contract's own, or why it has none."""

    snapshots: Mapping[Address, calls.Snapshot]
    vai: Vai | None
    view: Outcome[calls.Liquidity]

    @property
    def nothing(self) -> bool:
        held = any(one.tokens or one.borrowed for one in self.snapshots.values())
        return not held and (self.vai is None or not self.vai.owed)

    @property
    def owes(self) -> bool:
        return any(one.borrowed for one in self.snapshots.values()) or (self.vai is not None and self.vai.owed > 0)


def settled(
    comptroller: Address, user: Address, entered: Sequence[Address], controller: Address | None
) -> Plan[Settled]:
    """`controller`: that of VAI, where there is one. Raises `ReadFailed` where a market cannot accrue.

    VAI that cannot accrue (its own price may fail) goes by its last index, as the comptroller does.
    """
    accruals: list[Call[Any]] = [calls.accrue(one) for one in entered]
    snapshots = [calls.snapshot(one, user) for one in entered]
    of_vai = [] if controller is None else [calls.accrue_vai(controller), *vai.reads(comptroller, controller, user)]
    bundle = Bundle((*accruals, *snapshots, *of_vai, calls.liquidity_of(comptroller, user)))
    answers = (yield [bundle]).bundle(bundle)
    for code, c_token in zip(answers, entered, strict=False):
        accrual(code, c_token)
    count = len(entered)
    told = dict(zip(entered, (_sound(one, c) for one, c in zip(answers[count:], entered, strict=False)), strict=True))
    minted = answers[2 * count + 1 : -1]
    return Settled(snapshots=told, vai=vai_of(*map(sure, minted)) if minted else None, view=answers[-1])


def _sound(answer: Outcome[calls.Snapshot], c_token: Address) -> calls.Snapshot:
    snapshot = sure(answer)
    if snapshot.error:
        raise NotDecodable(f"getAccountSnapshot of {c_token} ended with error {snapshot.error}")
    return snapshot


def view_of(found: Settled) -> calls.Liquidity | None:
    """The contract's view; None where it has none of somebody who owes nothing. Raises `ReadFailed` otherwise."""
    view = found.view
    if isinstance(view, ReadFailed) or view.error:
        if not found.owes:
            return None
        sure(view)
        raise NotDecodable(f"getAccountLiquidity ended with error {sure(view).error}")
    return view
