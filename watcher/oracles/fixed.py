"""Prices that nobody publishes: constants, and numbers that governance sets.

They cannot go stale, so what only looks like one must not pass for one. Each kind names the getter of its constant,
which has to be what it answers; SparkLend's, with no more than `price()`, must answer to nothing else besides.

Source: aave-dao/aave-price-feeds @ 76a1e328, src/contracts/misc-adapters (FixedPriceAdapter, OneUSDFixedAdapter,
RepFixedPriceAdapter); aave/gho-core @ 605e15af, GhoOracle.sol; sparkdotfi/sparklend-advanced @ e2ba58d0,
FixedPriceOracle.sol.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Expression, Fixed
from watcher.domain.source import Address
from watcher.oracles.round import aggregator_of, description_of, latest_answer, latest_round
from watcher.oracles.shape import Kind, Shape, Under, Unseen
from watcher.reads import Call, Plan
from watcher.reads.abi import Function, interface

_AAVE, _BGD, _SPARK = (interface(name) for name in ("aave_price_feeds", "cl_synchronicity", "sparklend_oracles"))
_price = _AAVE.function("price", int)
_managed_by = _AAVE.function("ACL_MANAGER", Address)
_places = _AAVE.function("DECIMALS", int)
_spark_price = _SPARK.function("price", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """What `told` says, which is also what it answers."""

    address: Address
    told: Call[int]
    why: str

    def expression(self, under: Under) -> Plan[Expression]:
        """Raises `Unseen` where it answers anything else than the number that it says to be fixed at."""
        answer = latest_answer(self.address)
        got = yield [self.told, answer]
        if got[self.told] != got[answer]:
            raise Unseen(f"{self.address} says {got[self.told]} and answers {got[answer]}")
        return Fixed(got[answer], self.why)


def _as_pinned(getter: Function[int], why: str) -> Callable[..., Plan[Shape | None]]:
    def shape(source: Address, *_: object) -> Plan[Shape | None]:
        yield []
        return Pinned(address=source, told=getter(source), why=why)

    return shape


def _bare(source: Address, *_: object) -> Plan[Shape | None]:
    """SparkLend's: whatever has more to say than a fixed price may have a price that moves.

    One that answers `price()` and nothing else is an oracle of Morpho's, and no constant.
    """
    talk: list[Call[Any]] = [latest_round(source), description_of(source), aggregator_of(source)]
    talk += [one(source) for one in (_SPARK.function("source", Address), _SPARK.function("ethSource", Address))]
    answer = latest_answer(source)
    got = yield [*talk, answer]
    talks = any(not isinstance(got.outcome(one), ReadFailed) for one in talk)
    if talks or isinstance(got.outcome(answer), ReadFailed):
        return None
    return Pinned(address=source, told=_spark_price(source), why="immutable")


def _constant(name: str, getter: Function[int], *others: Function[Any]) -> Kind:
    return Kind(name, (getter, *others), _as_pinned(getter, "a constant of its contract"))


KINDS: Final = (
    _constant("GHO at 1 USD", _AAVE.function("GHO_PRICE", int)),
    _constant("one USD", _AAVE.function("ONE_USD", int)),
    _constant("REP", _BGD.function("PRICE", int), _BGD.function("DESCRIPTION", str), _places),
    Kind("fixed price", (_price, _managed_by, _places), _as_pinned(_price, "set by governance")),
    Kind("SparkLend's fixed price", (_spark_price,), _bare),
)
