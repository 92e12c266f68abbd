"""What wallets have: ERC-20 balances, as far as the tokens tell them, and the chain's own coin."""

from __future__ import annotations

from collections.abc import Mapping
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
_coins_of = interface("multicall3").function("getEthBalance", int, gas=10_000)


def balance_of(purse: Purse) -> Call[int]:
    """The call that tells what is in a purse."""
    wallet, token = purse
    return _balance_of(token, wallet)


def coins_of(wallet: Address, multicall3: Address) -> Call[int]:
    """The call that tells what a wallet has of the chain's own coin."""
    return _coins_of(multicall3, wallet)


def told(asked: Mapping[Purse, Call[int]]) -> Plan[Holdings]:
    """All of them in one round. A token that fails or answers nonsense leaves its balances out, and no others."""
    got = yield list(asked.values())
    found = {purse: got.outcome(call) for purse, call in asked.items()}
    return {purse: amount for purse, amount in found.items() if not isinstance(amount, ReadFailed) and amount <= MOST}
