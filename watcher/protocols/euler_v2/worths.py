"""What an amount is worth in a vault's unit of account: as its oracle answered, and as it would under other prices.

An oracle is asked for the worth of an amount, and cuts off below a unit at each step. So the worth of another amount,
or under other feeds, is not in proportion. Where the oracle is seen through (`watcher.oracles.euler`) its steps are
kept as a formula of the amount; where it is not, or where somebody says what the price is to be, it is in proportion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from eth_utils.crypto import keccak

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Asset
from watcher.domain.price import Expression, Fixed, Leaf, Price, Product, Rate, nodes, value_of
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.protocols.rounding import mul_div_down
from watcher.reads import Outcome
from watcher.reads.codec import checksummed

PLACES: Final = 18
"""Values are shown with so many decimals at least, lest a price lose digits in a unit of account that has few."""
_AMOUNT: Final = ZERO_ADDRESS
"""What the amount is called in a formula: no contract is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """The unit of account of a vault. `lift`: by how much values are multiplied for `PLACES` decimals to be shown."""

    address: Address
    symbol: str
    decimals: int

    @property
    def lift(self) -> int:
        return int(10 ** max(PLACES - self.decimals, 0))

    def whole(self, asset: Asset) -> int:
        """How much of an asset a price is of: one token, times the lift."""
        return int(10**asset.decimals) * self.lift


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What an account had of one thing when it was read, and what that was worth.

    `amount` of `asset`, for `shares` of a vault (of a debt the same); `value` and `edge` (what is bid for a collateral,
    or asked for a debt) in smallest units of the unit of account. `priced_as` names the price of one whole `asset`.
    `formula` is how the value comes of the amount; None where it is in proportion to that price, or as good as it gets.
    """

    asset: Asset
    priced_as: Address
    shares: int
    amount: int
    value: int
    edge: Outcome[int]
    formula: Expression | None = None

    def under(self, unit: Unit, read: Price, now: Price, amount: int) -> int:
        """What `amount` is worth at the price `now`, where `read` was the price when this was read."""
        as_read = now == read
        if as_read and amount == self.amount:
            return self.value
        told = as_read or now.low == value_of(now.expression)  # else somebody sets the price itself, feeds or not
        if self.formula is not None and told:
            return _evaluated(self.formula, read, now, amount)
        return in_proportion(unit, self.asset, now, amount)

    def edge_under(self, value: int) -> Outcome[int]:
        """What would be bid or asked where the middle is `value`: in proportion to when it was read."""
        if isinstance(self.edge, ReadFailed) or value == self.value or self.value == 0:
            return self.edge
        return mul_div_down(value, self.edge, self.value)


def in_proportion(unit: Unit, asset: Asset, price: Price, amount: int) -> int:
    """An amount at the price of one, cut off: what an adapter of one feed makes of it, to the unit."""
    return mul_div_down(amount, price.low, unit.whole(asset))


def price_key(lender: Address, token: Address) -> Address:
    """The name, in an address's form, of what `token` is worth to one vault: another has another oracle, or unit."""
    return checksummed(int.from_bytes(keccak(bytes.fromhex(lender[2:] + token[2:]))[-20:], "big"))


def amount_of(amount: int, asset: Asset) -> Rate:
    """The amount as a part of a formula, so that it can be another."""
    return Rate(source=_AMOUNT, what=f"so much {asset.symbol}", value=amount, decimals=asset.decimals)


def plainly_proportional(expression: Expression) -> bool:
    """Whether it is one feed or fixed rate, times powers of ten, with no digit of a price beyond what is shown."""
    if not isinstance(expression, Product):
        return isinstance(expression, Fixed)
    few = all(isinstance(part, Fixed) or _short(part) for part in expression.above)
    return few and len(expression.above) == 1 and not expression.below


def _short(part: Expression) -> bool:
    return isinstance(part, Leaf) and part.reading.decimals <= PLACES


def _evaluated(formula: Expression, read: Price, now: Price, amount: int) -> int:
    answers = {reading.feed: reading.answer for reading in now.feeds}
    return Price.of(formula).with_feeds({**answers, **_rates(formula, read, now), _AMOUNT: amount}).low


def _rates(formula: Expression, read: Price, now: Price) -> dict[Address, int]:
    """The rates in a formula are those of its own amount: one that moved does so in proportion."""
    pairs = zip(nodes(read.expression), nodes(now.expression), strict=True)
    moved = {
        old.source: (new.value, old.value) for old, new in pairs if isinstance(old, Rate) and isinstance(new, Rate)
    }
    return {
        node.source: mul_div_down(node.value, *moved[node.source])
        for node in nodes(formula)
        if isinstance(node, Rate) and node.source in moved and moved[node.source][1]
    }
