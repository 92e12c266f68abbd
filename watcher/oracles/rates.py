"""Exchange rates: what contracts say that one thing is worth in another, from their own books.

A rate is a `Told`: which getter of which contract tells it, what it is called, and in how many places. That never
changes, so that a `Shape` may hold it; `rate()` reads it at this block. Two ways to one:

    told = wsteth_told(wsteth)                  # the caller knows what the contract is
    rate = yield from rate_of(provider)         # the contract is asked what it answers

A rate is as recent as the block and has no age, whatever the contract around it claims.
Sources: those of `abis/exchange_rates.json` and `abis/erc4626.json`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.price import Rate
from watcher.domain.source import Address
from watcher.oracles.shape import Unseen
from watcher.reads import Answers, Call, Memo, Plan, lasting
from watcher.reads.abi import Function, interface

_A_DAY: Final = 86_400
_WAD: Final = 10**18
_WAD_PLACES: Final = 18
_MOST_PLACES: Final = 36
"""No token has more decimals than this, and ten to more of them may not fit a word."""


@dataclass(frozen=True, slots=True)
class Told:
    """The getter that tells a rate. `what` says which it is, such as "wstETH in stETH"; it has `decimals` places."""

    ask: Call[int]
    what: str
    decimals: int = _WAD_PLACES

    def rate(self) -> Plan[Rate]:
        """The rate at this block. Raises `ReadFailed` where the contract does not tell it."""
        got = yield [self.ask]
        return Rate(source=self.ask.target, what=self.what, value=got[self.ask], decimals=self.decimals)


_RATES, _VAULT = interface("exchange_rates"), interface("erc4626")
_convert_to_assets = _RATES.function("convertToAssets", int, gas=500_000)  # a vault of vaults adds up all of them
_asset_of = _VAULT.function("asset", Address)
_places_of = _VAULT.function("decimals", int)
_symbol_of = _VAULT.function("symbol", str)
_st_eth_per_token = _RATES.function("stEthPerToken", int, gas=100_000)
_tokens_per_st_eth = _RATES.function("tokensPerStEth", int, gas=100_000)
_pooled_eth_by_shares = _RATES.function("getPooledEthByShares", int, gas=100_000)
_rs_eth_price = _RATES.function("rsETHPrice", int)
get_rate = _RATES.function("getRate", int, gas=200_000)
get_exchange_rate = _RATES.function("getExchangeRate", int, gas=100_000)
exchange_rate = _RATES.function("exchangeRate", int)


def wsteth_told(wsteth: Address) -> Told:
    """Lido's wstETH: `stEthPerToken`."""
    return Told(_st_eth_per_token(wsteth), "wstETH in stETH")


def steth_in_wsteth_told(wsteth: Address) -> Told:
    """Lido's wstETH the other way round: `tokensPerStEth`, which is rounded by itself."""
    return Told(_tokens_per_st_eth(wsteth), "stETH in wstETH")


def steth_told(steth: Address) -> Told:
    """Lido's stETH: `getPooledEthByShares` of a whole share, which is what a wstETH holds."""
    return Told(_pooled_eth_by_shares(steth, _WAD), "wstETH in stETH")


def rseth_told(oracle: Address) -> Told:
    """Kelp's LRTOracle: `rsETHPrice`."""
    return Told(_rs_eth_price(oracle), "rsETH in ETH")


def told_by(getter: Function[int], provider: Address, symbol: str = "") -> Told:
    """A getter that many contracts have: Rocket Pool's, Coinbase's, ether.fi's and Balancer's, in 18 places each."""
    name = getter.label.rpartition(".")[2]
    return Told(getter(provider), f"{symbol or 'rate'} by {name}")


def rate_of(provider: Address) -> Plan[Rate]:
    """The rate that a contract tells, by whichever getter it answers. Raises `Unseen` where it answers none."""
    memo: Memo[Told] = Memo("rate", provider)
    told = yield from lasting(memo, lambda: found_out(provider), lasts=_A_DAY)
    return (yield from told.rate())


def found_out(provider: Address) -> Plan[Told]:
    """Which getter tells a contract's rate, the most telling first. Raises `Unseen` where none does."""
    symbol = _symbol_of(provider)
    known = [wsteth_told(provider), steth_told(provider), rseth_told(provider)]
    getters = (get_exchange_rate, exchange_rate, get_rate)
    got = yield [symbol, *(told.ask for told in known), *(getter(provider) for getter in getters)]
    named = [told_by(getter, provider, _text(got, symbol)) for getter in getters]
    told = next((one for one in [*known, *named] if _answered(got, one)), None)
    return told or (yield from shares_told(provider))


def first_told(told: Sequence[Told]) -> Plan[Told | None]:
    """The first of several that is answered."""
    got = yield [one.ask for one in told]
    return next((one for one in told if _answered(got, one)), None)


def shares_told(vault: Address, shares: int | None = None) -> Plan[Told]:
    """What an ERC-4626 vault (sDAI, sUSDe, …) converts so many of its shares to, in base units; None: one whole share.

    Raises `Unseen` where it is none.
    """
    places, symbol, asset = _places_of(vault), _symbol_of(vault), _asset_of(vault)
    got = yield [places, symbol, asset]
    own, token = got.outcome(places), got.outcome(asset)
    if shares is None and (isinstance(own, ReadFailed) or own > _MOST_PLACES):
        raise Unseen(f"{vault} tells no rate: neither by a getter that we know nor as a vault")
    many = shares if shares is not None else 10 ** (0 if isinstance(own, ReadFailed) else own)
    share = own if isinstance(own, int) and own <= _MOST_PLACES else _zeros(many)
    of, other = _text(got, symbol) or "share", ("assets", share)
    if not isinstance(token, ReadFailed):
        other = yield from _token(token, share)
    told = _named_shares(_convert_to_assets(vault, many), many, (of, share), other)
    got = yield [told.ask]
    if not _answered(got, told):
        raise Unseen(f"{vault} tells no rate: {got.outcome(told.ask)}")
    return told


def _named_shares(ask: Call[int], many: int, share: tuple[str, int], asset: tuple[str, int]) -> Told:
    """A power of ten of them makes a rate of one whole share, if its places allow; any other number is named."""
    (of, places), (into, decimals) = share, asset
    shifted = decimals + _zeros(many) - places
    if many == 10 ** _zeros(many) and shifted >= 0:
        return Told(ask, f"{of} in {into}", shifted)
    return Told(ask, f"{many} units of {of} in {into}", decimals)


def _token(token: Address, places: int) -> Plan[tuple[str, int]]:
    """A token's symbol and decimals; `places` where it does not say how many."""
    symbol, decimals = _symbol_of(token), _places_of(token)
    got = yield [symbol, decimals]
    said = got.outcome(decimals)
    return _text(got, symbol) or "assets", places if isinstance(said, ReadFailed) else said


def _zeros(many: int) -> int:
    """How many places a number has below its first."""
    return len(str(many)) - 1


def _text(got: Answers, ask: Call[str]) -> str:
    said = got.outcome(ask)
    return "" if isinstance(said, ReadFailed) else said


def _answered(got: Answers, told: Told) -> bool:
    return not isinstance(got.outcome(told.ask), ReadFailed)
