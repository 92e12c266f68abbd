"""Smart wallets of a wallet: contracts that act for it, and hold its positions in their own name.

Maker's registry knows one DSProxy of each user: `proxies(user)`, which may have gone to another owner since, so it is
asked for its owner (makerdao/proxy-registry, src/ProxyRegistry.sol, `build`). Instadapp's list links the numbers of all
DSAs that a user is an authority of (Instadapp/dsa-contracts, contracts/registry/list.sol).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watcher.domain.errors import NotDecodable
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.reads import Memo, Plan, both, lasting
from watcher.reads.abi import interface

LASTS: Final = 86_400
"""Seconds for which it is believed that a wallet has these smart wallets and no others."""
MOST: Final = 64
"""DSAs of one wallet. Each takes a round of requests to find the next."""

proxies = interface("proxy_registry").function("proxies", Address)
owner_of = interface("ds_proxy").function("owner", Address)


@dataclass(frozen=True, slots=True)
class Link:
    """The DSAs of a user, by number: the first, the last, and how many there are."""

    first: int
    last: int
    count: int


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The numbers before and after one, 0 where there is none."""

    before: int
    after: int


user_link = interface("insta_list").function("userLink", Link)
user_list = interface("insta_list").function("userList", Neighbours)
account_of = interface("insta_list").function("accountAddr", Address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registries:
    """Where a chain's smart wallets are told, as far as they are."""

    proxies: Address | None = None
    dsas: Address | None = None


@dataclass(frozen=True, slots=True)
class SmartWallet:
    """A contract that acts for a wallet; `name` is what people call it."""

    account: Address
    name: str


def smart_wallets_of(wallet: Address, registries: Registries) -> Plan[Sequence[SmartWallet]]:
    """All that the registries know of, asked once a day. Raises `ReadFailed`."""
    if registries == Registries():
        return ()
    memo: Memo[Sequence[SmartWallet]] = Memo("smart wallets", (wallet, registries))
    return (yield from lasting(memo, lambda: _told(wallet, registries), lasts=LASTS))


def _told(wallet: Address, registries: Registries) -> Plan[Sequence[SmartWallet]]:
    proxy, dsas = yield from both(_proxy(wallet, registries.proxies), _dsas(wallet, registries.dsas))
    return (*proxy, *dsas)


def _proxy(wallet: Address, registry: Address | None) -> Plan[Sequence[SmartWallet]]:
    if registry is None:
        return ()
    ask = proxies(registry, wallet)
    proxy = (yield [ask])[ask]
    if proxy == ZERO_ADDRESS:
        return ()
    owner = owner_of(proxy)
    return (SmartWallet(proxy, "DSProxy"),) if (yield [owner])[owner] == wallet else ()


def _dsas(wallet: Address, listed: Address | None) -> Plan[Sequence[SmartWallet]]:
    if listed is None:
        return ()
    ask = user_link(listed, wallet)
    link = (yield [ask])[ask]
    if link.count > MOST:
        raise NotDecodable(f"{ask}: {link.count} DSAs of one wallet, more than the {MOST} that we follow")
    numbers, at = list[int](), link.first
    for _ in range(link.count):
        if at == 0:
            break
        numbers.append(at)
        step = user_list(listed, wallet, at)
        at = (yield [step])[step].after if at != link.last else 0
    if len(numbers) != link.count:
        raise NotDecodable(f"{ask}: {link.count} DSAs, and {len(numbers)} that are linked")
    asked = {number: account_of(listed, number) for number in numbers}
    got = yield list(asked.values())
    return tuple(SmartWallet(got[asked[number]], f"DSA {number}") for number in numbers)
