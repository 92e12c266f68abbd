"""What the user asked to be told, and when."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from watcher.alerts.message import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Limits for one wallet. Health limits are factors (liquidation at 1); times in seconds.

    A level fires below its limit and eases only above `limit × (1 + clear)`, seen in `good_reads` confirmed snapshots
    in a row. `target` is the health that repay and top-up amounts aim at. `remind` repeats a standing alert.
    """

    warn: Decimal = Decimal("1.30")
    critical: Decimal = Decimal("1.10")
    target: Decimal = Decimal("1.50")
    clear: Decimal = Decimal("0.02")
    good_reads: int = 2
    remind: int = 4 * 3600
    stale: bool = True
    unreadable: bool = True

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
