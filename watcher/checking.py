"""Our numbers beside the protocol's own view of the same holder at the same block."""

from __future__ import annotations

from dataclasses import replace

from watcher.domain.health import Health
from watcher.domain.position import Check, Position, State, Verdict


def checked(position: Position, verdict: Verdict | None) -> Position:
    """The position beside the protocol's own view. Where they differ the protocol's numbers count, and it is said."""
    if verdict is None:
        return position
    if verdict.agrees_with(position) and position.legs_explain_health:
        return replace(position, check=Check.VERIFIED)
    health = verdict.health or _contradicted(position.health, liquidatable=verdict.liquidatable)
    return replace(
        position,
        health=health,
        collateral=position.collateral if verdict.collateral is None else verdict.collateral,
        debt=position.debt if verdict.debt is None else verdict.debt,
        state=_state(health, position.state),
        check=Check.MISMATCH,
        notes=(*position.notes, _NUMBERS_DIFFER if verdict.health else _VERDICTS_DIFFER),
    )


_NUMBERS_DIFFER = "our formula and the contract differ: the contract's numbers are shown"
_VERDICTS_DIFFER = "our formula and the contract differ on whether it can be liquidated: the worse of the two is shown"


def _contradicted(ours: Health, *, liquidatable: bool) -> Health:
    """Our health, where the contract tells no number but only that it would liquidate: then at the edge of it."""
    if liquidatable == ours.liquidatable or not liquidatable:
        return ours
    return replace(ours, backing=ours.required - (0 if ours.inclusive else 1))


def _state(health: Health, ours: State) -> State:
    if health.required == 0:
        return State.NO_DEBT
    if not health.liquidatable:
        return State.HEALTHY
    return ours if ours in (State.LIQUIDATABLE_BUT_BLOCKED, State.DEBT_WITHOUT_COLLATERAL) else State.LIQUIDATABLE
