"""Sky's own arithmetic over state already read: exact to the unit.

WAD has 18 decimals, RAY 27, RAD 45. Read beside `Jug.drip`, `Spotter.poke`, `Dog.bark`, `Clipper.kick` and `Vat.frob`
(makerdao/dss @ fa4f663, src).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Asset, Leg, Refused, Scenario, State
from watcher.domain.price import Price
from watcher.domain.source import Address, Block, Holder
from watcher.protocols.reader import PriceMissing
from watcher.protocols.rounding import RAY, WAD, mul_div_down, mul_div_up, pow_half_up
from watcher.reads import Outcome

RAD: Final = WAD * RAY
_BLN: Final = 10**9
"""What makes a WAD a RAY."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One vault: collateral and normalised debt, both WAD."""

    holder: Holder
    ilk: bytes
    ink: int
    art: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pip:
    """What a price source answers the Spotter, as far as it is known: WAD, None where it says that it has no price.

    `known`: whether we know what it answers now. `next` is what a delayed one will answer from `due` (Unix seconds)
    on, which is None while it is stopped.
    """

    source: Address
    known: bool
    now: int | None = None
    next: int | None = None
    due: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ilk:
    """A kind of vaults at one block. `spot` and `mat` RAY, `rate` RAY as it is stored, debts RAD, `chop` WAD.

    `fee` is what a debt is multiplied by each second since `rho`, RAY. `key` is the one of its price in the market.
    """

    name: str
    key: Address
    asset: Asset
    debt: Asset
    all_art: int
    rate: int
    spot: int
    line: int
    dust: int
    mat: int
    fee: int
    rho: int
    clip: Address
    clip_stopped: int
    chop: int
    hole: int
    dirt: int
    pip: Pip


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the vaults at hand share. `par` RAY: what one unit of debt is taken to be worth. `hole` and `dirt` RAD.

    Of the prices those of kinds of vaults are what the Vat goes by now, whatever their source says meanwhile.
    """

    at: Block
    live: bool
    dog_live: bool
    hole: int
    dirt: int
    par: int
    ilks: Mapping[bytes, Outcome[Ilk]]
    prices: Mapping[Address, Outcome[Price]]


# --- Rate and price ---------------------------------------------------------------------------------------------------


def dripped(market: Market, ilk: Ilk, now: int | None = None) -> int:
    """The rate that `Jug.drip` would store at this block, or at Unix second `now`. None does once the Vat is shut."""
    if not market.live:
        return ilk.rate
    elapsed = (market.at.timestamp if now is None else now) - ilk.rho
    return mul_div_down(pow_half_up(ilk.fee, elapsed, RAY), ilk.rate, RAY) if elapsed > 0 else ilk.rate


def spot_of(price: int, par: int, mat: int) -> int:
    """`Spotter.poke`: what one WAD of collateral backs, RAY, at a price in WAD."""
    return mul_div_down(mul_div_down(price * _BLN, RAY, par), RAY, mat)


def price_of(spot: int, par: int, mat: int) -> int:
    """The smallest price, WAD, that makes this `spot` or more."""
    return mul_div_up(mul_div_up(spot, mat, RAY), par, RAY * _BLN)


# --- What liquidates --------------------------------------------------------------------------------------------------


def health_of(account: Account, spot: int, rate: int) -> Health:
    """The comparison of `bark`: backing below debt, RAD."""
    return Health(backing=account.ink * spot, required=account.art * rate)


def bark_refusal(market: Market, ilk: Ilk, account: Account) -> str:
    """Why `bark` would refuse a vault that is not safe; empty where it would not."""
    if not market.dog_live:
        return "liquidations are shut down"
    room = min(market.hole - market.dirt, ilk.hole - ilk.dirt)
    if room <= 0:
        return "as much is in auction as may be"
    rate = dripped(market, ilk)
    taken = min(account.art, room * WAD // rate // ilk.chop)
    if (account.art - taken) * rate < ilk.dust:
        taken = account.art
    elif taken < account.art and taken * rate < ilk.dust:
        return "there is not room enough for one more auction"
    if account.ink * taken // account.art == 0:
        return "there is nothing to auction"
    return _kick_refusal(ilk)


def _kick_refusal(ilk: Ilk) -> str:
    """`Clipper.kick`. Where its price source is, is asked of the Spotter."""
    if ilk.clip_stopped:
        return "its auctions are stopped"
    if ilk.pip.known and not ilk.pip.now:
        return "its price source has no price to start an auction at"
    return ""


def state_of(market: Market, ilk: Ilk, account: Account, health: Health) -> State:
    """By the rate after a drip: anybody can call it in the transaction that barks."""
    if health.required == 0:
        return State.NO_DEBT
    if account.ink == 0:
        return State.DEBT_WITHOUT_COLLATERAL
    if not health.liquidatable:
        return State.HEALTHY
    return State.LIQUIDATABLE_BUT_BLOCKED if bark_refusal(market, ilk, account) else State.LIQUIDATABLE


def scenarios_of(market: Market, ilk: Ilk, account: Account) -> Iterator[Scenario]:
    """The healths in store: as the rate stands, after the next poke of the Spotter, at the next price of its oracle."""
    pip = ilk.pip
    yield Scenario(what="before the stability fee is taken", health=health_of(account, ilk.spot, ilk.rate))
    if pip.known and pip.now and (spot := spot_of(pip.now, market.par, ilk.mat)) != ilk.spot:
        health = health_of(account, spot, dripped(market, ilk))
        yield Scenario(what="once its price is taken over from the oracle", health=health)
    if pip.next and pip.due is not None:
        rate = dripped(market, ilk, max(pip.due, market.at.timestamp))
        health = health_of(account, spot_of(pip.next, market.par, ilk.mat), rate)
        yield Scenario(what="at the oracle's next price", health=health, at=pip.due)


# --- The common model -------------------------------------------------------------------------------------------------


def ilk_of(market: Market, account: Account) -> Ilk:
    """The kind of a vault. Raises `ReadFailed` where it could not be read, `PriceMissing` where it has no price."""
    found = market.ilks.get(account.ilk)
    if found is None:
        raise ReadFailed("the market was read without the kind of vault that this account is")
    if isinstance(found, ReadFailed):
        raise found
    if found.spot == 0:
        raise PriceMissing(f"the Vat has no price for {found.name}: nobody can liquidate, and nobody can borrow")
    return found


def units(ilk: Ilk) -> int:
    """What one base unit of the collateral is in the Vat, whose amounts have 18 decimals."""
    return int(10 ** max(18 - ilk.asset.decimals, 0))


def owed(account: Account, rate: int) -> int:
    """Base units of DAI or USDS that clear the debt."""
    return mul_div_up(account.art, rate, RAY)


def legs_of(market: Market, ilk: Ilk, account: Account) -> Iterator[Leg]:
    """Collateral, weighted by the liquidation ratio, and debt, at par whatever it trades at."""
    price, par = _price(market, ilk.key), _price(market, ilk.debt.address)
    if account.ink:
        weight = Fraction(RAY, ilk.mat)
        amount = account.ink // units(ilk)
        yield Leg(asset=ilk.asset, amount=amount, price=price, priced_as=ilk.key, backing=weight)
    if account.art:
        due = owed(account, dripped(market, ilk))
        one = Fraction(1)
        yield Leg(asset=ilk.debt, amount=-due, price=par, priced_as=ilk.debt.address, required=one)


def _price(market: Market, key: Address) -> Price:
    price = market.prices[key]
    if isinstance(price, ReadFailed):
        raise PriceMissing(str(price)) from price
    return price


def slack_of(ilk: Ilk, account: Account) -> Fraction:
    """How far the legs may be from the health: what was auctioned in part may be no whole number of base units."""
    whole, rest = divmod(account.ink, units(ilk))
    return Fraction(1, 10**9) + (Fraction(1, max(whole, 1)) if rest else 0)


# --- What an action does ----------------------------------------------------------------------------------------------


def after_repay(market: Market, account: Account, amount: int) -> Account | Refused:
    """`frob` of what an amount of DAI or USDS pays back, right after a drip; all of it where it is enough."""
    ilk = ilk_of(market, account)
    paid = min(mul_div_down(amount, RAY, dripped(market, ilk)), account.art)
    return _frobbed(market, ilk, replace(account, art=account.art - paid))


def after_top_up(market: Market, account: Account, amount: int) -> Account | Refused:
    """`frob` of more collateral, in base units of its token."""
    ilk = ilk_of(market, account)
    return _frobbed(market, ilk, replace(account, ink=account.ink + amount * units(ilk)))


def _frobbed(market: Market, ilk: Ilk, account: Account) -> Account | Refused:
    if not market.live:
        return Refused("the system is shut down")
    if account.art and account.art * dripped(market, ilk) < ilk.dust:
        return Refused(f"a debt has to be nothing, or at least {ilk.dust // RAD:,} {ilk.debt.symbol}")
    return account
