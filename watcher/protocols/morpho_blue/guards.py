"""Pre-liquidations: which an owner may have authorised, and which of them it still does.

Anybody may make one of any market, through Morpho's factory (morpho-org/pre-liquidation @ 9e8b7f4d); it can act on a
position only while its owner authorises it in Morpho. The logs tell whom an owner has ever authorised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watcher.domain.source import ZERO_ADDRESS, Address, Holder
from watcher.protocols.morpho_blue import calls
from watcher.protocols.morpho_blue.maths import Guard
from watcher.reads import Memo, Plan, lasting

_FOR_GOOD: Final = 2**40
"""Seconds: what an owner's discovery finds out here stands until its next one."""


def find(deployment: str, factory: Address, owner: Holder, contracts: Sequence[Address]) -> Plan[tuple[Guard, ...]]:
    """Which of these contracts are pre-liquidations of that factory; remembered for `of`."""
    memo = _memo(deployment, owner.account)
    return (yield from lasting(memo, lambda: _verified(factory, contracts), lasts=_FOR_GOOD, afresh=True))


def of(deployment: str, morpho: Address, holder: Holder) -> Plan[tuple[Guard, ...]]:
    """The guards of one market that its holder authorises at this block, of those that its discovery has found."""
    found = yield from lasting(_memo(deployment, holder.account), _none, lasts=0)
    asked = {one: calls.authorised(morpho, holder.account, one.contract) for one in found if one.market == holder.key}
    got = yield list(asked.values())
    return tuple(guard for guard, call in asked.items() if got[call])


def _memo(deployment: str, account: Address) -> Memo[tuple[Guard, ...]]:
    return Memo("guards", (deployment, account))


def _none() -> Plan[tuple[Guard, ...]]:
    yield []
    return ()


def _verified(factory: Address, contracts: Sequence[Address]) -> Plan[tuple[Guard, ...]]:
    """Raises `ReadFailed` where the factory, or what it made, does not answer."""
    asked = {one: calls.is_pre_liquidation(factory, one) for one in contracts if factory != ZERO_ADDRESS}
    got = yield list(asked.values())
    made = [one for one, call in asked.items() if got[call]]
    got = yield [ask(one) for one in made for ask in (calls.market_of, calls.pre_params_of)]
    return tuple(
        Guard(contract=one, market=f"0x{got[calls.market_of(one)].hex()}", params=got[calls.pre_params_of(one)])
        for one in made
    )
