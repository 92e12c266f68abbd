"""What lies ahead of a position: what would liquidate it, and what would help, beside what its wallet has for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watcher.alerts import figures
from watcher.alerts.clean import clean
from watcher.alerts.message import Text, code
from watcher.domain.position import Check, Position, Repay, Scenario, State
from watcher.domain.source import Address
from watcher.risk.liquidation import LiquidationPrice
from watcher.risk.restore import Remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What was worked out for a position that is spoken of: the nearest liquidation prices, and what would help.

    `balances` are the wallet's, in base units by token; of a token that is absent it is not known. `unwrapped` are the
    coins that it could make such a token of. `step` is the most that can be done with the balances where neither pays
    for any remedy in full.
    """

    liquidations: tuple[LiquidationPrice, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    balances: Mapping[Address, int] = field(default_factory=dict)
    unwrapped: Mapping[Address, int] = field(default_factory=dict)
    step: Remedy | None = None

    @property
    def offered(self) -> tuple[Remedy, ...]:
        """The remedies that reach the target; where none does, what there is. Those that the wallet can pay first."""
        found = [remedy for remedy in self.remedies if remedy.enough] or self.remedies
        return tuple(sorted(found, key=lambda remedy: (not self.affordable(remedy), not self.in_reach(remedy))))

    def affordable(self, remedy: Remedy) -> bool:
        """Whether the wallet is known to have the whole amount."""
        return self.balances.get(remedy.asset.address, -1) >= remedy.action.amount

    def in_reach(self, remedy: Remedy) -> bool:
        """Whether it would have the whole amount if it wrapped its coins."""
        token = remedy.asset.address
        return self.balances.get(token, 0) + self.unwrapped.get(token, 0) >= remedy.action.amount

    @property
    def out_of_reach(self) -> bool:
        """Whether the wallet is known to have the whole amount of none of them."""
        known = all(remedy.asset.address in self.balances for remedy in self.offered)
        return known and not any(map(self.in_reach, self.offered))

    def has(self, remedy: Remedy) -> tuple[int | None, int]:
        """What the wallet has of a remedy's token, None where that is not known; and what it could wrap into it."""
        token = remedy.asset.address
        return self.balances.get(token), self.unwrapped.get(token, 0)


def ways_back(advice: Advice) -> list[Text]:
    """The remedies a line each, with what the wallet has of them, and what follows if that is not enough for any."""
    if not advice.offered:
        return []
    had = {remedy: advice.has(remedy) for remedy in advice.offered}
    alike = set(had.values()) in ({(None, 0)}, {(0, 0)})  # and one line says it for all
    rows = [_row(remedy, "" if alike else _has(remedy, *amounts)) for remedy, amounts in had.items()]
    if alike:
        return [*rows, _nothing(advice)]
    return [*rows, _in_part(advice)] if advice.out_of_reach else rows


def _row(remedy: Remedy, has: str) -> Text:
    verb = "repay" if isinstance(remedy.action, Repay) else "add"
    amount = code(figures.exact_amount_up(remedy.action.amount, remedy.asset.decimals))
    short = "" if remedy.enough else f"all of it, and still only {figures.health(remedy.health)}"
    rest = "; ".join(filter(None, (short, has)))
    return Text(f"· {verb} ") + amount + f" {clean(remedy.asset.symbol)}" + (f" ({rest})" if rest else "")


def _has(remedy: Remedy, balance: int | None, coins: int) -> str:
    if balance is None:
        words = "balance not known"
    else:
        words = f"has {figures.amount_down(balance, remedy.asset.decimals)}" if balance else "has none"
    return f"{words}, and {figures.amount_down(coins, remedy.asset.decimals)} unwrapped" if coins else words


def _nothing(advice: Advice) -> Text:
    """That nothing is there of any of them, or that none of it is known."""
    these = "these" if len(advice.offered) > 1 else "it"
    if advice.out_of_reach:
        return Text(f"The wallet has none of {these}.")
    return Text(f"What the wallet has of {these} is not known.")


def _in_part(advice: Advice) -> Text:
    """That nothing is there in full, and how far the best of it goes."""
    verdict = "None of these is" if len(advice.offered) > 1 else "It is not"
    return Text(f"{verdict} in the wallet in full") + (_step(advice.step) if advice.step else "") + "."


def _step(step: Remedy) -> Text:
    verb = "repaying" if isinstance(step.action, Repay) else "adding"
    amount = figures.amount_down(step.action.amount, step.asset.decimals)
    return Text(f"; {verb} its {amount} {clean(step.asset.symbol)} gives health ") + code(figures.health(step.health))


def cautions(position: Position) -> list[str]:
    """What to know of a position before its numbers are believed."""
    notes = [clean(note, 160) for note in position.notes]
    if position.state is State.LIQUIDATABLE_BUT_BLOCKED:
        notes.append("Liquidation is blocked for now (paused, grace period or sequencer), and can be freed any block.")
    if position.state is State.DEBT_WITHOUT_COLLATERAL:
        notes.append("There is debt without collateral.")
    if position.check is Check.UNCHECKED:
        notes.append("Not checked against the protocol's own view.")
    return [*notes, *foreseen(position)]


def foreseen(position: Position) -> list[str]:
    """The lower healths that the protocol has in store, the lowest first, each with when it comes."""
    worse = [one for one in position.scenarios if one.health.factor < position.health.factor]
    return [_foreseen(one, position) for one in sorted(worse, key=lambda one: one.health.factor)]


def _foreseen(scenario: Scenario, position: Position) -> str:
    left = scenario.at - position.at.timestamp if scenario.at is not None else None
    when = "" if left is None else f", in {figures.duration(left)}" if left > 0 else ", at any time now"
    dire = ": it can be liquidated then" if scenario.health.liquidatable else ""
    return f"{clean(scenario.what, 120)}{when}: health {figures.health(scenario.health.factor)}{dire}"
