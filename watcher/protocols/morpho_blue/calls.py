"""What is read of Morpho Blue, of its rate models and of pre-liquidations, and the shapes of their answers."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, Final

from watcher.domain.source import Address
from watcher.reads.abi import interface
from watcher.reads.call import Call

MOST: Final = 2**256 - 1


@dataclass(frozen=True, slots=True)
class Holding:
    """`Position`: what one account has in one market. Collateral is in base units and earns nothing."""

    supply_shares: int
    borrow_shares: int
    collateral: int


@dataclass(frozen=True, slots=True)
class Params:
    """`MarketParams`, of which a market's id is the hash: they never change. `lltv` as WAD."""

    loan: Address
    collateral: Address
    oracle: Address
    irm: Address
    lltv: int


@dataclass(frozen=True, slots=True)
class Totals:
    """`Market`: sums over all its accounts, as of `updated_at` in Unix seconds; `fee` of the interest, as WAD."""

    supply_assets: int
    supply_shares: int
    borrow_assets: int
    borrow_shares: int
    updated_at: int
    fee: int


@dataclass(frozen=True, slots=True)
class PreParams:
    """`PreLiquidationParams`, as WAD: from which LTV on, how much of the debt at once (close factors) and for which
    reward (incentive factors), either where it begins and at the market's own LLTV."""

    lltv: int
    close_first: int
    close_last: int
    incentive_first: int
    incentive_last: int
    oracle: Address


def _pre_params(whole: tuple[int, int, int, int, int, Address]) -> PreParams:
    return PreParams(*whole)


def _nothing(*_: object) -> None:
    return None


# Gas as guessed for a market with an adaptive rate model and an oracle over two vaults and four feeds.
_MORPHO = interface("morpho_blue")
holding_of = _MORPHO.function("position", Holding, gas=20_000)
totals_of = _MORPHO.function("market", Totals, gas=20_000)
params_of = _MORPHO.function("idToMarketParams", Params, gas=30_000)
authorised = _MORPHO.function("isAuthorized", bool, gas=20_000)
irm_enabled = _MORPHO.function("isIrmEnabled", bool, gas=20_000)
_accrue = _MORPHO.function("accrueInterest", _nothing, gas=200_000)
_liquidate = _MORPHO.function("liquidate", _nothing, gas=600_000)
_rate = interface("morpho_irm").function("borrowRateView", int)

_PRE = interface("morpho_pre_liquidation")
morpho_of = _PRE.function("MORPHO", Address, gas=20_000)
market_of = _PRE.function("ID", bytes, gas=20_000)
pre_params_of = _PRE.function("preLiquidationParams", _pre_params, gas=20_000)
is_pre_liquidation = _PRE.function("isPreLiquidation", bool, gas=20_000)
_pre_liquidate = _PRE.function("preLiquidate", _nothing, gas=800_000)


def key_of(market: str) -> bytes:
    """A market's id as the contract takes it."""
    return bytes.fromhex(market[2:])


def accrue(morpho: Address, params: Params) -> Call[None]:
    """Interest to this block, for what is called behind it."""
    return _accrue(morpho, astuple(params))


def rate(params: Params, totals: Totals) -> Call[int]:
    """What the rate model would charge now, per second as WAD: an average since `updated_at`."""
    return _rate(params.irm, astuple(params), astuple(totals))


# Two liquidations that never succeed. Both contracts first check what may be liquidated, and then multiply the
# collateral to be seized: of 2**256 − 1 that overflows (or, at a price of 0, is more than a `uint128`). So how they
# fail tells whether the check was passed, and nothing is changed for the calls behind them.


def liquidation(morpho: Address, params: Params, borrower: Address) -> Call[Any]:
    """An impossible `liquidate`, for how it fails."""
    return _liquidate(morpho, astuple(params), borrower, MOST, 0, b"")


def pre_liquidation(contract: Address, borrower: Address) -> Call[Any]:
    """An impossible `preLiquidate`, for how it fails."""
    return _pre_liquidate(contract, borrower, MOST, 0, b"")
