"""web3 on top of our own transport, for odd jobs. Importing this imports web3."""

from __future__ import annotations

from typing import Any, cast

from eth_typing import ChecksumAddress
from web3 import AsyncWeb3
from web3.providers.async_base import AsyncBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from watcher.chain.endpoint import Endpoint
from watcher.chain.errors import ExecutionFailed
from watcher.chain.hexadecimal import BLOCK_NUMBERS_BELOW, CHAIN_IDS_BELOW, data_bytes, quantity
from watcher.domain.errors import EndpointError, NotDecodable
from watcher.domain.source import Address

_DATA = frozenset({"eth_call", "eth_getCode", "eth_getStorageAt"})
_QUANTITIES = {
    "eth_blockNumber": BLOCK_NUMBERS_BELOW,
    "eth_chainId": CHAIN_IDS_BELOW,
    "eth_getBalance": 1 << 256,
    "eth_getTransactionCount": 1 << 64,
}


class EndpointProvider(AsyncBaseProvider):
    """A web3 provider whose every request goes through an `Endpoint`: checked, capped, and on the right chain.

    Asks once: no retries and no cache of web3's. CCIP-read stays off, since it lets a contract choose a URL for us to
    open (CVE-2026-40072).
    """

    global_ccip_read_enabled = False

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(cache_allowed_requests=False)
        self._endpoint = endpoint

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One request. Raises `EndpointError`; a revert is given to web3 as the error object that it expects."""
        try:
            result = await self._endpoint.ask(method, list(params))
            _check(method, result)
        except NotDecodable as problem:
            raise self._endpoint.fault(f"{method}: {problem}") from problem
        except ExecutionFailed as failure:
            error = {"code": failure.code, "message": failure.problem, "data": f"0x{failure.data.hex()}"}
            return cast(RPCResponse, {"jsonrpc": "2.0", "id": 0, "error": error})
        return cast(RPCResponse, {"jsonrpc": "2.0", "id": 0, "result": result})

    async def is_connected(self, show_traceback: bool = False) -> bool:
        """Whether the endpoint answers, and as our chain."""
        try:
            await self._endpoint.ask("eth_chainId", [])
        except EndpointError:
            if show_traceback:
                raise
            return False
        return True


def web3_at(endpoint: Endpoint) -> AsyncWeb3[EndpointProvider]:
    """web3 without its middleware, which asks for the chain id twice before every call."""
    return AsyncWeb3(EndpointProvider(endpoint), middleware=[])


async def read_code(endpoint: Endpoint, address: Address) -> bytes:
    """The code at an address. Raises `EndpointError`."""
    return bytes(await web3_at(endpoint).eth.get_code(cast(ChecksumAddress, address)))


def _check(method: str, result: object) -> None:
    """web3 takes a bare 5 for one byte of code, and a block number of 256 bits. Raises `NotDecodable`."""
    if method in _DATA:
        data_bytes(result, "the result")
    elif method in _QUANTITIES:
        quantity(result, "the result", below=_QUANTITIES[method])
