"""Venus: a price from up to three oracles, main, pivot and spare, held against one another within bounds.

The ResilientOracle uses the main price if the pivot bears it out (or there is no pivot), else the spare one if the
pivot bears that out, else the main price if the spare one bears it out; else it reverts. A role that reverts counts
as 0. We ask all three for their prices, choose by the same rules, and explain each.

All prices have 36 - decimals of the token places. Source: VenusProtocol/oracle v2.16.0, contracts/ResilientOracle.sol
and contracts/oracles/BoundValidator.sol. Its `spare` is called fallback there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Chosen, Expression, Price
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.by_token import Asking, TokenKind, TokenShape, underlying_of
from watcher.oracles.shape import FeedBook, Unseen
from watcher.oracles.venus_sources import SOURCES
from watcher.reads import Outcome, Plan, together
from watcher.reads.abi import interface

MAIN, PIVOT, SPARE = "main", "pivot", "fallback"
_UNIT: Final = 10**18


@dataclass(frozen=True, slots=True)
class Config:
    """`getTokenConfig`: zero addresses where there is no oracle."""

    asset: Address
    main: Address
    pivot: Address
    spare: Address
    main_enabled: bool
    pivot_enabled: bool
    spare_enabled: bool

    @property
    def oracles(self) -> Mapping[str, Address]:
        """Those that are asked, by their role."""
        roles = {
            MAIN: (self.main, self.main_enabled),
            PIVOT: (self.pivot, self.pivot_enabled),
            SPARE: (self.spare, self.spare_enabled),
        }
        return {role: oracle for role, (oracle, on) in roles.items() if on and oracle != ZERO_ADDRESS}


@dataclass(frozen=True, slots=True)
class Bounds:
    """`validateConfigs`: between what ratios, in units of 1e18, an anchor may stand to a price. 0: not configured."""

    asset: Address
    upper: int
    lower: int

    def allow(self, reported: int, anchor: int) -> bool:
        """`validatePriceWithAnchorPrice`. Raises `Unseen` where the contract reverts."""
        if self.upper == 0:
            raise Unseen("no bounds are configured to hold its prices against one another, and it reverts")
        return reported != 0 and self.lower <= anchor * _UNIT // reported <= self.upper


_RESILIENT: Final = interface("venus_resilient_oracle")
_config_of = _RESILIENT.function("getTokenConfig", Config)
_validator_of = _RESILIENT.function("boundValidator", Address)
_native_market_of = _RESILIENT.function("nativeMarket", Address)
_native_token_of = _RESILIENT.function("NATIVE_TOKEN_ADDR", Address)
_vai_of = _RESILIENT.function("vai", Address)
_price_of = _RESILIENT.function("getPrice", int, gas=300_000)
_bounds_of = interface("venus_bound_validator").function("validateConfigs", Bounds)


def venus_price(oracle: Address, token: Address, value: int, book: FeedBook) -> Plan[Price]:
    """The price `value`, which a ResilientOracle answers for a token, as an expression over the feeds behind it.

    `value` has 36 - decimals of the token places. `Opaque`, with the reason, where it cannot be explained.
    """
    return Price.of((yield from _asking(book).explained(oracle, token, value)), source=oracle)


def venus_expression(oracle: Address, token: Address, book: FeedBook) -> Plan[Expression]:
    """The same for what it answers now. Raises `CallReverted` or `NotDecodable` where it has no price."""
    return (yield from _asking(book).price(oracle, token))


def venus_asset(oracle: Address, v_token: Address) -> Plan[Address]:
    """The token that `getUnderlyingPrice` prices for a market: the native marker and VAI have markets of their own."""
    native, coin, vai, under = (
        _native_market_of(oracle),
        _native_token_of(oracle),
        _vai_of(oracle),
        underlying_of(v_token),
    )
    got = yield [native, coin, vai, under]
    if v_token == got[native]:
        return got[coin]
    return v_token if v_token == got[vai] else got[under]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resilient:
    """One token's roles at one ResilientOracle."""

    oracle: Address
    token: Address
    oracles: Mapping[str, Address]
    bounds: Bounds

    def expression(self, asking: Asking) -> Plan[Expression]:
        """The price that it chooses, with the others beside."""
        asks = {role: asking.price_of(oracle, self.token) for role, oracle in self.oracles.items()}
        got = yield list(asks.values())
        answers: dict[str, Outcome[int]] = {role: got.outcome(ask) for role, ask in asks.items()}
        prices = {role: 0 if isinstance(answer, ReadFailed) else answer for role, answer in answers.items()}
        role, borne_out = chosen(prices, self.bounds)
        seen = [one for one, price in prices.items() if price]
        plans = [asking.explained(self.oracles[one], self.token, prices[one]) for one in seen]
        explained: list[Outcome[Expression]] = yield from together(plans)
        found = {one: part for one, part in zip(seen, explained, strict=True) if not isinstance(part, ReadFailed)}
        used = found.pop(role)
        return Chosen(of=used, others=tuple(found.values()), source=self.oracle, what=f"{role} price, {borne_out}")


def chosen(prices: Mapping[str, int], bounds: Bounds) -> tuple[str, str]:
    """The role whose price is used, and what bears it out. `prices` are those of the roles that are asked, 0: none.

    Raises `Unseen` where the contract reverts.
    """
    main, pivot, spare = (prices.get(role, 0) for role in (MAIN, PIVOT, SPARE))
    if PIVOT not in prices and main:
        return MAIN, "held against no other"
    if pivot and MAIN in prices and bounds.allow(main, pivot):
        return MAIN, f"borne out by the {PIVOT}"
    if pivot and SPARE in prices and bounds.allow(spare, pivot):
        return SPARE, f"borne out by the {PIVOT}"
    if main and spare and bounds.allow(main, spare):
        return MAIN, f"borne out by the {SPARE}"
    raise Unseen(f"none of its prices bears out another: {dict(prices)}")


def _resilient(oracle: Address, token: Address, validator: Address, config: Config) -> Plan[TokenShape | None]:
    if config.asset != token:
        return None
    ask = _bounds_of(validator, token)
    got = yield [ask]
    return Resilient(oracle=oracle, token=token, oracles=config.oracles, bounds=got[ask])


RESILIENT: Final = TokenKind(
    name="Venus ResilientOracle", asks=(_validator_of,), of_token=(_config_of,), shape=_resilient
)


def _asking(book: FeedBook) -> Asking:
    return Asking(book=book, kinds=(RESILIENT, *SOURCES), price_of=_price_of)
