"""What wallets have of tokens: ERC-20 balances, as far as the tokens tell them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from watcher.domain.errors import ReadFailed
from watcher.domain.source import Address
from watcher.reads.abi import interface
from watcher.reads.call import Call, Plan

Purse: TypeAlias = tuple[Address, Address]
"""A wallet, and a token that it may have."""
Holdings: TypeAlias = Mapping[Purse, int]
"""Balances in base units. A purse that is absent is not known; it is not empty."""

MOST: Final = 2**128 - 1
"""The largest balance that is believed: lending markets count tokens in `uint128`, and no real one comes near."""

_balance_of = interface("erc20").function("balanceOf", int, gas=40_000)  # behind a proxy, of a token that rebases


def balance_of(purse: Purse) -> Call[int]:
    """The call that tells what is in a purse."""
    wallet, token = purse
    return _balance_of(token, wallet)


def balances(purses: Iterable[Purse]) -> Plan[Holdings]:
    """All of them in one round. A token that fails or answers nonsense leaves its balances out, and no others."""
    asked = {purse: balance_of(purse) for purse in purses}
    got = yield list(asked.values())
    told = {purse: got.outcome(call) for purse, call in asked.items()}
    return {purse: amount for purse, amount in told.items() if not isinstance(amount, ReadFailed) and amount <= MOST}
