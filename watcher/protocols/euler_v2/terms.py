"""What a lender lays down for one account, and what is to be said of it, in words."""

from __future__ import annotations

from collections.abc import Iterator

from watcher.domain.errors import ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import Term
from watcher.domain.source import ZERO_ADDRESS
from watcher.protocols.euler_v2.calls import Ltv
from watcher.protocols.euler_v2.maths import (
    OP_LIQUIDATE,
    OP_VAULT_STATUS_CHECK,
    Account,
    Lender,
    Market,
    Stake,
    counted,
    lender_of,
    vault_of,
    waiting,
)
from watcher.protocols.figures import percent
from watcher.protocols.rounding import BPS, RAY
from watcher.reads import Outcome

_A_YEAR = 365 * 24 * 60 * 60


def terms_of(market: Market, account: Account) -> Iterator[Term]:
    """Rules first, then the figures that move by themselves. An LTV that falls is told as what it falls to."""
    lender = lender_of(market, account)
    for stake in account.stakes:
        if stake.shares:
            yield from _of_collateral(lender.ltvs[stake.vault], vault_of(market, stake).share.symbol)
    of = lender.share.symbol
    yield Term(what="price source", of=of, value=lender.oracle)
    yield Term(what="most a liquidator gains", of=of, value=percent(lender.discount, BPS))
    yield Term(what="cool-off", of=of, value=f"{lender.cool_off} s")
    yield Term(what="liquidations", of=of, value=_liquidations(lender))
    yield Term(what="borrow rate", of=of, value=f"{percent(lender.rate * _A_YEAR, RAY)} a year", set_by_rule=False)
    yield Term(what="utilisation", of=of, value=percent(lender.borrows, max(lender.assets, 1)), set_by_rule=False)


def _of_collateral(ltv: Ltv, of: str) -> Iterator[Term]:
    yield Term(what="liquidation LTV", of=of, value=percent(ltv.liquidation, BPS))
    yield Term(what="borrow LTV", of=of, value=percent(ltv.borrow, BPS))


def _hooked(lender: Lender) -> bool:
    return bool(lender.hooks.operations & (OP_LIQUIDATE | OP_VAULT_STATUS_CHECK))


def _liquidations(lender: Lender) -> str:
    if not _hooked(lender):
        return "open"
    return "disabled" if lender.hooks.target == ZERO_ADDRESS else f"if {lender.hooks.target} allows"


def notes_of(market: Market, account: Account) -> Iterator[str]:
    """Whom it owes, and what is hooked or does not count."""
    lender = lender_of(market, account)
    yield f"owed to {lender.share.symbol}" if account.debt else f"borrows from {lender.share.symbol}"
    if _hooked(lender):
        yield f"liquidations are {_liquidations(lender)}"
    counting = list(counted(market, account))
    idle = [stake for stake in account.stakes if stake.shares and stake not in counting]
    if idle:
        yield f"not counted, as its LTV is 0: {', '.join(_name(market, stake) for stake in idle)}"


def remarks_on(market: Market, account: Account, health: Health, allowed: Health | None) -> Iterator[str]:
    """What its health and the one that is `allowed` to borrow mean for it now."""
    if health.liquidatable and (seconds := waiting(market, account)):
        yield f"in its cool-off: nobody can liquidate for another {seconds} s"
    if not health.liquidatable and (allowed is None or allowed.liquidatable):
        yield "borrowing more and withdrawing collateral are refused"


def _name(market: Market, stake: Stake) -> str:
    found: Outcome[object] = market.vaults[stake.vault]
    return stake.vault if isinstance(found, ReadFailed) else vault_of(market, stake).share.symbol
