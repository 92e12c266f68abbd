"""Words of storage: read at the pinned block, and refused where they cannot be words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chain.conftest import call, spec_of, stored
from tests.chain.rpc_stand_in import Fault, RpcStandIn, echo, error, kept, members, raw, result
from tests.chain.test_hostile_answers import LEAKY, assert_fit_to_show
from watcher.chain import Chain, ChainSpec, Disagreement, Pinned
from watcher.domain.errors import EndpointError
from watcher.reads import Returned

CALL, BLOCK, STORAGE = "eth_call", "eth_getBlockByNumber", "eth_getStorageAt"


async def pinned(chain: Chain) -> Pinned:
    return await chain.pin(chain.endpoints[0])


def word(number: int) -> tuple[Returned]:
    one = stored(number)
    return (Returned(True, kept(one.target, one.slot).to_bytes(32, "big")),)


async def test_it_reads_words_of_storage_beside_calls(node: RpcStandIn, chain: Chain) -> None:
    here = await pinned(chain)
    got = await here.read([stored(1), call(1), stored(2), stored(1)])
    one = call(1)
    assert got == {call(1): (Returned(*echo(one.target, one.data)),), stored(1): word(1), stored(2): word(2)}
    assert here.returned == got
    assert (node.count(CALL), node.count(STORAGE)) == (1, 2)
    asked = [one.params for one in node.asked if one.method == STORAGE]
    assert [at for *_, at in asked] == [{"blockHash": node.head.hash, "requireCanonical": True}] * 2


async def test_it_reads_storage_by_number_where_hashes_are_not_understood(node: RpcStandIn, chain: Chain) -> None:
    node.understands_block_hash = False
    here = await pinned(chain)
    assert await here.read([stored(3)]) == {stored(3): word(3)}
    assert node.asked[-1].method == BLOCK, "and makes sure afterwards that the block was not replaced"
    node.faults[BLOCK] = result({**node.head.as_json(), "hash": "0x" + "cd" * 32})
    with pytest.raises(EndpointError, match="was replaced while it was read"):
        await here.read([stored(4)])


ROWS: list[tuple[str, Fault, str]] = [
    ("null", result(None), "the result of eth_getStorageAt is missing or null, not hex data"),
    ("nothing", result("0x"), "eth_getStorageAt: 0 bytes where a word has 32"),
    ("a short quantity", result("0x7"), "the result of eth_getStorageAt has an odd number of digits"),
    ("a short word", result("0x" + "11" * 31), "eth_getStorageAt: 31 bytes where a word has 32"),
    ("a long word", result("0x" + "11" * 33), "eth_getStorageAt: 33 bytes where a word has 32"),
    ("not hex", result("0x" + "zz" * 32), "characters that are not hex digits"),
    ("a number", result(7), "a bare number, not hex data"),
    ("a list", result(["0x" + "11" * 32]), "a list, not hex data"),
    ("of another request", members(id=999_999, result="0x" + "11" * 32), "with the id of another request"),
    ("no method", error(-32601, "the method eth_getStorageAt does not exist"), "error -32601"),
    ("both forms refused", error(-32602, "invalid argument 2"), "refuses eth_getStorageAt"),
    ("a revert", error(3, "execution reverted", data="0x"), "eth_getStorageAt failed as only calls do"),
    ("no state", error(-32000, "missing trie node 00ff (path ) state 0x1 is not available"), "missing trie node"),
    ("a limit", raw(b"", status=429, Retry_After="7"), "HTTP 429"),
    ("a leak", error(-32000, LEAKY), "error -32000: no such project: … … … …"),
]


@pytest.mark.parametrize(("fault", "words"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
async def test_it_refuses_what_is_no_word_and_returns_nothing(
    node: RpcStandIn, chain: Chain, fault: Fault, words: str
) -> None:
    here = await pinned(chain)
    node.faults[STORAGE] = fault
    with pytest.raises(EndpointError) as caught:
        await here.read([call(1), stored(1)])
    assert words in str(caught.value)
    assert_fit_to_show(caught.value, node)
    assert here.returned == {}


async def test_it_finds_endpoints_that_disagree_about_a_word(node: RpcStandIn) -> None:
    async with RpcStandIn("beta.org") as other, Chain(_agreeing(node, other)) as chain:
        await chain.first(lambda at: at.read([stored(1)]))
        other.storage = lambda address, slot: 1
        with pytest.raises(Disagreement, match=r"stored1 \(storage slot 1\) of 0x0+1 at block .*: .*\b1 to the"):
            await chain.first(lambda at: at.read([stored(1)]))


def _agreeing(*nodes: RpcStandIn) -> ChainSpec:
    """A chain that believes nothing that one operator alone says."""
    return replace(spec_of(*(node.endpoint for node in nodes)), agreement=len(nodes))
