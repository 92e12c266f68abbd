"""The Aave v3 plugin: which reads, in which order, and what becomes of them.

A fork can keep one revision number and backport another's rounding, as SparkLend's development branch does, so the
variant that the revision suggests is verified against `getUserAccountData` of the accounts at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Action, Asset, Position, Refused, Unreadable, Verdict
from watcher.domain.price import Price
from watcher.domain.source import ZERO_ADDRESS, Address, Holder
from watcher.protocols.aave.calls import (
    AccountData,
    balance_of,
    check_pool,
    pair_problems,
    scaled_balance,
    symbol_of,
    verdict_by,
)
from watcher.protocols.aave.maths import lines_of, totals
from watcher.protocols.aave.oracle import numeraire_of, price_of
from watcher.protocols.aave.positions import account_after, positions_of
from watcher.protocols.aave.state import Account, EMode, Holding, Market, Reserve, Variant
from watcher.protocols.aave_v3 import calls
from watcher.protocols.aave_v3.variants import NEWEST_REVISION, variants_of
from watcher.protocols.reader import OneEach, Place, PriceMissing
from watcher.reads import Outcome, Plan, both, sure, together


@dataclass(frozen=True, slots=True, kw_only=True)
class AaveV3(OneEach):
    """One pool. `provider` is its PoolAddressesProvider, from which oracle and sentinel are taken each time."""

    place: Place
    pool: Address
    provider: Address

    # What one user has

    def discover(self, owner: Holder, found: Sequence[str]) -> Plan[Sequence[Holder]]:
        """The owner, where any flag of its is set. What `account` will ask comes with it, and so costs no round."""
        flags = calls.user_configuration(self.pool, owner.account)
        emode = calls.user_emode(self.pool, owner.account)
        got = yield [flags, emode, calls.reserves_list(self.pool), calls.revision_of(self.pool)]
        return (owner,) if got[flags] else ()

    def account(self, holder: Holder) -> Plan[Account | None]:
        """Flags and shares in every reserve flagged for this user; None where no flag is set."""
        flags, category = (
            calls.user_configuration(self.pool, holder.account),
            calls.user_emode(self.pool, holder.account),
        )
        listed, revision = calls.reserves_list(self.pool), calls.revision_of(self.pool)
        got = yield [flags, category, listed, revision]
        if (word := got[flags]) == 0:
            return None
        flagged = {number: bits for number in range(128) if (bits := word >> 2 * number & 3)}
        assets = yield from self._assets(list(flagged), got[listed])
        holdings = yield from together(
            self._holding(holder.account, number, assets[number], bits, variants_of(got[revision]))
            for number, bits in flagged.items()
        )
        return Account(holder=holder, emode=got[category], holdings=tuple(sure(one) for one in holdings))

    def _assets(self, numbers: Sequence[int], listed: Sequence[Address]) -> Plan[dict[int, Address]]:
        """Assets by reserve id. The list closes up where a reserve was dropped, so a place in it may not be an id."""
        guessed = {number: listed[number] for number in numbers if number < len(listed)}
        asked = {number: calls.reserve_data(self.pool, asset) for number, asset in guessed.items()}
        got = yield list(asked.values())
        moved = {n: calls.reserve_by_id(self.pool, n) for n in numbers if n not in asked or got[asked[n]].id != n}
        if moved:
            got = yield list(moved.values())
        return {number: got[moved[number]] if number in moved else guessed[number] for number in numbers}

    def _holding(
        self, account: Address, number: int, asset: Address, bits: int, variants: Sequence[Variant]
    ) -> Plan[Holding]:
        """Shares in one reserve; `bits` are its two flags: 1 borrowing, 2 collateral."""
        ask = calls.reserve_data(self.pool, asset)
        data = (yield [ask])[ask]
        borrowing, collateral = bool(bits & 1), bool(bits & 2)
        wanted = {
            "scaled_supply": (collateral, scaled_balance, data.a_token),
            "scaled_debt": (borrowing, scaled_balance, data.variable_debt_token),
            "whole_debt": (
                borrowing and any(v.whole_debt_without_virtual_accounting for v in variants),
                balance_of,
                data.variable_debt_token,
            ),
            "stable_debt": (
                borrowing and data.stable_debt_token != ZERO_ADDRESS and any(v.stable_debt for v in variants),
                balance_of,
                data.stable_debt_token,
            ),
        }
        asked = {name: amount_of(token, account) for name, (needed, amount_of, token) in wanted.items() if needed}
        got = yield list(asked.values())
        amounts = {name: got[call] for name, call in asked.items()}
        return Holding(asset=asset, reserve=number, collateral=collateral, borrowing=borrowing, **amounts)

    # What they share

    def market(self, accounts: Sequence[Account]) -> Plan[Market]:
        """Reserves, prices and e-modes that these accounts use, and the variant that reproduces the contract."""
        assets = dict.fromkeys(holding.asset for account in accounts for holding in account.holdings)
        revision, pool = calls.revision_of(self.pool), calls.pool_of(self.provider)
        oracle, sentinel = calls.oracle_of(self.provider), calls.sentinel_of(self.provider)
        got = yield [revision, pool, oracle, sentinel]
        yield from check_pool(self.pool, pool)
        variants = variants_of(got[revision])
        categories = dict.fromkeys(account.emode for account in accounts if account.emode)
        emodes = yield from together(self._emode(number, variants[0]) for number in categories)
        modes = dict(zip(categories, (sure(mode) for mode in emodes), strict=True))
        sources = dict.fromkeys(mode.price_source for mode in modes.values() if mode.price_source != ZERO_ADDRESS)
        priced = [*assets, *sources]
        (prices, reserves), (numeraire, allows) = yield from both(
            both(
                together(price_of(got[oracle], asset, self.place.feeds) for asset in priced),
                together(self._reserve(asset, got[revision]) for asset in assets),
            ),
            both(numeraire_of(got[oracle]), self._sentinel(got[sentinel])),
        )
        market = Market(
            at=got.at,
            revision=got[revision],
            variant=variants[0],
            numeraire=numeraire,
            reserves=dict(zip(assets, (sure(reserve) for reserve in reserves), strict=True)),
            prices=dict(zip(priced, prices, strict=True)),
            emodes=modes,
            sentinel_allows=allows,
        )
        return (yield from self._calibrated(market, accounts, variants))

    def _emode(self, number: int, variant: Variant) -> Plan[EMode]:
        if not variant.emodes_by_bitmap:
            whole = calls.emode_data(self.pool, number)
            old = (yield [whole])[whole]
            return EMode(
                ltv=old.ltv,
                threshold=old.threshold,
                collateral_bitmap=None,
                price_source=old.price_source,
                label=old.label,
            )
        config, bitmap = calls.emode_config(self.pool, number), calls.emode_bitmap(self.pool, number)
        name = calls.emode_label(self.pool, number)
        got = yield [config, bitmap, name]
        return EMode(
            ltv=got[config].ltv,
            threshold=got[config].threshold,
            collateral_bitmap=got[bitmap],
            price_source=ZERO_ADDRESS,
            label=got[name],
        )

    def _reserve(self, asset: Address, revision: int) -> Plan[Reserve]:
        data, symbol = calls.reserve_data(self.pool, asset), symbol_of(asset)
        income, debt = calls.normalized_income(self.pool, asset), calls.normalized_debt(self.pool, asset)
        grace = calls.grace_until(self.pool, asset)
        has_grace = revision >= 4
        got = yield [data, symbol, income, debt, *([grace] if has_grace else [])]
        said = got.outcome(symbol)
        word = got[data].configuration
        return Reserve(
            id=got[data].id,
            asset=Asset(
                address=asset,
                symbol=f"{asset[:6]}…{asset[-4:]}" if isinstance(said, ReadFailed) else said,
                decimals=word >> 48 & 0xFF,
            ),
            configuration=word,
            income=got[income],
            debt_index=got[debt],
            supply_rate=got[data].liquidity_rate,
            borrow_rate=got[data].variable_borrow_rate,
            rate_model=got[data].rate_strategy,
            grace_until=got[grace] if has_grace else 0,
        )

    def _sentinel(self, sentinel: Address) -> Plan[bool]:
        if sentinel == ZERO_ADDRESS:
            return True
        ask = calls.liquidation_allowed(sentinel)
        return (yield [ask])[ask]

    def _calibrated(self, market: Market, accounts: Sequence[Account], variants: Sequence[Variant]) -> Plan[Market]:
        """The market under the variant that reproduces the contract's own totals for most accounts.

        For most and not for all: one account that no variant explains must not cost the others theirs.
        """
        if len(variants) == 1:
            return market
        asked = {account.holder: calls.account_data_of(self.pool, account.holder.account) for account in accounts}
        got = yield list(asked.values())
        candidates = [replace(market, variant=variant) for variant in variants]

        def agreements(candidate: Market) -> int:
            return sum(_agrees(candidate, account, got.outcome(asked[account.holder])) for account in accounts)

        return max(candidates, key=agreements)

    # What follows

    def positions(self, market: Market, account: Account) -> Sequence[Position | Unreadable]:
        """One position: Aave liquidates a user as a whole."""
        return positions_of(self.place, market, account)

    def verdict(self, holder: Holder) -> Plan[Verdict | None]:
        """`getUserAccountData`."""
        return (yield from verdict_by(calls.account_data_of(self.pool, holder.account)))

    def after(self, market: Market, account: Account, action: Action) -> Account | Refused:
        """The account after repaying debt or supplying more of a collateral it already uses."""
        return account_after(market, account, action)

    def repriced(self, market: Market, prices: Mapping[Address, Price]) -> Market:
        return replace(market, prices={**market.prices, **prices})

    def expects(self) -> Plan[Sequence[str]]:
        """The pool and its provider must name each other, and the revision must be one we know."""
        revision = calls.revision_of(self.pool)
        got = yield [revision]
        problems = yield from pair_problems(calls.provider_of(self.pool), calls.pool_of(self.provider))
        known = got.outcome(revision)
        if isinstance(known, ReadFailed):
            problems.append(str(known))
        elif known > NEWEST_REVISION:
            problems.append(f"pool revision {known} is newer than {NEWEST_REVISION}, the newest we know")
        return problems


def _agrees(market: Market, account: Account, answer: Outcome[AccountData]) -> bool:
    """Whether our totals are the contract's. An account that the contract itself cannot value decides nothing."""
    if isinstance(answer, ReadFailed):
        return True
    try:
        found = totals(market.variant, lines_of(market, account))
    except PriceMissing:
        return True
    ours = (found.collateral, found.debt, found.health_factor)
    return ours == (answer.collateral, answer.debt, answer.health_factor)
