"""Morpho's oracles over Chainlink feeds and ERC-4626 vaults. They answer `price()`, loan units per collateral unit
scaled by 1e36, and no time at all; Morpho itself never asks how old a feed is.

    price = SCALE_FACTOR × (assets of the base vault's sample × base feeds) ÷ (the same of the quote), cut off once

A vault or feed at the zero address counts as 1. A feed that answers below 0, or a quote of 0, makes `price()` revert.

Source: morpho-org/morpho-blue-oracles @ e32d8902 MorphoChainlinkOracleV2.sol, and tag v1.0.1 ChainlinkOracle.sol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Expression, value_of
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.oracles.composed import Composed, Part
from watcher.oracles.rates import shares_told, steth_told
from watcher.oracles.round import latest_round
from watcher.oracles.shape import Kind, Shape, Under, Unseen
from watcher.reads import Plan
from watcher.reads.abi import Function, interface

Getters: TypeAlias = tuple[Function[Address], ...]

_ORACLE = interface("morpho_oracle")
price_of = _ORACLE.function("price", int, gas=1_000_000)
_scale = _ORACLE.function("SCALE_FACTOR", int)
_base_sample = _ORACLE.function("BASE_VAULT_CONVERSION_SAMPLE", int)
_quote_sample = _ORACLE.function("QUOTE_VAULT_CONVERSION_SAMPLE", int)
_only_sample = _ORACLE.function("VAULT_CONVERSION_SAMPLE", int)
_base_vault = _ORACLE.function("BASE_VAULT", Address)
_quote_vault = _ORACLE.function("QUOTE_VAULT", Address)
_only_vault = _ORACLE.function("VAULT", Address)
_base_feeds: Getters = tuple(_ORACLE.function(name, Address) for name in ("BASE_FEED_1", "BASE_FEED_2"))
_quote_feeds: Getters = tuple(_ORACLE.function(name, Address) for name in ("QUOTE_FEED_1", "QUOTE_FEED_2"))
_steth = _ORACLE.function("ST_ETH", Address)


@dataclass(frozen=True, slots=True)
class MorphoOracle:
    """Either version of the oracle: base above, quote below."""

    made: Composed

    def expression(self, under: Under) -> Plan[Expression]:
        """Raises `Unseen` where the contract reverts: a feed below 0, or a quote of 0."""
        product = yield from self.made.product(under)
        if any(value_of(part) < 0 for part in (*product.above, *product.below)):
            raise Unseen(f"a feed below {self.made.source} answers less than 0, by which it reverts")
        if any(value_of(part) == 0 for part in product.below):
            raise Unseen(f"the quote below {self.made.source} is 0, by which it reverts")
        return product


def _second(source: Address, scale: int, base_sample: int, quote_sample: int) -> Plan[Shape | None]:
    """MorphoChainlinkOracleV2: a vault and two feeds on either side."""
    above = yield from _side(source, _base_feeds, _base_vault, base_sample)
    below = yield from _side(source, _quote_feeds, _quote_vault, quote_sample)
    return _oracle(source, scale, above, below)


def _first(source: Address, scale: int, sample: int) -> Plan[Shape | None]:
    """ChainlinkOracle: the base may be a vault's shares, the quote may not."""
    above = yield from _side(source, _base_feeds, _only_vault, sample)
    below = yield from _side(source, _quote_feeds)
    return _oracle(source, scale, above, below)


def _oracle(source: Address, scale: int, above: tuple[Part, ...], below: tuple[Part, ...]) -> MorphoOracle:
    return MorphoOracle(Composed(source=source, what="Morpho's oracle", above=above, below=below, times=scale))


def _side(
    source: Address, feeds: Getters, vault: Function[Address] | None = None, sample: int = 1
) -> Plan[tuple[Part, ...]]:
    """What is used of two feeds and a vault."""
    asked = [getter(source) for getter in (*feeds, *([] if vault is None else [vault]))]
    got = yield asked
    used = [got[ask] for ask in asked if got[ask] != ZERO_ADDRESS]
    if vault is None or got[vault(source)] == ZERO_ADDRESS:
        return tuple(used)
    told = yield from shares_told(used.pop(), sample)
    return (told, *used)


def _books(source: Address, steth: Address) -> Plan[Shape | None]:
    """WstEthStEthExchangeRateChainlinkAdapter: stETH's own rate as a feed, which dates itself 0."""
    last = latest_round(source)
    got = yield [last]
    if isinstance(got.outcome(last), ReadFailed):
        return None
    return Composed(source=source, what="stETH's own rate as a feed", above=(steth_told(steth),))


KINDS: Final[Sequence[Kind]] = (
    Kind("Morpho's oracle", (_scale, _base_sample, _quote_sample), _second),
    Kind("Morpho's first oracle", (_scale, _only_sample), _first),
    Kind("Morpho's wstETH rate as a feed", (_steth,), _books),
)
