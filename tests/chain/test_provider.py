"""web3 over our transport: nothing it does goes another way, and nothing it would believe gets to it unchecked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from web3 import AsyncWeb3
from web3.exceptions import ContractLogicError

from tests.chain.conftest import spec_of
from tests.chain.rpc_stand_in import MULTICALL3, RpcStandIn, error, members, raw, result
from watcher.chain import Chain, open_session
from watcher.chain.endpoint import Endpoint
from watcher.chain.provider import EndpointProvider, web3_at
from watcher.chain.transport import Transport
from watcher.domain.errors import EndpointError
from watcher.domain.source import Address

CHAIN_ID, CALL = "eth_chainId", "eth_call"
OFFCHAIN_LOOKUP = keccak(b"OffchainLookup(address,string[],bytes,bytes4,bytes)")[:4]  # EIP-3668


@pytest.fixture
async def web3(node: RpcStandIn) -> AsyncIterator[AsyncWeb3[EndpointProvider]]:
    async with open_session() as session:
        yield web3_at(Endpoint(spec_of(node.endpoint), node.endpoint, Transport(node.endpoint, session)))


async def test_it_reads_code_through_web3(node: RpcStandIn, chain: Chain) -> None:
    assert await chain.code_at(Address(MULTICALL3)) == b"\x60\x01"
    assert [asked.method for asked in node.asked] == [CHAIN_ID, "eth_getCode"]  # web3 asks nothing of its own


@pytest.mark.parametrize("answer", [result(None), result("0xzz"), result(5), result([])])
async def test_it_takes_no_nonsense_for_code(node: RpcStandIn, chain: Chain, answer: Any) -> None:
    node.faults["eth_getCode"] = answer
    with pytest.raises(EndpointError, match=r"alpha: eth_getCode: the result"):
        await chain.code_at(Address(MULTICALL3))


async def test_it_lets_web3_read_only_from_the_right_chain(node: RpcStandIn, web3: AsyncWeb3[EndpointProvider]) -> None:
    assert await web3.is_connected()
    assert await web3.eth.chain_id == 1
    node.chain_id = 10
    node.faults["eth_blockNumber"] = raw(b"", status=500)
    for _ in range(2):
        with pytest.raises(EndpointError):
            await web3.eth.block_number
    assert node.count("eth_blockNumber") == 1  # asked once: web3 retries nothing, and then it was the wrong chain
    assert not await web3.is_connected()


@pytest.mark.parametrize("fault", [result("0x" + "f" * 64), result(7), result(None), members(id=5, result="0x1")])
async def test_it_gives_web3_no_number_that_cannot_be_one(
    node: RpcStandIn, web3: AsyncWeb3[EndpointProvider], fault: Any
) -> None:
    node.faults["eth_blockNumber"] = fault
    with pytest.raises(EndpointError):
        await web3.eth.block_number


async def test_it_gives_web3_the_word_of_a_contract(node: RpcStandIn, web3: AsyncWeb3[EndpointProvider]) -> None:
    node.faults[CALL] = error(3, "execution reverted: no", data="0x08c379a0" + encode(["string"], ["no"]).hex())
    with pytest.raises(ContractLogicError, match="no"):
        await web3.eth.call({"to": web3.to_checksum_address(MULTICALL3)})


async def test_it_does_not_go_where_a_contract_sends_it(node: RpcStandIn, web3: AsyncWeb3[EndpointProvider]) -> None:
    async with RpcStandIn("trap") as trap:
        to = web3.to_checksum_address(MULTICALL3)
        kinds = ["address", "string[]", "bytes", "bytes4", "bytes"]
        data = OFFCHAIN_LOOKUP + encode(kinds, [to, [trap.url], b"", b"\0" * 4, b""])
        node.faults[CALL] = error(3, "execution reverted", data="0x" + data.hex())
        with pytest.raises(ContractLogicError):
            await web3.eth.call({"to": to})
        assert trap.asked == []
