"""Reading at a pinned block: batches, halving, bundles, and how a block is named."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from tests.chain.conftest import Clock, call, spec_of
from tests.chain.rpc_stand_in import RpcStandIn, echo, error, result, silence
from watcher.chain import Chain, Pinned, Timeouts
from watcher.chain.endpoint import LEARNED_FOR
from watcher.domain.errors import EndpointError
from watcher.reads import Bundle, Returned

CALL, BLOCK = "eth_call", "eth_getBlockByNumber"


async def pinned(chain: Chain) -> Pinned:
    return await chain.pin(chain.endpoints[0])


def echoed(number: int) -> tuple[Returned]:
    one = call(number)
    return (Returned(*echo(one.target, one.data)),)


def sizes(node: RpcStandIn) -> list[int]:
    """Sub-calls of each batch since the last time."""
    found = [len(batch) for batch in node.batches]
    node.batches.clear()
    return found


async def test_it_pins_the_latest_block(node: RpcStandIn, chain: Chain) -> None:
    block = (await pinned(chain)).block
    assert (block.chain, block.number, block.hash) == ("ethereum", node.head.number, node.head.hash)
    assert block.timestamp == node.head.timestamp


async def test_it_answers_each_request_with_its_own_result(chain: Chain) -> None:
    got = await (await pinned(chain)).read([call(n) for n in range(1000)])
    assert got == {call(n): echoed(n) for n in range(1000)}


async def test_it_costs_one_request_up_to_the_limits_of_a_batch(node: RpcStandIn, chain: Chain) -> None:
    here = await pinned(chain)
    for count in (1, 40, 500):
        await here.read([call(n) for n in range(count)])
        assert sizes(node) == [count]
    assert chain.requests == {"alpha": len(node.asked)} == {"alpha": 5}  # chain id, block, and one for each read


async def test_it_sends_equal_calls_once(node: RpcStandIn, chain: Chain) -> None:
    got = await (await pinned(chain)).read([call(1), call(2), call(1)])
    assert list(got) == [call(1), call(2)]
    assert sizes(node) == [2]


async def test_it_asks_nothing_for_nothing(node: RpcStandIn, chain: Chain) -> None:
    here = await pinned(chain)
    assert await here.read([]) == {}
    assert node.count(CALL) == 0


async def test_it_sends_no_more_than_four_requests_at_a_time(node: RpcStandIn, chain: Chain) -> None:
    at_once: list[int] = []
    inside = 0

    async def slowly(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        nonlocal inside
        inside += 1
        at_once.append(inside)
        for _ in range(50):  # turns of the loop, for the others to arrive in
            await asyncio.sleep(0)
        inside -= 1
        return node.honest(body)

    node.faults[CALL] = slowly
    await (await pinned(chain)).read([call(n, isolated=True) for n in range(20)])
    assert 1 < max(at_once) <= 4


async def test_it_keeps_reverts_with_their_data(node: RpcStandIn, chain: Chain) -> None:
    node.contract = lambda target, data: (False, b"\x01") if data == call(2).data else (True, b"")
    got = await (await pinned(chain)).read([call(1), call(2)])
    assert got == {call(1): (Returned(True, b""),), call(2): (Returned(False, b"\x01"),)}


async def test_it_sends_a_bundle_alone_and_in_order(node: RpcStandIn, chain: Chain) -> None:
    bundle = Bundle((call(3), call(1), call(3), call(2)))
    got = await (await pinned(chain)).read([call(1), bundle, call(2)])
    assert got[bundle] == (*echoed(3), *echoed(1), *echoed(3), *echoed(2))
    wanted = [[one.data for one in bundle.calls], [call(1).data, call(2).data]]
    assert sorted([data for _, data in batch] for batch in node.batches) == sorted(wanted)


async def test_it_sends_an_isolated_call_alone(node: RpcStandIn, chain: Chain) -> None:
    await (await pinned(chain)).read([call(1), call(2, isolated=True), call(3)])
    assert sorted(sizes(node)) == [1, 2]


@pytest.mark.parametrize("words", ["out of gas", "response size exceeded", "execution timeout", "Request too large"])
async def test_it_halves_a_batch_that_is_too_large_and_remembers(node: RpcStandIn, chain: Chain, words: str) -> None:
    node.gas_cap, node.too_much = 100 * 50_000, words
    here = await pinned(chain)
    assert await here.read([call(n) for n in range(300)]) == {call(n): echoed(n) for n in range(300)}
    assert sorted(sizes(node)) == [75] * 4
    before = node.count(CALL)
    await here.read([call(n) for n in range(300)])
    assert node.count(CALL) - before == 4


async def test_it_tries_full_batches_again_after_a_while(node: RpcStandIn, chain: Chain, clock: Clock) -> None:
    node.gas_cap = 100 * 50_000
    here = await pinned(chain)
    await here.read([call(n) for n in range(300)])
    node.gas_cap = None
    sizes(node)
    clock.now += LEARNED_FOR + 1
    await here.read([call(n) for n in range(300)])
    assert sizes(node) == [300]


async def test_it_reports_a_call_that_burns_everything_and_keeps_it_from_the_others(
    node: RpcStandIn, chain: Chain
) -> None:
    node.gas_cap = 30_000_000
    node.gas_of = lambda target, data: 10**9 if data == call(77).data else 50_000
    here = await pinned(chain)
    expected = {call(n): echoed(n) for n in range(400)} | {call(77): (Returned(False, b""),)}
    assert await here.read([call(n) for n in range(400)]) == expected
    before = node.count(CALL)
    for _ in range(3):
        assert await here.read([call(n) for n in range(400)]) == expected
    assert node.count(CALL) - before == 3 * 2  # itself and all the others, without any halving


async def test_it_does_not_blame_the_calls_when_nothing_works(node: RpcStandIn, chain: Chain) -> None:
    node.gas_cap = 0
    with pytest.raises(EndpointError, match="its gas cap for eth_call is too low"):
        await (await pinned(chain)).read([call(1), call(2)])


@pytest.mark.parametrize("words", ["response too large", "execution timeout"])
async def test_it_does_not_take_a_limit_of_the_endpoint_for_a_revert(
    node: RpcStandIn, chain: Chain, words: str
) -> None:
    node.gas_cap, node.too_much = 0, words
    with pytest.raises(EndpointError, match="even a single call is too much for it"):
        await (await pinned(chain)).read([call(1)])


async def test_it_asks_less_next_time_after_a_timeout(node: RpcStandIn) -> None:
    release = asyncio.Event()
    node.faults[CALL] = silence(release)
    async with Chain(spec_of(node.endpoint), timeouts=Timeouts(total=0.1)) as chain:
        with pytest.raises(EndpointError, match="no complete answer"):
            await (await pinned(chain)).read([call(n) for n in range(400)])
        assert node.count(CALL) == 1
        release.set()
        del node.faults[CALL]
        await (await pinned(chain)).read([call(n) for n in range(400)])
    assert sizes(node) == [200, 200]


async def test_it_asks_again_for_what_failed_silently_in_company(node: RpcStandIn, chain: Chain) -> None:
    """A neighbour that burns its gas makes others fail as if by themselves; that must not pass for their answer."""
    company = 0

    def starved(target: str, data: bytes) -> tuple[bool, bytes]:
        nonlocal company
        company += 1
        return (False, b"") if company in (20, 21) or data == call(5).data else echo(target, data)

    node.contract = starved
    here = await pinned(chain)
    expected = {call(n): echoed(n) for n in range(30)} | {call(5): (Returned(False, b""),)}
    assert await here.read([call(n) for n in range(30)]) == expected
    assert sizes(node) == [30, 3]
    assert await here.read([call(n) for n in range(30)]) == expected
    assert sizes(node) == [30]  # and what was certain stays so


async def test_it_names_the_block_by_its_hash(node: RpcStandIn, chain: Chain) -> None:
    await (await pinned(chain)).read([call(1)])
    assert node.asked[-1].params[1] == {"blockHash": node.head.hash, "requireCanonical": True}
    assert set(node.asked[-1].params[0]) == {"to", "data"}  # no gas: the node's own cap is the largest it allows


@pytest.mark.parametrize("refusal", [(-32602, "expected a string"), (-32000, "invalid argument 1: not hex")])
async def test_it_falls_back_to_the_number_and_checks_the_hash_afterwards(
    node: RpcStandIn, chain: Chain, refusal: tuple[int, str]
) -> None:
    node.understands_block_hash, node.block_hash_refusal = False, refusal
    here = await pinned(chain)
    assert await here.read([call(1)]) == {call(1): echoed(1)}
    number = hex(node.head.number)
    assert [asked.params[-1] for asked in node.asked[-2:]] == [number, False]
    assert node.asked[-1].params[0] == number
    before = len(node.asked)
    await here.read([call(2)])
    assert len(node.asked) - before == 2  # it remembers: no third request


@pytest.mark.parametrize(
    "later",
    [{"hash": "0x" + "cd" * 32}, {"number": "0x1"}, None],
    ids=["replaced", "another number", "gone"],
)
async def test_it_returns_nothing_when_the_block_was_replaced_while_read_by_number(
    node: RpcStandIn, chain: Chain, later: dict[str, str] | None
) -> None:
    node.understands_block_hash = False
    here = await pinned(chain)
    node.faults[BLOCK] = result(None if later is None else {**node.head.as_json(), **later})
    with pytest.raises(EndpointError, match=r"was replaced while it was read|answered with block 1 when asked"):
        await here.read([call(1)])


async def test_it_does_not_blame_the_form_of_the_block_when_both_are_refused(node: RpcStandIn, chain: Chain) -> None:
    here = await pinned(chain)
    node.faults[CALL] = error(-32602, "invalid argument 0: json: cannot unmarshal")
    with pytest.raises(EndpointError, match="refuses eth_call"):
        await here.read([call(1)])
    del node.faults[CALL]
    await here.read([call(1)])
    assert isinstance(node.asked[-1].params[1], dict)


async def test_it_returns_nothing_when_one_of_many_batches_fails(node: RpcStandIn, chain: Chain) -> None:
    async def last_fails(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        fault = error(-32000, "boom") if node.count(CALL) == 5 else None
        return await fault(request, body) if fault else node.honest(body)

    here = await pinned(chain)
    node.faults[CALL] = last_fails
    with pytest.raises(EndpointError, match="boom"):
        await here.read([call(n) for n in range(2500)])
    assert not [task for task in asyncio.all_tasks() if "_send" in repr(task)]


async def test_it_does_not_wait_for_the_others_when_one_batch_failed(node: RpcStandIn, chain: Chain) -> None:
    release = asyncio.Event()

    async def first_fails(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await (error(-32000, "boom") if node.count(CALL) == 1 else silence(release))(request, body)

    here = await pinned(chain)
    node.faults[CALL] = first_fails
    async with asyncio.timeout(1):  # half of what the others would take to time out
        with pytest.raises(EndpointError, match="boom"):
            await here.read([call(n) for n in range(1000)])
    release.set()


async def test_it_knows_the_canonical_hash_at_a_height(node: RpcStandIn, chain: Chain) -> None:
    here = await pinned(chain)
    assert await here.block_hash(node.head.number) == node.head.hash
    assert await here.block_hash(node.head.number + 1) is None
    assert await chain.block_hash(node.head.number) == node.head.hash
