"""What a comptroller lays down for one user in one market: by the guardians of Compound, or by Venus's own switches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from watcher.domain.source import Address
from watcher.protocols.compound_v2 import calls
from watcher.protocols.compound_v2.maths import Rule
from watcher.reads import Call, Plan

_BY_LIMIT, _BY_THRESHOLD = 0, 1  # WeightFunction
_MINT, _BORROW, _REPAY, _SEIZE, LIQUIDATE = 0, 2, 3, 4, 5  # Action
_UNLIMITED: Final = 2**256 - 1


def guarded(comptroller: Address, c_token: Address, *, deprecates: bool, caps: bool) -> Plan[Rule]:
    """Compound's own, Moonwell's and Benqi's. One factor is limit and threshold at once; repaying is never paused.

    `deprecates`: a market may be given up, and its debts be liquidated in full. `caps`: it limits supply.
    """
    listing, incentive = calls.listing(comptroller, c_token), calls.incentive(comptroller)
    seizing, minting, borrowing = (
        calls.seizure_paused(comptroller),
        calls.minting_paused(comptroller, c_token),
        calls.borrowing_paused(comptroller, c_token),
    )
    given_up, cap = calls.deprecated(comptroller, c_token), calls.supply_cap(comptroller, c_token)
    optional = [*([given_up] if deprecates else []), *([cap] if caps else [])]
    got = yield [listing, incentive, seizing, minting, borrowing, *optional]
    return Rule(
        limit=got[listing].factor,
        threshold=got[listing].factor,
        incentive=got[incentive],
        forced=deprecates and got[given_up],
        liquidation_paused=False,
        seizure_paused=got[seizing],
        repayment_paused=False,
        supply_paused=got[minting],
        borrowing_paused=got[borrowing],
        supply_cap=got[cap] - 1 if caps and got[cap] else None,  # "nextTotalSupplies < supplyCap", and 0 is none
    )


def of_core(comptroller: Address, user: Address, v_token: Address) -> Plan[Rule]:
    """Venus's core pool: factors are those of the pool that the user has chosen, as far as it lists the market."""
    limit, threshold = (calls.weight_of(comptroller, user, v_token, by) for by in (_BY_LIMIT, _BY_THRESHOLD))
    incentive = calls.incentive_for(comptroller, user, v_token)
    forced, forced_for = calls.forced(comptroller, v_token), calls.forced_for(comptroller, user, v_token)
    switches = _switches(comptroller, v_token)
    cap = calls.venus_cap(comptroller, v_token)
    got = yield [limit, threshold, incentive, forced, forced_for, cap, *switches.values()]
    return Rule(
        limit=got[limit],
        threshold=got[threshold],
        incentive=got[incentive],
        forced=got[forced] or got[forced_for],
        supply_cap=got[cap],
        **{name: got[switch] for name, switch in switches.items()},
    )


def of_pool(comptroller: Address, v_token: Address) -> Plan[Rule]:
    """Venus's pools on other chains."""
    listing, incentive = calls.pool_listing(comptroller, v_token), calls.incentive(comptroller)
    forced, cap = calls.forced(comptroller, v_token), calls.venus_cap(comptroller, v_token)
    switches = _switches(comptroller, v_token)
    got = yield [listing, incentive, forced, cap, *switches.values()]
    return Rule(
        limit=got[listing].limit,
        threshold=got[listing].threshold,
        incentive=got[incentive],
        forced=got[forced],
        supply_cap=None if got[cap] == _UNLIMITED else got[cap],
        **{name: got[switch] for name, switch in switches.items()},
    )


def _switches(comptroller: Address, v_token: Address) -> Mapping[str, Call[bool]]:
    actions = {
        "liquidation_paused": LIQUIDATE,
        "seizure_paused": _SEIZE,
        "repayment_paused": _REPAY,
        "supply_paused": _MINT,
        "borrowing_paused": _BORROW,
    }
    return {name: calls.action_paused(comptroller, v_token, action) for name, action in actions.items()}
