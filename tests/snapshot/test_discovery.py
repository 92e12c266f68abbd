"""Where owners hold anything: found out now and then, unsearched until it is not, and through smart wallets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from tests.chain.conftest import spec_of
from tests.log_bank import deployed
from tests.protocols.worlds import watched_in
from tests.snapshot.ledger import BANK, Bank, Ledger, ask, ledger, wallet, watched
from tests.worlds import multicall3
from tests.worlds.aave_v36 import AaveV36World
from tests.worlds.anvil import Anvil, Settings
from tests.worlds.cache import open_world
from tests.worlds.chain import named
from tests.worlds.own import own
from watcher.alerts.happened import What
from watcher.chain import Chain, EndpointSpec
from watcher.domain.position import Because
from watcher.domain.searched import Searched
from watcher.domain.source import Address, Holder
from watcher.happenings import Baseline
from watcher.protocols.owners import Registries
from watcher.reads import Plan
from watcher.snapshot import Snapshot, Watched, take

EVERY = 300
SENDER, ALICE, BOB = named("sender"), Address(named("alice")), Address(named("bob"))


@dataclass
class Later(Ledger):
    """A block that comes some seconds later."""

    def after(self, seconds: int) -> Later:
        number, at = self.block.number + 1, self.block.timestamp + seconds
        return replace(self, rounds=[], block=replace(self.block, number=number, hash=f"0x{number:02x}", timestamp=at))


@dataclass(frozen=True)
class Seldom(Bank):
    """A bank that is asked apart whether somebody has anything there."""

    def discover(self, owner: Holder, found: object) -> Plan[tuple[Holder, ...]]:
        there = ask(self.bank, "there", int(owner.account, 16))
        return (owner,) if (yield [there])[there] else ()


def seldom(*owners: Address) -> Watched:
    plain = watched(*owners)
    reader = Seldom(place=plain.deployment.reader.place, bank=BANK)
    return replace(plain, deployment=replace(plain.deployment, reader=reader), discovered_for=EVERY)


def bank_of(*there: Address) -> Later:
    table = ledger(dict.fromkeys(there, 6)).table
    table |= {ask(BANK, "there", number): int(wallet(number) in there) for number in range(1, 4)}
    return Later(table)


# --- Remembered -------------------------------------------------------------------------------------------------------


async def test_it_asks_nothing_for_who_has_nothing_until_it_is_time_again() -> None:
    everybody = seldom(wallet(1), wallet(2))
    at = bank_of()
    first = await take(at, [everybody])
    assert len(at.rounds) == 1
    for seconds in (1, EVERY - 1):
        later = at.after(seconds)
        assert not (await take(later, [everybody], known=first.known)).held
        assert later.rounds == []
    due = at.after(EVERY)
    await take(due, [everybody], known=first.known)
    assert len(due.rounds) == 1


async def test_it_finds_what_was_opened_meanwhile_and_says_since_when_it_may_be() -> None:
    everybody = seldom(wallet(1), wallet(2))
    at = bank_of()
    first = await take(at, [everybody])
    opened = bank_of(wallet(2))
    missed = replace(opened.after(EVERY - 12), rounds=[])
    second = await take(missed, [everybody], known=first.known)
    assert not second.held
    found = await take(missed.after(12), [everybody], known=second.known)
    assert [one.position.id.wallet for one in found.held] == [wallet(2)]
    baseline, events = Baseline.of(first).then(second)
    assert not events
    _, [event] = baseline.then(found)
    assert (event.what, event.unseen) == (What.OPENED, EVERY)


async def test_it_knows_to_a_block_when_it_was_opened_where_each_look_asks() -> None:
    everybody = replace(seldom(wallet(1)), discovered_for=0)
    at = bank_of()
    first = await take(at, [everybody])
    found = await take(bank_of(wallet(1)).after(12), [everybody], known=first.known)
    _, [event] = Baseline.of(first).then(found)
    assert (event.what, event.unseen) == (What.OPENED, 0)


async def test_it_reads_what_it_has_found_with_every_look() -> None:
    """A close is seen at once."""
    everybody, at = seldom(wallet(1)), bank_of(wallet(1))
    first = await take(at, [everybody])
    closed = bank_of().after(12)
    closed.table |= ledger({wallet(1): 0}).table
    second = await take(closed, [everybody], known=first.known)
    _, [event] = Baseline.of(first).then(second)
    assert event.what is What.CLOSED


async def test_it_asks_nothing_of_aave_for_wallets_without_a_position() -> None:
    """Counted on a real market: the calls of a look, with a hundred wallets that have nothing there beside one that has
    something, are those of that one alone."""
    with open_world(AaveV36World, accounts=8, seed=5) as world:
        nobody = [Address(named(f"nobody {number}")) for number in range(100)]
        one = [Address(world.accounts[0])]

        async def calls(who: list[Address]) -> tuple[Snapshot, int, int]:
            here = replace(watched_in(world, who), discovered_for=EVERY)
            spec = replace(spec_of(EndpointSpec(name="anvil", url=world.url)), id=world.anvil.settings.chain_id)
            spec = replace(spec, multicall3=Address(world.multicall3), known=None)
            async with Chain(spec) as chain:
                first = await chain.first(lambda at: take(at, [here]))
                before = chain.requests["anvil"]
                second = await chain.first(lambda at: take(at, [here], first.asked, known=first.known))
                return second, len(second.asked), chain.requests["anvil"] - before

        with_all, asked_of_all, requests_for_all = await calls(one + nobody)
        alone, asked_alone, requests_alone = await calls(one)
        assert len(with_all.held) == len(alone.held) == 1
        assert (asked_of_all, requests_for_all) == (asked_alone, requests_alone)
        empty, asked, requests = await calls(nobody)
        assert (len(empty.held), asked, requests) == (0, 0, 1)  # the head
        assert not empty.asked


# --- Found in logs ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil(Settings(chain_id=1)) as anvil:
        multicall3.install(anvil.chain)
        yield anvil


@dataclass
class Banking:
    """The bank on a chain, and looks at it."""

    anvil: Anvil
    watched: Watched
    known: dict[object, object] = field(default_factory=dict)

    def open(self, market: int, owner: Address, amount: int = 5) -> str:
        emitter = self.watched.deployment.reader.emitter  # type: ignore[attr-defined]
        key = market.to_bytes(32, "big")
        self.anvil.chain.send(SENDER, emitter, "open(bytes32,address,uint256)", key, owner, amount)
        return key.hex()

    async def look(self, here: Watched) -> Snapshot:
        async with Chain(spec_of(EndpointSpec(name="anvil", url=self.anvil.url))) as chain:
            return await chain.first(lambda at: take(at, [here]))


@pytest.fixture
def banking(anvil: Anvil) -> Banking:
    emitter = Address(anvil.chain.deploy(SENDER, own("LogsEmitter").creation()))
    deployment = deployed(emitter)
    return Banking(anvil, Watched(deployment=deployment, holders=(Holder.of(ALICE), Holder.of(BOB))))


async def test_it_says_what_is_not_searched_and_of_whom(banking: Banking) -> None:
    seen = await banking.look(banking.watched)
    head = seen.block.number
    assert {(one.place, one.ranges) for one in seen.unsearched} == {
        (("log_bank", ALICE), ((0, head),)),
        (("log_bank", BOB), ((0, head),)),
    }
    assert seen.owners == {"log_bank": banking.watched.holders}
    search = banking.watched.deployment.reader.search(Holder.of(ALICE))
    assert search is not None
    part = {
        ALICE: Searched(mark=search.mark, ranges=((0, head),)),
        BOB: Searched(mark="of another", ranges=((0, head),)),
    }
    seen = await banking.look(replace(banking.watched, searched=part, searched_to=head))
    assert [one.wallet for one in seen.unsearched] == [BOB]


async def test_it_reads_what_the_logs_have_told_of(banking: Banking) -> None:
    key, closed = banking.open(7, ALICE), banking.open(8, ALICE, 0)
    seen = await banking.look(replace(banking.watched, found={ALICE: (key, closed)}))
    assert [(one.position.id.wallet, one.position.id.key) for one in seen.held] == [(ALICE, key)]


async def test_it_calls_nothing_opened_that_was_only_found_late(banking: Banking) -> None:
    """Not while its logs were not searched; when they were, what comes is new."""
    first = await banking.look(banking.watched)
    key = banking.open(7, ALICE)
    found = await banking.look(replace(banking.watched, found={ALICE: (key,)}))
    baseline, events = Baseline.of(first).then(found)
    assert not events
    assert ("log_bank", ALICE) not in baseline.covered
    assert not baseline.to_keep(None, found)
    searched = {}
    for owner in (ALICE, BOB):
        search = banking.watched.deployment.reader.search(Holder.of(owner))
        assert search is not None
        searched[owner] = Searched(mark=search.mark, ranges=((0, found.block.number),))
    whole = replace(banking.watched, found={ALICE: (key,)}, searched=searched, searched_to=found.block.number)
    banking.anvil.chain.mine()
    baseline, events = baseline.then(await banking.look(whole))
    assert not events
    other = banking.open(9, BOB)
    _, events = baseline.then(await banking.look(replace(whole, found={ALICE: (key,), BOB: (other,)})))
    assert [(one.what, one.position.id.wallet) for one in events] == [(What.OPENED, BOB)]


# --- Through smart wallets --------------------------------------------------------------------------------------------


async def test_it_looks_for_smart_wallets_too_and_says_whose_and_which_they_are(banking: Banking) -> None:
    chain, safe = banking.anvil.chain, Address(named("safe"))
    registry = Address(chain.deploy(SENDER, own("SmartProxyRegistry").creation()))
    chain.send(SENDER, registry, "build(address)", ALICE)
    proxy = Address(chain.view(registry, "proxies(address)(address)", ALICE)[0])
    keys = {owner: (banking.open(7, owner),) for owner in (ALICE, proxy, safe)}
    owners = (Holder.of(ALICE), Holder(wallet=ALICE, account=safe), Holder.of(BOB))
    here = replace(banking.watched, holders=owners, found=keys, registries=Registries(proxies=registry))
    seen = await banking.look(here)
    assert {(p.id.wallet, p.id.account, p.notes) for p in seen.positions} == {
        (ALICE, ALICE, ()),
        (ALICE, proxy, ("held by its DSProxy",)),
        (ALICE, safe, ("held by its smart wallet",)),
    }
    assert {one.account for one in seen.owners["log_bank"]} == {ALICE, BOB, safe, proxy}
    assert {one.account for one in seen.unsearched} == {ALICE, BOB, safe, proxy}
    once = await banking.look(replace(here, holders=(*owners, Holder.of(proxy))))
    assert sorted(str(p.id.wallet) for p in once.positions) == sorted([ALICE, ALICE, proxy])  # watched by itself


async def test_it_loses_no_position_of_a_wallet_whose_smart_wallets_cannot_be_told() -> None:
    at = ledger({wallet(1): 6})
    nowhere = Address("0x" + "0d" * 20)
    here = replace(watched(wallet(1)), registries=Registries(proxies=nowhere))
    seen = await take(at, [here])
    assert [one.position.id.wallet for one in seen.held] == [wallet(1)]
    [lost] = seen.unreadable
    assert (lost.id.key, lost.because) == ("smart wallets", Because.REVERTED)
    assert not seen.covered
