"""How lenders, collateral vaults and what amounts are worth are read at one block."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Asset
from watcher.domain.price import Expression, Fixed, Opaque, Price
from watcher.domain.source import ZERO_ADDRESS, Address, Holder
from watcher.oracles.euler import quote_from, quote_of
from watcher.oracles.euler_adapters import get_quote
from watcher.oracles.euler_scale import asked_decimals, decimals_in
from watcher.oracles.shape import FeedBook, Unseen
from watcher.protocols.assets import asset_of
from watcher.protocols.euler_v2 import calls
from watcher.protocols.euler_v2.calls import NO_LTV, Hooks
from watcher.protocols.euler_v2.maths import Account, Lender, Market, Vault
from watcher.protocols.euler_v2.worths import Unit, Worth, amount_of, in_proportion, plainly_proportional, price_key
from watcher.reads import Call, Outcome, Plan, both, sure, together
from watcher.reads.call import Answers, T

_CURRENCIES: Final[Mapping[int, str]] = {840: "USD", 978: "EUR", 826: "GBP", 392: "JPY", 756: "CHF"}
"""Units of account that are no tokens, by their ISO 4217 numbers."""
_LAST_CURRENCY: Final = 0xFFFFFFFF
_NEAR: Final = 10**9
"""What is off by less than one in so many is taken for rounding, where an oracle cannot be seen through."""
_NO_HOOKS: Final = Hooks(ZERO_ADDRESS, 0)
_NO_CAP: Final = 2**256 - 1

Prices = Mapping[Address, Outcome[Price]]


def market_of(accounts: Sequence[Account], book: FeedBook) -> Plan[Market]:
    """All that these accounts have to do with. What fails is a value in it."""
    used: dict[Address, dict[Address, None]] = {}
    for account in accounts:
        used.setdefault(account.controller, {}).update(dict.fromkeys(stake.vault for stake in account.stakes))
    enabled = dict.fromkeys(vault for vaults in used.values() for vault in vaults)
    read, found = yield from both(
        together(_lender(lender, vaults) for lender, vaults in used.items()),
        together(_vault(vault) for vault in enabled),
    )
    lenders, vaults = dict(zip(used, read, strict=True)), dict(zip(enabled, found, strict=True))
    prices = yield from _prices(used, lenders, vaults, book)
    got = yield []
    wanted = [each for account in accounts for each in _wanted(account, lenders, vaults, prices, book, got)]
    valued = yield from together(plan for _, plan in wanted)
    told = {key: one for (key, _), one in zip(wanted, valued, strict=True)}
    worths = {key: one if isinstance(one, ReadFailed) else one.worth for key, one in told.items()}
    shares = {one.worth.priced_as: one.price for one in told.values() if not isinstance(one, ReadFailed) and one.price}
    every: Prices = {**prices, **shares}
    return Market(at=got.at, lenders=lenders, vaults=vaults, worths=worths, read=every, prices=every)


# --- Vaults -----------------------------------------------------------------------------------------------------------


def _lender(address: Address, collaterals: Collection[Address]) -> Plan[Lender]:
    asset, unit, oracle = calls.asset_of_vault(address), calls.unit_of(address), calls.oracle_of(address)
    discount, cool_off, hooks = calls.discount_of(address), calls.cool_off_of(address), calls.hooks_of(address)
    rate, assets, borrows = calls.rate_of(address), calls.total_assets(address), calls.total_borrows(address)
    ltvs = {vault: calls.ltv_of(address, vault) for vault in collaterals if vault != address}
    got = yield [asset, unit, oracle, discount, cool_off, hooks, rate, assets, borrows, *ltvs.values()]
    (lent, share), counted = yield from both(both(asset_of(got[asset]), asset_of(address)), _unit(got[unit]))
    return Lender(
        address=address,
        share=share,
        asset=lent,
        oracle=got[oracle],
        unit=counted,
        ltvs={address: NO_LTV, **{vault: got[ask] for vault, ask in ltvs.items()}},  # none takes its own shares
        discount=got[discount],
        cool_off=got[cool_off],
        hooks=got[hooks],
        rate=got[rate],
        assets=got[assets],
        borrows=got[borrows],
    )


def _unit(address: Address) -> Plan[Unit]:
    """A currency by its number, or a token; an address that is neither counts with 18 decimals, as adapters take it."""
    number = int(address, 16)
    if number <= _LAST_CURRENCY:
        return Unit(address=address, symbol=_CURRENCIES.get(number, f"ISO 4217 no. {number}"), decimals=18)
    got = yield asked_decimals(address)
    decimals = decimals_in(got, address)
    [token] = yield from together([asset_of(address)])
    symbol = f"{address[:6]}…{address[-4:]}" if isinstance(token, ReadFailed) else token.symbol
    return Unit(address=address, symbol=symbol, decimals=decimals)


def _vault(address: Address) -> Plan[Vault]:
    """A collateral may be another kind of vault, that knows neither hooks nor caps."""
    asset, assets, shares = calls.asset_of_vault(address), calls.total_assets(address), calls.total_shares(address)
    hooks, cap = calls.hooks_of(address), calls.supply_cap_of(address)
    got = yield [asset, assets, shares, hooks, cap]
    held, share = yield from both(asset_of(got[asset]), asset_of(address))
    return Vault(
        asset=held,
        share=share,
        assets=got[assets],
        shares=got[shares],
        hooks=_or(got, hooks, _NO_HOOKS),
        supply_cap=_or(got, cap, _NO_CAP),
    )


def _or(got: Answers, call: Call[T], otherwise: T) -> T:
    told = got.outcome(call)
    return otherwise if isinstance(told, ReadFailed) else told


# --- Prices -----------------------------------------------------------------------------------------------------------


def _prices(
    used: Mapping[Address, Iterable[Address]],
    lenders: Mapping[Address, Outcome[Lender]],
    vaults: Mapping[Address, Outcome[Vault]],
    book: FeedBook,
) -> Plan[dict[Address, Outcome[Price]]]:
    """What one whole token is worth to each lender: of what it lends, and of what its collaterals hold."""
    plans: dict[Address, Plan[Price]] = {}
    for lender, enabled in ((lenders[address], enabled) for address, enabled in used.items()):
        if isinstance(lender, ReadFailed):
            continue
        held = [vault.asset for vault in map(vaults.__getitem__, enabled) if not isinstance(vault, ReadFailed)]
        for asset in (lender.asset, *held):
            plans.setdefault(price_key(lender.address, asset.address), _price(lender, asset, book))
    found = yield from together(plans.values())
    return dict(zip(plans, found, strict=True))


def _price(lender: Lender, asset: Asset, book: FeedBook) -> Plan[Price]:
    """The oracle's price of one, times the unit's lift. The unit of account itself is worth itself, unasked."""
    whole = lender.unit.whole(asset)
    if asset.address == lender.unit.address:
        yield []
        return Price.of(Fixed(whole, "the unit of account itself"))
    return (yield from quote_of(lender.oracle, asset.address, lender.unit.address, whole, book))


# --- What amounts are worth -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Valued:
    """A worth, and the price that it was found to go by where that is of shares and not of what they stand for."""

    worth: Worth
    price: Price | None = None


_Wanted = tuple[tuple[Holder, Address], Plan[_Valued]]


def _wanted(
    account: Account,
    lenders: Mapping[Address, Outcome[Lender]],
    vaults: Mapping[Address, Outcome[Vault]],
    prices: Prices,
    book: FeedBook,
    got: Answers,
) -> list[_Wanted]:
    """What the contract would ask its oracle about one account."""
    lender, holder, now = lenders[account.controller], account.holder, got.at.timestamp
    if isinstance(lender, ReadFailed):
        return []
    found: list[_Wanted] = []
    if account.debt:
        found.append(((holder, account.controller), _owed(lender, account.debt, prices, book)))
    for stake in account.stakes:
        vault = vaults[stake.vault]
        if stake.shares and lender.ltvs[stake.vault].at(now) and not isinstance(vault, ReadFailed):
            found.append(((holder, stake.vault), _held(lender, vault, stake.shares, prices, book)))
    return found


def _owed(lender: Lender, debt: int, prices: Prices, book: FeedBook) -> Plan[_Valued]:
    asset, key = lender.asset, price_key(lender.address, lender.asset.address)
    if asset.address == lender.unit.address:
        yield []
        return _Valued(Worth(asset=asset, priced_as=key, shares=debt, amount=debt, value=debt, edge=debt))
    quotes = calls.get_quotes(lender.oracle, debt, asset.address, lender.unit.address)
    value = yield from _quoted(lender, asset.address, debt, book, beside=quotes)
    edge = yield from _edge(quotes)
    formula = yield from _formula(lender, asset, debt, value, sure(prices[key]), book)
    return _Valued(
        Worth(
            asset=asset,
            priced_as=key,
            shares=debt,
            amount=debt,
            value=value,
            edge=edge if isinstance(edge, ReadFailed) else edge.ask,
            formula=None if isinstance(formula, ReadFailed) else formula,
        )
    )


def _held(lender: Lender, vault: Vault, shares: int, prices: Prices, book: FeedBook) -> Plan[_Valued]:
    """By what the shares stand for, where the oracle resolves the vault to that; by the shares where it prices them."""
    token = vault.share.address
    assets = calls.to_assets(token, shares)
    quotes = calls.get_quotes(lender.oracle, shares, token, lender.unit.address)
    value = yield from _quoted(lender, token, shares, book, beside=quotes, also=assets)
    edge, amount = yield from both(_edge(quotes), _answer(assets))
    bid = edge if isinstance(edge, ReadFailed) else edge.bid
    key = price_key(lender.address, vault.asset.address)
    price = prices[key]
    formula = (
        price
        if isinstance(price, ReadFailed)
        else (yield from _formula(lender, vault.asset, amount, value, price, book))
    )
    if not isinstance(formula, ReadFailed):
        worth = Worth(
            asset=vault.asset, priced_as=key, shares=shares, amount=amount, value=value, edge=bid, formula=formula
        )
        return _Valued(worth)
    return (yield from _by_shares(lender, vault.share, shares, value, bid, book))


def _by_shares(
    lender: Lender, share: Asset, shares: int, value: int, bid: Outcome[int], book: FeedBook
) -> Plan[_Valued]:
    price = yield from _price(lender, share, book)
    formula = yield from _formula(lender, share, shares, value, price, book)
    worth = Worth(
        asset=share,
        priced_as=price_key(lender.address, share.address),
        shares=shares,
        amount=shares,
        value=value,
        edge=bid,
        formula=None if isinstance(formula, ReadFailed) else formula,
    )
    return _Valued(worth, price)


def _quoted(
    lender: Lender,
    token: Address,
    amount: int,
    book: FeedBook,
    *,
    beside: Call[calls.Quotes],
    also: Call[int] | None = None,
) -> Plan[int]:
    """`getQuote`, as the contract asks it. Raises what the oracle refuses in, in words."""
    ask = get_quote(lender.oracle, amount, token, lender.unit.address)
    got = yield [ask, beside, *([also] if also else [])]
    said = got.outcome(ask)
    if isinstance(said, ReadFailed):
        return (yield from quote_of(lender.oracle, token, lender.unit.address, amount, book)).low
    return said


def _edge(quotes: Call[calls.Quotes]) -> Plan[Outcome[calls.Quotes]]:
    return (yield [quotes]).outcome(quotes)


def _answer(call: Call[int]) -> Plan[int]:
    return (yield [call])[call]


def _formula(
    lender: Lender, asset: Asset, amount: int, value: int, price: Price, book: FeedBook
) -> Plan[Outcome[Expression | None]]:
    """How `value` comes of an amount; None where in proportion to its price; a failure where it does not come of it."""
    linear = in_proportion(lender.unit, asset, price, amount)
    if price.hidden:
        near = abs(linear - value) <= 2 + value // max(price.low, 1) + value // _NEAR
        return None if near else Unseen(f"{value} is not what {amount} of {asset.symbol} come to")
    if linear == value and plainly_proportional(price.expression):
        return None
    quoted = yield from quote_from(
        lender.oracle, asset.address, lender.unit.address, amount=amount_of(amount, asset), value=value, book=book
    )
    found = quoted.expression
    return Unseen(found.why) if isinstance(found, Opaque) else found
