"""A JSON-RPC endpoint on loopback that is honest until told otherwise.

It serves one block of a chain whose contracts are a Python function, coded with eth-abi and not with the code under
test. `faults[method]` replaces the answer to a method with anything at all, down to the bytes on the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from watcher.chain.aggregator import CONSTRUCTOR
from watcher.chain.spec import EndpointSpec

MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"
TIMESTAMP = keccak(b"getCurrentBlockTimestamp()")[:4]
CHAIN_ID = keccak(b"getChainId()")[:4]
AGGREGATE3 = keccak(b"aggregate3((address,bool,bytes)[])")[:4]

PASSWORD, PATH_KEY, QUERY_KEY, HEADER_KEY = "hunter2-pass", "kEy0inPath7f3a", "qUeRyKey99aa", "hEaDerKey55bb"
SECRETS = (PASSWORD, PATH_KEY, QUERY_KEY, HEADER_KEY)

Fault = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]
Contract = Callable[[str, bytes], tuple[bool, bytes]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    params: list[Any]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The block that is served, at its own height and as the latest."""

    number: int = 21_034_551
    hash: str = "0x" + "ab" * 32
    timestamp: int = 1_760_000_000

    def as_json(self) -> dict[str, Any]:
        return {"number": hex(self.number), "hash": self.hash, "timestamp": hex(self.timestamp)}


def echo(target: str, data: bytes) -> tuple[bool, bytes]:
    """Return data that only this target and calldata have."""
    return True, keccak(bytes.fromhex(target[2:]) + data)


def kept(address: str, slot: int) -> int:
    """A word of storage that only this contract and slot have."""
    return int.from_bytes(keccak(bytes.fromhex(address[2:]) + slot.to_bytes(32, "big")), "big")


@dataclass(slots=True)
class RpcStandIn:
    """`async with RpcStandIn() as node:` and then `node.endpoint`."""

    name: str = "alpha"
    chain_id: int = 1
    head: Head = field(default_factory=Head)
    contract: Contract = echo
    storage: Callable[[str, int], int] = kept
    gas_cap: int | None = None
    """Beyond it `eth_call` ends in out of gas; each sub-call costs what `gas_of` says."""
    gas_of: Callable[[str, bytes], int] = lambda target, data: 50_000
    too_much: str = "out of gas"
    has_multicall3: bool = True
    overrides: str = "honoured"
    """What becomes of a state override: "honoured", "ignored" or "refused"."""
    understands_block_hash: bool = True
    block_hash_refusal: tuple[int, str] = (-32602, "invalid argument 1: hex string without 0x prefix")
    faults: dict[str, Fault] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    batches: list[list[tuple[str, bytes]]] = field(default_factory=list)
    """The sub-calls of each `eth_call` that was answered, without those that tell the time and the chain."""
    sent: int = 0
    """Bytes handed to the network by a streaming fault."""
    _runner: web.AppRunner | None = None
    _port: int = 0

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """With a key wherever an operator might put one."""
        return f"http://watcher:{PASSWORD}@127.0.0.1:{self._port}/v2/{PATH_KEY}?apikey={QUERY_KEY}"

    @property
    def endpoint(self) -> EndpointSpec:
        return EndpointSpec(name=self.name, url=self.url, headers={"X-Api-Key": HEADER_KEY})

    def count(self, method: str) -> int:
        """How often a method was asked."""
        return sum(asked.method == method for asked in self.asked)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json(loads=orjson.loads)
        self.asked.append(Asked(body["method"], body["params"], dict(request.headers)))
        fault = self.faults.get(body["method"])
        return await fault(request, body) if fault else self.honest(body)

    def honest(self, body: dict[str, Any]) -> web.Response:
        """The right answer."""
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": body["id"]}
        match body["method"], body["params"]:
            case "eth_chainId", _:
                answer["result"] = hex(self.chain_id)
            case "eth_getBlockByNumber", [at, False]:
                answer["result"] = self.head.as_json() if at in ("latest", hex(self.head.number)) else None
            case "eth_call", [call, at, *rest]:
                answer |= self._call(call, at, rest)
            case "eth_getStorageAt", [address, slot, at]:
                wrong = self._not_here(at)
                answer |= wrong or {"result": "0x" + self.storage(address, int(slot, 16)).to_bytes(32, "big").hex()}
            case "eth_getCode", _:
                answer["result"] = "0x6001"
            case method, _:
                answer["error"] = {"code": -32601, "message": f"the method {method} does not exist"}
        return web.Response(body=orjson.dumps(answer), content_type="application/json")

    def _not_here(self, at: Any) -> dict[str, Any]:
        """The error where the state after the head is not what is asked for; else nothing."""
        if isinstance(at, dict):
            if not self.understands_block_hash:
                return _error(*self.block_hash_refusal)
            if at != {"blockHash": self.head.hash, "requireCanonical": True}:
                return _error(-32000, "header not found")
        elif at != hex(self.head.number):
            return _error(-32000, "header not found")
        return {}

    def _call(self, call: dict[str, str], at: Any, rest: list[Any]) -> dict[str, Any]:
        if wrong := self._not_here(at):
            return wrong
        data = bytes.fromhex(call["data"][2:])
        if rest and self.overrides == "refused":
            return _error(-32602, "too many arguments, want at most 2")
        if rest and self.overrides == "honoured":
            return self._program(data)
        if "to" not in call:
            return self._program(data[len(CONSTRUCTOR) :])
        if call["to"] != MULTICALL3 or data[:4] != AGGREGATE3 or not self.has_multicall3:
            return {"result": "0x"}
        return self._aggregate3(decode(["(address,bool,bytes)[]"], data[4:])[0])

    def _program(self, data: bytes) -> dict[str, Any]:
        """What our own aggregator makes of its input."""
        wanted = []
        while data:
            size = int.from_bytes(data[20:24], "big")
            wanted.append((f"0x{data[:20].hex()}", data[24 : 24 + size]))
            data = data[24 + size :]
        self.batches.append(wanted)
        results = [self.contract(*one) for one in wanted]
        told = [bytes([success]) + len(said).to_bytes(4, "big") + said for success, said in results]
        ours = self.head.timestamp.to_bytes(32, "big") + self.chain_id.to_bytes(32, "big")
        return {"result": "0x" + (ours + b"".join(told)).hex()}

    def _aggregate3(self, calls: list[tuple[str, bool, bytes]]) -> dict[str, Any]:
        assert [data for _, _, data in calls[:2]] == [TIMESTAMP, CHAIN_ID]
        wanted = [(target, data) for target, _, data in calls[2:]]
        if self.gas_cap is not None and sum(self.gas_of(*one) for one in wanted) > self.gas_cap:
            return _error(-32000, self.too_much)
        self.batches.append(wanted)
        ours = [(True, number.to_bytes(32, "big")) for number in (self.head.timestamp, self.chain_id)]
        results = [*ours, *(self.contract(*one) for one in wanted)]
        return {"result": "0x" + encode(["(bool,bytes)[]"], [results]).hex()}


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


