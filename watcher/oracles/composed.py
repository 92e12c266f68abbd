"""Sources that multiply and divide what others answer, and cut off once: most wrappers are nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from watcher.domain.price import Expression, Product
from watcher.domain.source import Address
from watcher.oracles.rates import Told
from watcher.oracles.shape import Under
from watcher.reads import Plan, sure, together

Part: TypeAlias = Address | Told
"""Another source, or a rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """`times × Π above ÷ (over × Π below)`; see `Product`. Dividing in several steps cuts off the same as in one."""

    source: Address
    what: str
    above: tuple[Part, ...] = ()
    below: tuple[Part, ...] = ()
    times: int = 1
    over: int = 1
    positive: bool = False

    def expression(self, under: Under) -> Plan[Expression]:
        """Its parts at this block, in one round with each other. Raises the failure of any."""
        return (yield from self.product(under))

    def product(self, under: Under) -> Plan[Product]:
        """The same, for a shape that looks at the parts."""
        plans: list[Plan[Any]] = [_read(part, under) for part in (*self.above, *self.below)]
        found = yield from together(plans)
        parts: tuple[Expression, ...] = tuple(sure(one) for one in found)
        return Product(
            above=parts[: len(self.above)],
            below=parts[len(self.above) :],
            times=self.times,
            over=self.over,
            source=self.source,
            what=self.what,
            positive=self.positive,
        )


def _read(part: Part, under: Under) -> Plan[Any]:
    return part.rate() if isinstance(part, Told) else under.part(part)
