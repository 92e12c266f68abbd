"""An endpoint that passes everything on to a real node, except what it is told to answer itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from eth_abi.abi import decode, encode

from tests.chain.rpc_stand_in import AGGREGATE3, PATH_KEY, QUERY_KEY, Asked, Fault, RpcStandIn

ANY = "*"
_RESULTS = ["(bool,bytes)[]"]

Mangle = Callable[[str, bytes, tuple[bool, bytes]], tuple[bool, bytes]]
"""From target, calldata and the honest answer of one call of a batch to what is answered."""


@dataclass(slots=True)
class Gate(RpcStandIn):
    """`async with Gate(upstream=anvil.url) as gate:` and then `gate.url`. `faults[ANY]` meets every method."""

    upstream: str = ""

    @property
    def url(self) -> str:
        """With a key in the path and in the query, as providers hand them out."""
        return f"http://127.0.0.1:{self._port}/v2/{PATH_KEY}?apikey={QUERY_KEY}"

    def shut(self, fault: Fault) -> None:
        """Every request meets this from now on."""
        self.faults[ANY] = fault

    def open(self) -> None:
        self.faults.clear()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json(loads=orjson.loads)
        self.asked.append(Asked(body["method"], body["params"], dict(request.headers)))
        fault = self.faults.get(body["method"]) or self.faults.get(ANY)
        return await fault(request, body) if fault else web.json_response(await self.passed_on(body))

    async def passed_on(self, body: dict[str, Any]) -> dict[str, Any]:
        """The node's own answer."""
        async with aiohttp.ClientSession() as session, session.post(self.upstream, json=body) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            return answer

    def mangled(self, mangle: Mangle) -> Fault:
        """Honest batches, in which each result has gone through `mangle`."""

        async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
            honest = await self.passed_on(body)
            data = bytes.fromhex(body["params"][0]["data"][2:])
            if data[:4] == AGGREGATE3 and "result" in honest:
                calls = decode(["(address,bool,bytes)[]"], data[4:])[0]
                results = decode(_RESULTS, bytes.fromhex(honest["result"][2:]))[0]
                changed = [mangle(to, asked, pair) for (to, _, asked), pair in zip(calls, results, strict=True)]
                honest["result"] = "0x" + encode(_RESULTS, [changed]).hex()
            return web.json_response(honest)

        return answer
