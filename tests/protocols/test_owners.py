"""Smart wallets, found through contracts of the registries' interfaces on a real node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.oracles.node import Node
from tests.oracles.node import node as open_node
from tests.worlds.chain import named
from tests.worlds.own import own
from watcher.domain.errors import ReadFailed
from watcher.domain.source import Address
from watcher.protocols.owners import LASTS, MOST, Registries, SmartWallet, smart_wallets_of
from watcher.reads import Answers

USER, OTHER = Address(named("user of smart wallets")), Address(named("another user"))


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with open_node() as node:
        yield node


@pytest.fixture
def both(node: Node) -> Registries:
    return Registries(proxies=node.deploy(own("SmartProxyRegistry")), dsas=node.deploy(own("SmartDsaList")))


def dsas(node: Node, listed: Address | None, count: int, user: Address = USER) -> list[SmartWallet]:
    assert listed is not None
    made = []
    for number in range(count):
        account = Address(named(f"dsa {number} of {user}"))
        node.send(listed, "create(address,address)", user, account)
        made.append(SmartWallet(account, f"DSA {node.view(listed, 'accounts()(uint64)')}"))
    return made


def found(node: Node, registries: Registries, user: Address = USER) -> Sequence[SmartWallet]:
    return node.run(smart_wallets_of(user, registries))


def test_it_finds_the_proxy_and_every_dsa_of_a_user_and_nobody_elses(node: Node, both: Registries) -> None:
    assert both.proxies is not None
    node.send(both.proxies, "build(address)", USER)
    dsas(node, both.dsas, 2, OTHER)
    mine = dsas(node, both.dsas, 3)
    proxy = Address(node.view(both.proxies, "proxies(address)(address)", USER))
    assert list(found(node, both)) == [SmartWallet(proxy, "DSProxy"), *mine]
    assert [one.name for one in found(node, both, OTHER)] == ["DSA 1", "DSA 2"]
    assert found(node, both, Address(named("nobody with smart wallets"))) == ()


def test_it_leaves_out_a_proxy_that_was_given_away(node: Node, both: Registries) -> None:
    assert both.proxies is not None
    node.send(both.proxies, "build(address)", USER)
    proxy = Address(node.view(both.proxies, "proxies(address)(address)", USER))
    node.send(proxy, "setOwner(address)", OTHER)
    assert found(node, both) == ()


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_it_leaves_out_a_dsa_that_forbade_the_user(node: Node, both: Registries, gone: int) -> None:
    assert both.dsas is not None
    mine = dsas(node, both.dsas, 3)
    node.send(both.dsas, "forbid(address,uint64)", USER, gone)
    assert list(found(node, both)) == [one for one in mine if one.name != f"DSA {gone}"]


def test_it_finds_one_that_another_user_made_and_shared(node: Node, both: Registries) -> None:
    assert both.dsas is not None
    [theirs] = dsas(node, both.dsas, 1, OTHER)
    node.send(both.dsas, "allow(address,uint64)", USER, 1)
    assert list(found(node, both)) == [theirs]


@pytest.mark.parametrize(("count", "said"), [(MOST + 1, "more than the 64"), (3, "3 DSAs, and 2 that are linked")])
def test_it_refuses_a_list_that_does_not_hold_together(node: Node, both: Registries, count: int, said: str) -> None:
    assert both.dsas is not None
    dsas(node, both.dsas, 2)
    node.send(both.dsas, "lie(address,uint64)", USER, count)
    with pytest.raises(ReadFailed, match=said):
        found(node, both)


def test_it_says_so_where_no_registry_lives(node: Node) -> None:
    with pytest.raises(ReadFailed, match="no contract lives there"):
        found(node, Registries(proxies=Address(named("no registry"))))
    with pytest.raises(ReadFailed, match="no contract lives there"):
        found(node, Registries(dsas=Address(named("no list"))))


def test_it_asks_nothing_on_a_chain_without_registries(node: Node) -> None:
    node.asked.clear()
    assert found(node, Registries()) == ()
    assert not node.asked


def test_it_asks_once_a_day(node: Node, both: Registries) -> None:
    dsas(node, both.dsas, 1)
    first = Answers(node.block)
    assert len(node.finished(smart_wallets_of(USER, both), first)) == 1
    dsas(node, both.dsas, 1)
    node.asked.clear()
    assert len(node.finished(smart_wallets_of(USER, both), Answers(node.block, known=first.known))) == 1
    assert not node.asked
    node.chain.increase_time(LASTS)
    assert len(node.finished(smart_wallets_of(USER, both), Answers(node.block, known=first.known))) == 2
