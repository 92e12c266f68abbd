"""Whatever carries a batch of calls to their targets, the same comes back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chain.conftest import call, spec_of
from tests.chain.rpc_stand_in import RpcStandIn, result
from tests.worlds import multicall3
from tests.worlds.anvil import Anvil, Settings
from tests.worlds.chain import named
from watcher.chain import Chain, EndpointSpec
from watcher.chain.aggregator import CONSTRUCTOR, RUNTIME, decode_returned, encode_calls
from watcher.chain.carrier import Carrier
from watcher.chain.packing import Limits
from watcher.domain.errors import EndpointError, NotDecodable
from watcher.domain.source import Address
from watcher.reads import Bundle, Call

MIRROR = "366000600037366000f3"  # calldatacopy(0, 0, calldatasize) return(0, calldatasize)
COMPLAINER = "366000600037366000fd"  # the same, as a revert
COUNTER = "6000546001018060005560005260206000f3"  # sstore(0, sload(0) + 1) and return it
CLOCK = "4260005260206000f3"  # return(timestamp)


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil(Settings(chain_id=1)) as anvil:
        multicall3.install(anvil.chain)
        for label, code in (("mirror", MIRROR), ("complainer", COMPLAINER), ("counter", COUNTER), ("clock", CLOCK)):
            anvil.chain.set_code(named(label), bytes.fromhex(code))
        anvil.chain.mine()
        yield anvil


def ask(label: str, data: bytes = b"") -> Call[Any]:
    return Call(target=Address(named(label)), data=data, outputs=("uint256",), label=label, parse=int)


def anything(seed: int) -> list[Any]:
    """Calls that succeed, revert, say nothing, a word, or as much as a page; and a bundle that changes state."""
    dice = random.Random(seed)
    sizes = (0, 1, 31, 32, 33, 500, 3000)
    calls = [
        ask(dice.choice(["mirror", "complainer", "nobody", "clock"]), dice.randbytes(dice.choice(sizes)))
        for _ in range(dice.randint(1, 150))
    ]
    return [*calls, Bundle((ask("counter"), ask("counter"), ask("mirror", dice.randbytes(40)), ask("counter")))]


async def read_by(carrier: Carrier, anvil: Anvil, wanted: list[Any]) -> Any:
    async with Chain(spec_of(EndpointSpec(name="anvil", url=anvil.url))) as chain:
        pinned = await chain.pin(chain.endpoints[0])
        pinned._endpoint.learned.carrier = carrier
        read = await pinned.read(wanted)
        assert pinned._endpoint.learned.carrier is carrier
        return read


@pytest.mark.parametrize("seed", range(8))
async def test_it_returns_the_same_whatever_carries_the_calls(anvil: Anvil, seed: int) -> None:
    wanted = anything(seed)
    expected = await read_by(Carrier.MULTICALL3, anvil, wanted)
    assert await read_by(Carrier.OVERRIDE, anvil, wanted) == expected
    assert await read_by(Carrier.CONSTRUCTOR, anvil, wanted) == expected


async def test_it_halves_what_a_constructor_may_not_return(anvil: Anvil) -> None:
    wanted: list[Any] = [ask("mirror", bytes([n]) * 1000) for n in range(40)]  # 40,000 bytes
    read = await read_by(Carrier.CONSTRUCTOR, anvil, wanted)
    assert [read[one][0].data for one in wanted] == [one.data for one in wanted]


@pytest.mark.parametrize(
    ("overrides", "carrier"),
    [("honoured", Carrier.OVERRIDE), ("ignored", Carrier.CONSTRUCTOR), ("refused", Carrier.CONSTRUCTOR)],
)
async def test_it_finds_what_works_once_and_remembers_it(
    node: RpcStandIn, chain: Chain, overrides: str, carrier: Carrier
) -> None:
    expected = await (await chain.pin(chain.endpoints[0])).read([call(1), call(2)])
    node.has_multicall3, node.overrides = False, overrides
    assert await (await chain.pin(chain.endpoints[0])).read([call(1), call(2)]) == expected
    before = node.count("eth_call")
    assert await (await chain.pin(chain.endpoints[0])).read([call(1), call(2)]) == expected
    assert node.count("eth_call") == before + 1
    pinned = await chain.pin(chain.endpoints[0])
    assert pinned._endpoint.learned.carrier is carrier


async def test_it_says_where_nothing_carries_a_call(node: RpcStandIn, chain: Chain) -> None:
    node.has_multicall3 = False
    pinned = await chain.pin(chain.endpoints[0])

    node.faults["eth_call"] = result("0x")
    with pytest.raises(EndpointError, match=r"no Multicall3 at .* and it runs no program of ours either"):
        await pinned.read([call(1)])


def test_it_packs_no_more_than_a_constructor_takes() -> None:
    wide = Limits(gas=10**9, calls=400, calldata=400_000)
    assert Carrier.MULTICALL3.within(wide) == wide
    assert Carrier.CONSTRUCTOR.within(wide).calldata + len(CONSTRUCTOR) <= 49_152


def test_it_reads_no_block_number_inside_the_chain() -> None:
    """On Arbitrum that is the number of the Ethereum block: only the time can be compared with our block's."""
    number = 0x43
    for program in (RUNTIME, CONSTRUCTOR):
        at = 0
        while at < len(program):
            assert program[at] != number
            at += 1 + (program[at] - 0x5F if 0x60 <= program[at] <= 0x7F else 0)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "too few for a timestamp"),
        (bytes(63), "too few for a timestamp and a chain id"),
        (bytes(64), "the results end before result 0 of 1"),
        (bytes(64) + bytes([2]) + bytes(4), "result 0 is not a flag"),
        (bytes(64) + bytes([1]) + b"\xff\xff\xff\xff" + bytes(9), "result 0 is not a flag"),
        (bytes(64) + bytes([1]) + bytes(4) + b"x", "1 bytes after the last result"),
    ],
)
def test_it_takes_nothing_that_the_program_never_gives(data: bytes, problem: str) -> None:
    with pytest.raises(NotDecodable, match=problem):
        decode_returned(data, 1)


def test_it_writes_calls_one_behind_the_other() -> None:
    target = Address(named("mirror"))
    assert encode_calls([(target, b"ab"), (target, b"")]) == (
        bytes.fromhex(target[2:]) + b"\x00\x00\x00\x02ab" + bytes.fromhex(target[2:]) + bytes(4)
    )
