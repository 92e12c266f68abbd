"""The same promises on a real node with the real Multicall3."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.chain.conftest import SomeCall, spec_of
from tests.chain.rpc_stand_in import MULTICALL3
from tests.worlds import multicall3
from tests.worlds.anvil import Anvil, Settings
from tests.worlds.chain import Tx, named
from watcher.chain import BlockUnavailable, Chain, EndpointSpec, Pinned
from watcher.domain.errors import EndpointError
from watcher.domain.source import Address
from watcher.reads import Answers, Bundle, Call, Returned, Storage

# Runtime code, each a line of assembly.
ECHO = "60003560005260206000f3"  # mstore(0, calldataload(0)) return(0, 32)
COUNTER = "600054600101806000556000526020" + "6000f3"  # sstore(0, sload(0) + 1) and return it
BURNER = "5b600056"  # jumpdest push 0 jump: all the gas there is
REVERTER = "60003560005260206000fd"  # revert(calldata)
SILENT = "60006000fd"  # revert()


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil(Settings(chain_id=1)) as anvil:
        multicall3.install(anvil.chain)
        for label, code in (
            ("echo", ECHO),
            ("counter", COUNTER),
            ("burner", BURNER),
            ("reverter", REVERTER),
            ("silent", SILENT),
        ):
            anvil.chain.set_code(named(label), bytes.fromhex(code))
        anvil.chain.mine()
        yield anvil


def endpoint(anvil: Anvil) -> EndpointSpec:
    return EndpointSpec(name="anvil", url=anvil.url)


@pytest.fixture
async def chain(anvil: Anvil) -> AsyncIterator[Chain]:
    async with Chain(spec_of(endpoint(anvil))) as chain:
        yield chain


def ask(label: str, number: int = 0, *, isolated: bool = False) -> SomeCall:
    return Call(
        target=Address(named(label)),
        data=number.to_bytes(32, "big"),
        outputs=("uint256",),
        label=label,
        parse=int,
        isolated=isolated,
    )


def word(number: int) -> tuple[Returned]:
    return (Returned(True, number.to_bytes(32, "big")),)


async def pinned(chain: Chain) -> Pinned:
    return await chain.pin(chain.endpoints[0])


async def test_it_reads_a_thousand_calls_at_one_block(anvil: Anvil, chain: Chain) -> None:
    here = await pinned(chain)
    wanted: list[Any] = [ask("echo", n) for n in range(1000)]
    assert await here.read(wanted) == {one: word(n) for n, one in enumerate(wanted)}
    assert (here.block.number, here.block.hash) == (anvil.chain.head().number, anvil.chain.head().hash)
    assert chain.requests == {"anvil": 4}  # chain id, block, two batches


async def test_it_stays_at_its_block_when_the_chain_goes_on(anvil: Anvil, chain: Chain) -> None:
    stamp: SomeCall = Call(
        target=Address(MULTICALL3),
        data=bytes.fromhex("42cbb15c"),  # getBlockNumber()
        outputs=("uint256",),
        label="getBlockNumber",
        parse=int,
    )
    with anvil.chain.undone():
        here = await pinned(chain)
        anvil.chain.mine()
        assert Answers(here.block, dict(await here.read([stamp])))[stamp] == here.block.number
        assert (await pinned(chain)).block.number == here.block.number + 1
        assert await here.block_hash(here.block.number) == here.block.hash


async def test_it_reads_nothing_from_a_block_that_was_replaced(anvil: Anvil, chain: Chain) -> None:
    with anvil.chain.undone():
        before = anvil.chain.snapshot()
        anvil.chain.mine(timestamp=anvil.chain.head().timestamp + 5)
        here = await pinned(chain)
        anvil.chain.revert(before)
        anvil.chain.mine(timestamp=anvil.chain.head().timestamp + 7)
        assert await here.block_hash(here.block.number) != here.block.hash
        with pytest.raises(BlockUnavailable):
            await here.read([ask("echo")])


async def test_it_reads_what_earlier_calls_of_a_bundle_changed(chain: Chain) -> None:
    counted = Bundle((ask("counter"), ask("counter"), ask("echo", 9), ask("counter")))
    here = await pinned(chain)
    for _ in range(2):  # and nothing of it stays
        assert (await here.read([counted]))[counted] == (*word(1), *word(2), *word(9), *word(3))


async def test_it_keeps_reverts_and_what_they_say(chain: Chain) -> None:
    got = await (await pinned(chain)).read([ask("reverter", 5), ask("silent"), ask("echo", 1), ask("nobody")])
    assert got[ask("reverter", 5)] == (Returned(False, (5).to_bytes(32, "big")),)
    assert got[ask("silent")] == (Returned(False, b""),)
    assert got[ask("echo", 1)] == word(1)
    assert got[ask("nobody")] == (Returned(True, b""),)


async def test_it_is_right_about_the_neighbours_of_a_call_that_burns_all_gas(chain: Chain) -> None:
    here = await pinned(chain)
    wanted: list[Any] = [
        *(ask("echo", n) for n in range(100)),
        ask("burner"),
        *(ask("echo", n) for n in range(100, 200)),
    ]
    expected = {ask("echo", n): word(n) for n in range(200)} | {ask("burner"): (Returned(False, b""),)}
    for _ in range(2):
        assert await here.read(wanted) == expected
    assert (await here.read([ask("burner", 1, isolated=True)])) == {
        ask("burner", 1, isolated=True): (Returned(False, b""),)
    }


async def test_it_reads_the_same_where_multicall3_is_not_there(anvil: Anvil, chain: Chain) -> None:
    counted = Bundle((ask("counter"), ask("counter"), ask("echo", 9)))
    wanted: list[Any] = [
        *(ask("echo", n) for n in range(500)),
        ask("reverter", 5),
        ask("silent"),
        ask("nobody"),
        counted,
    ]
    with_it = await (await pinned(chain)).read(wanted)
    with anvil.chain.undone():
        anvil.chain.set_code(MULTICALL3, b"")
        anvil.chain.mine()
        assert await (await pinned(chain)).read(wanted) == with_it


async def test_it_refuses_a_node_of_another_chain(anvil: Anvil) -> None:
    async with Chain(spec_of(endpoint(anvil), chain_id=10)) as chain:
        with pytest.raises(EndpointError, match="anvil: serves chain 1, not 10"):
            await pinned(chain)


async def test_it_tells_code_from_none(chain: Chain) -> None:
    assert await chain.code_at(Address(named("echo"))) == bytes.fromhex(ECHO)
    assert await chain.code_at(Address(named("nobody"))) == b""


async def test_it_reads_storage_at_its_block_and_no_later_one(anvil: Anvil, chain: Chain) -> None:
    count = Storage(Address(named("counter")), 0, "count")
    with anvil.chain.undone():
        anvil.chain.send_all([Tx(named("anybody"), count.target, b"")])
        here = await pinned(chain)
        anvil.chain.send_all([Tx(named("anybody"), count.target, b"")])
        assert await here.read([count, ask("echo", 9)]) == {count: word(1), ask("echo", 9): word(9)}
        assert await (await pinned(chain)).read([count]) == {count: word(2)}
    nothing = Storage(Address(named("nobody")), 5, "nothing")
    assert await (await pinned(chain)).read([count, nothing]) == {count: word(0), nothing: word(0)}
