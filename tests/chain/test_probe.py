"""What is found out about one endpoint, from real nodes and from hostile ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import aiohttp
import pytest

from tests.chain.conftest import spec_of
from tests.chain.rpc_stand_in import SECRETS, RpcStandIn, error, raw, result, silence
from tests.worlds import multicall3
from tests.worlds.anvil import Anvil
from watcher.chain import ChainSpec, EndpointSpec, Timeouts, open_session
from watcher.chain.carrier import Carrier
from watcher.chain.probe import Probe, probe
from watcher.chain.spec import KnownBlock

QUICK = Timeouts(connect=0.5, total=0.5)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil() as anvil:
        multicall3.install(anvil.chain)
        anvil.chain.rpc.request("anvil_mine", hex(140))
        yield anvil


def local(anvil: Anvil, url: str = "") -> ChainSpec:
    return spec_of(EndpointSpec(name="node", url=url or anvil.url), chain_id=31337)


async def asked(spec: ChainSpec, session: aiohttp.ClientSession, within: float = 5.0) -> Probe:
    return await probe(spec, spec.endpoints[0], session, within=within, timeouts=QUICK)


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_it_finds_what_a_real_node_can(anvil: Anvil, session: aiohttp.ClientSession, scheme: str) -> None:
    genesis = KnownBlock(number=0, hash=anvil.chain.rpc.request("eth_getBlockByNumber", "0x0", False)["hash"])
    spec = replace(local(anvil, anvil.url.replace("http", scheme)), known=genesis)
    found = await asked(spec, session)
    head = anvil.chain.head()
    assert (found.problem, found.unsure, found.wire) == ("", "", scheme)
    assert found.head is not None
    assert (found.chain_id, found.head.number, found.head.hash) == (31337, head.number, head.hash)
    assert found.latency is not None
    assert 0 < found.latency < 0.5
    assert (found.known_block, found.by_hash) == (True, True)
    assert found.carriers == dict.fromkeys(Carrier, True)
    assert found.calls == 500
    assert found.gas is not None
    assert found.gas > 10_000_000
    assert found.state == {128: True}
    assert found.subscribes is (True if scheme == "ws" else None)
    if scheme == "http":
        assert found.ahead is None or abs(found.ahead) < 2


async def test_it_knows_another_chain_by_its_number_and_by_its_blocks(
    node: RpcStandIn, session: aiohttp.ClientSession
) -> None:
    spec = spec_of(node.endpoint)
    right = KnownBlock(number=node.head.number, hash="0x" + "ab" * 32)
    assert (await asked(replace(spec, known=right), session)).known_block
    wrong = KnownBlock(number=node.head.number, hash="0x" + "cd" * 32)
    assert (await asked(replace(spec, known=wrong), session)).known_block is False
    forgotten = KnownBlock(number=1, hash="0x" + "cd" * 32)
    assert (await asked(replace(spec, known=forgotten), session)).known_block is None
    node.chain_id = 10
    before = len(node.asked)
    assert (await asked(spec, session)).chain_id == 10
    assert len(node.asked) == before + 1


async def test_it_tells_what_is_not_understood_from_what_is_not_there(
    node: RpcStandIn, session: aiohttp.ClientSession
) -> None:
    node.understands_block_hash = False
    node.faults["eth_getBalance"] = error(-32000, "missing trie node ab12 (path ) state is not available")
    node.gas_cap = 5_000_000
    found = await asked(spec_of(node.endpoint), session)
    assert (found.by_hash, found.state, found.calls) == (False, {128: False, 10_000: False}, 60)
    node.has_multicall3 = False
    found = await asked(spec_of(node.endpoint), session)
    assert found.carriers == {Carrier.MULTICALL3: False, Carrier.OVERRIDE: True, Carrier.CONSTRUCTOR: True}
    assert found.calls == 500
    node.faults["eth_call"] = result("0x")
    found = await asked(spec_of(node.endpoint), session)
    assert (found.carriers, found.gas, found.calls) == (dict.fromkeys(Carrier, False), None, None)


async def test_it_measures_how_far_the_clock_of_a_server_is_ahead(
    node: RpcStandIn, session: aiohttp.ClientSession
) -> None:
    spec = spec_of(node.endpoint)
    found = await probe(spec, node.endpoint, session, timeouts=QUICK, wall_clock=lambda: time.time() - 90)
    assert found.ahead is not None
    assert 88 < found.ahead < 92


async def test_it_keeps_what_it_knows_when_one_question_hangs(node: RpcStandIn, session: aiohttp.ClientSession) -> None:
    release = asyncio.Event()
    node.faults["eth_getBalance"] = silence(release)
    began = time.monotonic()
    found = await asked(spec_of(node.endpoint), session, within=0.4)
    assert time.monotonic() - began < 1
    release.set()
    assert (found.problem, found.by_hash, found.state) == ("", True, {})
    assert found.head is not None


@pytest.mark.parametrize("method", ["eth_chainId", "eth_getBlockByNumber"])
async def test_it_says_why_nothing_is_known_and_never_shows_a_key(
    node: RpcStandIn, session: aiohttp.ClientSession, method: str
) -> None:
    node.faults[method] = error(-32000, f"{node.url} has no credit, {' '.join(SECRETS)}")
    found = await asked(spec_of(node.endpoint), session)
    assert found.problem.startswith("error -32000: …")
    assert not [secret for secret in SECRETS if secret in repr(found)]
    node.faults[method] = raw("<html>", kind="text/html")
    assert "a web page instead of JSON" in (await asked(spec_of(node.endpoint), session)).problem
    silent = asyncio.Event()
    node.faults["eth_chainId"] = silence(silent)
    assert (await asked(spec_of(node.endpoint), session, within=0.2)).problem == "no answer within 0.2 s"
    silent.set()
