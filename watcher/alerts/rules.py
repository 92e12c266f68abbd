"""What the user asked to be told, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from watcher.alerts.message import Level
from watcher.alerts.record import Rule
from watcher.domain.position import PositionId
from watcher.domain.source import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Limits for one wallet. Health limits are factors (liquidation at 1); times in seconds.

    A level fires below its limit and eases only above `limit × (1 + clear)`, seen in `good_reads` confirmed snapshots
    in a row. `target` is the health that repay and top-up amounts aim at. `remind` repeats a standing alert.
    The distance limits are relative moves of a price to where it liquidates; `drop` is a relative fall of health
    `drop_within` so many seconds. Those that are None are not watched. `unknown_age`: tell where a debt rests on prices
    of which nobody can say how old they are.
    """

    warn: Decimal = Decimal("1.30")
    critical: Decimal = Decimal("1.10")
    target: Decimal = Decimal("1.50")
    clear: Decimal = Decimal("0.02")
    good_reads: int = 2
    remind: int = 4 * 3600
    stale: bool = True
    suspect: bool = True
    unknown_age: bool = False
    unreadable: bool = True
    distance_warn: Decimal | None = None
    distance_critical: Decimal | None = None
    drop: Decimal | None = None
    drop_within: int = 30 * 60
    events: bool = False
    liquidated: bool = True
    terms: bool = True

    @property
    def watches_distance(self) -> bool:
        return self.distance_warn is not None or self.distance_critical is not None

    def watches(self, rule: Rule) -> bool:
        """Whether such a condition is told of; health and blindness always are."""
        wanted = {
            Rule.DISTANCE: self.watches_distance,
            Rule.DROP: self.drop is not None,
            Rule.STALE: self.stale,
            Rule.SUSPECT: self.suspect,
            Rule.UNKNOWN_AGE: self.unknown_age,
            Rule.UNREADABLE: self.unreadable,
        }
        return wanted.get(rule, True)

    def near(self, distance: Fraction | None) -> tuple[Level, Level]:
        """What a relative move raises that liquidates, and what it is not yet clear of. None: no move does."""
        if distance is None:
            return Level.OK, Level.OK
        return self._near(distance, Fraction(1)), self._near(distance, 1 + Fraction(self.clear))

    def _near(self, distance: Fraction, scale: Fraction) -> Level:
        limits = ((Level.CRITICAL, self.distance_critical), (Level.WARN, self.distance_warn))
        raised = (level for level, limit in limits if limit is not None and abs(distance) < Fraction(limit) * scale)
        return next(raised, Level.OK)

    def firing(self, factor: Decimal, *, liquidatable: bool) -> Level:
        """The level that this health factor raises."""
        if liquidatable:
            return Level.LIQUIDATABLE
        return self._level(factor, Decimal(1))

    def holding(self, factor: Decimal, *, liquidatable: bool) -> Level:
        """The level that this health factor is not yet clear of; never below `firing`."""
        if liquidatable or factor < 1 + self.clear:
            return Level.LIQUIDATABLE
        return self._level(factor, 1 + self.clear)

    def _level(self, factor: Decimal, scale: Decimal) -> Level:
        if factor < self.critical * scale:
            return Level.CRITICAL
        return Level.WARN if factor < self.warn * scale else Level.OK

    def limit(self, level: Level) -> Decimal:
        """The health below which `level` fires."""
        return {Level.LIQUIDATABLE: Decimal(1), Level.CRITICAL: self.critical, Level.WARN: self.warn}[level]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Whose rules hold where: those of each wallet, and of the (wallet, deployment) pairs that have their own."""

    wallets: Mapping[Address, Rules]
    places: Mapping[tuple[Address, str], Rules] = field(default_factory=dict)

    def at(self, wallet: Address, deployment: str) -> Rules:
        return self.places.get((wallet, deployment)) or self.wallets[wallet]

    def of(self, position: PositionId) -> Rules:
        return self.at(position.wallet, position.deployment)

    def watches(self, rule: Rule) -> bool:
        """Whether anybody anywhere wants to hear of such a condition."""
        return any(rules.watches(rule) for rules in (*self.wallets.values(), *self.places.values()))
