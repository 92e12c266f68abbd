"""Aave's CAPO adapters: a price that may not be more than governance lets it be.

Ratio adapters (wstETH, weETH, sUSDe, rETH, cbETH, …) multiply a base price with the rate of a token, capped at what a
snapshot of that rate may have grown to since. Where the rate comes from a feed (`CLRatePriceCapAdapter`), that feed is
a leaf of its own, with a heartbeat of its own. The newer adapters answer `latestRoundData` too, with `updatedAt = now`.

Source: aave-dao/aave-price-feeds @ 76a1e328, src/contracts: PriceCapAdapterBase, CLRatePriceCapAdapter,
PriceCapAdapterStable, misc-adapters/EURPriceCapAdapterStable; and bgd-labs/aave-capo @ 7aadce7 and e78d807 for those
deployed before October 2025, which keep the growth unscaled and hand a stable's negative price on.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Cap, Expression, Fixed, Product, Rate, value_of
from watcher.domain.source import Address
from watcher.oracles.round import description_of, latest_answer
from watcher.oracles.shape import Kind, Shape, Under, Unseen
from watcher.reads import Answers, Call, Plan
from watcher.reads.abi import interface

_CAPO: Final = interface("aave_price_feeds")
_base = _CAPO.function("BASE_TO_USD_AGGREGATOR", Address)
_asset = _CAPO.function("ASSET_TO_USD_AGGREGATOR", Address)
_provider = _CAPO.function("RATIO_PROVIDER", Address)
_ratio_decimals = _CAPO.function("RATIO_DECIMALS", int)
_scale = _CAPO.function("SCALING_FACTOR", int)
_ratio = _CAPO.function("getRatio", int, gas=200_000)
_snapshot = _CAPO.function("getSnapshotRatio", int)
_snapshot_at = _CAPO.function("getSnapshotTimestamp", int)
_growth = _CAPO.function("getMaxRatioGrowthPerSecond", int)
_scaled_growth = _CAPO.function("getMaxRatioGrowthPerSecondScaled", int)
_yearly = _CAPO.function("getMaxYearlyGrowthRatePercent", int)
_stable_bound = _CAPO.function("MAX_STABLE_CAP_VALUE", int)
_price_cap = _CAPO.function("getPriceCap", int)
_cap_ratio = _CAPO.function("getPriceCapRatio", int)

_BPS_PLACES: Final = 4
"""Decimals of `getMaxYearlyGrowthRatePercent`: 10_00 is 10 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """`base × min(ratio, cap) ÷ 10^decimals`. `by_feed`: the provider is a price source that tells the ratio.

    `scale`: how many times too large the growth per second is kept, so as not to be cut off; 1 in the old adapters.
    """

    address: Address
    named: str
    base: Address
    provider: Address
    decimals: int
    scale: int
    by_feed: bool

    def expression(self, under: Under) -> Plan[Expression]:
        """Raises `Unseen` where the feed of the ratio is not what the adapter takes the ratio from."""
        ratio, yearly = _ratio(self.address), _yearly(self.address)
        got = yield [ratio, yearly, *self._bounding]
        base, *fed = yield from under.parts([self.base, *([self.provider] if self.by_feed else [])])
        of = fed[0] if fed else self._rate(got[ratio], got[yearly])
        if value_of(of) != got[ratio]:
            raise Unseen(f"{self.provider} comes to {value_of(of)}, and its ratio is {got[ratio]}")
        capped = Cap(of=of, at=self._most(got), source=self.address, what=self.named)
        return Product(
            above=(base, capped), over=10**self.decimals, positive=True, source=self.address, what=self.named
        )

    @property
    def _bounding(self) -> tuple[Call[int], ...]:
        growth = _growth if self.scale == 1 else _scaled_growth
        return _snapshot(self.address), _snapshot_at(self.address), growth(self.address)

    def _rate(self, ratio: int, yearly: int) -> Rate:
        growth = Decimal(yearly).scaleb(-_BPS_PLACES)
        what = f"ratio of {self.named}"
        return Rate(source=self.provider, what=what, value=ratio, decimals=self.decimals, growth=growth)

    def _most(self, got: Answers) -> Fixed:
        """`_getMaxRatio`."""
        snapshot, since, growth = (got[one] for one in self._bounding)
        most = snapshot + growth * (got.at.timestamp - since) // self.scale
        return Fixed(most, f"the most that the ratio may have grown to since its snapshot {snapshot}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stable:
    """`min(asset, cap)`. `positive`: a price that is not positive becomes 0, as since October 2025."""

    address: Address
    named: str
    asset: Address
    positive: bool

    def expression(self, under: Under) -> Plan[Expression]:
        """What is capped, and at what governance set."""
        most = _price_cap(self.address)
        got = yield [most]
        asset = yield from under.part(self.asset)
        at = Fixed(got[most], "the most that governance lets it be")
        capped = Cap(of=asset, at=at, source=self.address, what=self.named)
        if not self.positive:
            return capped
        return Product(above=(capped,), positive=True, source=self.address, what=self.named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Euro:
    """`min(asset, base × cap ratio ÷ 10^decimals)`, whatever their sign: the base is the euro's feed."""

    address: Address
    named: str
    asset: Address
    base: Address
    decimals: int

    def expression(self, under: Under) -> Plan[Expression]:
        """Two feeds, the second only as the cap."""
        ratio = _cap_ratio(self.address)
        got = yield [ratio]
        asset, base = yield from under.parts([self.asset, self.base])
        most = Product(above=(base,), times=got[ratio], over=10**self.decimals, source=self.address, what="its cap")
        return Cap(of=asset, at=most, source=self.address, what=self.named)


def _as_ratio(source: Address, base: Address, provider: Address, decimals: int, _: int) -> Plan[Shape | None]:
    words, scale, fed = description_of(source), _scale(source), latest_answer(provider)
    got = yield [words, scale, fed]
    said = got.outcome(scale)
    return Ratio(
        address=source,
        named=got[words],
        base=base,
        provider=provider,
        decimals=decimals,
        scale=1 if isinstance(said, ReadFailed) else said,
        by_feed=not isinstance(got.outcome(fed), ReadFailed),
    )


def _as_stable(source: Address, asset: Address, _: int) -> Plan[Shape | None]:
    words, bound = description_of(source), _stable_bound(source)
    got = yield [words, bound]
    bounded = not isinstance(got.outcome(bound), ReadFailed)
    return Stable(address=source, named=got[words], asset=asset, positive=bounded)


def _as_euro(source: Address, asset: Address, base: Address, decimals: int, _: int) -> Plan[Shape | None]:
    words = description_of(source)
    got = yield [words]
    return Euro(address=source, named=got[words], asset=asset, base=base, decimals=decimals)


RATIO: Final = Kind("CAPO", (_base, _provider, _ratio_decimals, _snapshot), _as_ratio)
STABLE: Final = Kind("CAPO of a stable", (_asset, _price_cap), _as_stable)
EURO: Final = Kind("CAPO of a euro stable", (_asset, _base, _ratio_decimals, _cap_ratio), _as_euro)