# Faults: what to answer instead.


def result(value: Any) -> Fault:
    """A well-formed answer with any result."""
    return members(result=value)


def error(code: Any, message: Any, **more: Any) -> Fault:
    """A well-formed error, inside HTTP 200."""
    return members(error={"code": code, "message": message, **more})


def members(**given: Any) -> Fault:
    """A JSON-RPC object of these members; `id` and `jsonrpc` are right unless given."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.Response:
        return web.json_response({"jsonrpc": "2.0", "id": body["id"], **given})

    return answer


def raw(content: bytes | str, *, status: int = 200, kind: str = "application/json", **headers: str) -> Fault:
    """These bytes, whatever they are. `{id}` in them becomes the id of the request."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.Response:
        text = content.encode() if isinstance(content, str) else content
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        filled = text.replace(b"{id}", str(body["id"]).encode())
        return web.Response(body=filled, status=status, content_type=kind, headers=named)

    return answer


def on_wire(*pieces: bytes) -> Fault:
    """These bytes without any HTTP of the server's own, then the end of the connection."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        assert request.transport is not None
        for piece in pieces:
            request.transport.write(piece)
        request.transport.close()
        return web.Response()

    return answer


def endless(node: RpcStandIn, size: int, *, announced: bool = False, **headers: str) -> Fault:
    """`size` bytes of hex digits, made as they are sent; counted in `node.sent`."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json", **headers})
        if announced:
            response.content_length = size
        await response.prepare(request)
        piece = b"0" * (64 * 1024)
        try:
            await response.write(b'{"jsonrpc":"2.0","id":%d,"result":"0x' % body["id"])
            for _ in range(size // len(piece)):
                await response.write(piece)
                node.sent += len(piece)
        except ConnectionResetError:  # the client has had enough, as it should
            pass
        return response

    return answer


def silence(release: asyncio.Event) -> Fault:
    """No answer until released."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await release.wait()
        return web.Response()

    return answer
