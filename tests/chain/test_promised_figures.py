"""C4, C5 and F2 on a real node: what a giant costs, how long who is left in peace, and no URL of a contract's."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from web3.exceptions import OffchainLookup

from tests.chain.conftest import Clock, SomeCall, call, spec_of
from tests.chain.modes import MIB, bomb, error, giant_body, gzip_bomb, hang_after_headers, timeout, too_many
from tests.chain.proxy import Mode, Proxy
from tests.chain.rpc_stand_in import MULTICALL3
from tests.chain.swallowing import Cost
from tests.worlds import multicall3
from tests.worlds.anvil import Anvil
from tests.worlds.chain import named
from watcher.chain import Chain, Pinned
from watcher.chain.provider import web3_at
from watcher.domain.errors import EndpointError
from watcher.domain.source import Address
from watcher.reads import Call

CALL = "eth_call"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil() as anvil:
        multicall3.install(anvil.chain)
        anvil.chain.mine()
        yield anvil


@pytest.fixture
async def proxy(anvil: Anvil) -> AsyncIterator[Proxy]:
    async with Proxy(anvil.url, name="alpha") as proxy:
        yield proxy


@pytest.fixture
async def other(anvil: Anvil) -> AsyncIterator[Proxy]:
    async with Proxy(anvil.url, name="beta") as proxy:
        yield proxy


def chain_of(*proxies: Proxy, clock: Clock | None = None) -> Chain:
    spec = spec_of(*(proxy.endpoint for proxy in proxies), chain_id=31337)
    return Chain(spec, clock=clock, wall_clock=clock) if clock else Chain(spec)


async def read_one(pinned: Pinned) -> str:
    await pinned.read([call(1)])
    return pinned.endpoint


# --- C4 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the peak of memory")
@pytest.mark.parametrize("mode", [giant_body, gzip_bomb])
async def test_it_refuses_what_is_too_large_within_a_second_and_32_mib(proxy: Proxy, mode: Mode) -> None:
    bomb()  # made before the clock runs
    proxy.meets(mode, method=CALL)
    cost = await cost_of_reading(proxy.url)
    assert "longer than the 16777216 bytes that we take" in cost.problem
    assert cost.seconds <= 1
    assert cost.growth <= 32 * MIB


async def cost_of_reading(url: str) -> Cost:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chain.swallowing", url), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await child.communicate()
    return Cost(**json.loads(told))


# --- C5 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize("status", [429, 503])
async def test_it_asks_nothing_before_the_time_that_it_was_told_to_wait(
    proxy: Proxy, other: Proxy, as_date: bool, status: int
) -> None:
    clock = Clock(1_760_000_000.0)
    wait = formatdate(clock.now + 90, usegmt=True) if as_date else "90"
    proxy.meets(too_many(wait, status=status), nth=1)
    async with chain_of(proxy, other, clock=clock) as chain:
        assert await chain.first(read_one) == "beta"
        other.meets(error(-32000, "boom"))
        for _ in range(89):
            clock.now += 1
            with pytest.raises(EndpointError):
                await chain.first(read_one)
        assert proxy.count() == 1
        clock.now += 1
        assert await chain.first(read_one) == "alpha"


async def test_it_does_not_wait_for_ever_because_somebody_says_so(proxy: Proxy) -> None:
    clock = Clock(1_760_000_000.0)
    proxy.meets(too_many("999999999"), nth=1)
    async with chain_of(proxy, clock=clock) as chain:
        with pytest.raises(EndpointError):
            await chain.first(read_one)
        clock.now += 601
        assert await chain.first(read_one) == "alpha"


@pytest.mark.parametrize(("mode", "method"), [(timeout, "*"), (hang_after_headers, CALL)])
async def test_it_is_at_the_next_endpoint_within_three_seconds_of_a_hang(
    proxy: Proxy, other: Proxy, mode: Mode, method: str
) -> None:
    proxy.meets(mode, method=method)
    async with chain_of(proxy, other) as chain:
        began = time.monotonic()
        assert await chain.first(read_one) == "beta"
        assert time.monotonic() - began <= 3


# --- F2 ---------------------------------------------------------------------------------------------------------------

_LOOKUP = keccak(b"OffchainLookup(address,string[],bytes,bytes4,bytes)")[:4]  # EIP-3668


def offchain_lookup(sender: str, url: str) -> bytes:
    """The revert by which a contract asks its reader to fetch a URL."""
    asked = [sender, [url, f"{url}/{{sender}}/{{data}}.json"], b"question", b"\x12\x34\x56\x78", b"more"]
    return _LOOKUP + encode(["address", "string[]", "bytes", "bytes4", "bytes"], asked)


def reverting_with(data: bytes) -> bytes:
    """Runtime code: copy what follows the code into memory, and revert with it."""
    size, start = len(data).to_bytes(2, "big"), 15
    return bytes.fromhex(f"61{size.hex()}600f60003961{size.hex()}6000fd").ljust(start, b"\0") + data


class Listener:
    """Counts who comes."""

    def __init__(self) -> None:
        self.visits = 0

    async def visit(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        writer.close()


@pytest.fixture
async def named_by_contract() -> AsyncIterator[tuple[Listener, str]]:
    listener = Listener()
    server = await asyncio.start_server(listener.visit, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield listener, f"http://127.0.0.1:{port}"


def asking(target: str) -> SomeCall:
    return Call(target=Address(target), data=bytes(36), outputs=("uint256",), label="lookup", parse=int)


async def test_it_opens_no_url_that_a_contract_names(
    anvil: Anvil, proxy: Proxy, named_by_contract: tuple[Listener, str]
) -> None:
    listener, url = named_by_contract
    lure = named("lure")
    revert = offchain_lookup(lure, url)
    with anvil.chain.undone():
        anvil.chain.set_code(lure, reverting_with(revert))
        anvil.chain.mine()
        async with chain_of(proxy) as chain:
            pinned = await chain.pin(chain.endpoints[0])
            [returned] = (await pinned.read([asking(lure)]))[asking(lure)]
            assert (returned.success, returned.data) == (False, revert)
            web3 = web3_at(pinned._endpoint)
            with pytest.raises(OffchainLookup):
                await web3.eth.call({"to": Address(lure), "data": "0x00"})  # type: ignore[typeddict-item]
            await chain.code_at(Address(lure))
    assert listener.visits == 0


async def test_it_opens_no_url_that_an_endpoint_names_in_a_contracts_place(
    proxy: Proxy, named_by_contract: tuple[Listener, str]
) -> None:
    listener, url = named_by_contract
    data = "0x" + offchain_lookup(MULTICALL3, url).hex()
    proxy.meets(error(3, "execution reverted", data=data), method=CALL)
    async with chain_of(proxy) as chain:
        with pytest.raises(EndpointError, match="failed as Multicall3 never does"):
            await chain.first(read_one)
    assert listener.visits == 0
