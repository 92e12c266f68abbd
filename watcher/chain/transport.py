"""One JSON-RPC exchange over HTTP with somebody we do not trust.

Nothing of an answer is believed before its size, its encoding and its JSON-RPC shape have been checked. Every way to
fail ends in an `EndpointError` that names the endpoint and shows neither its URL nor a key.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any

import aiohttp
import orjson

from watcher.chain.errors import BatchTooLarge, TimedOut
from watcher.chain.redaction import Redactor
from watcher.chain.refusals import sort_error
from watcher.chain.spec import EndpointSpec
from watcher.domain.errors import EndpointError

MAX_BODY = 16 * 1024 * 1024
"""Bytes, after decompression. Our largest honest answer is well below 1 MB."""

_MAX_ERROR_BODY = 64 * 1024
_MAX_STRUCTURE = 250_000  # commas and brackets: a body of nothing but "[]," would take 30 times its size once parsed
_CHUNK = 64 * 1024
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "gzip"}
_SECONDS = re.compile(r"\d{1,9}")
_LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
_TOO_MUCH_AT_ONCE = frozenset({408, 413, 504, 524})  # by gateways: the node behind them took too long, or too much


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: until connected, and for the whole exchange."""

    connect: float = 5.0
    total: float = 10.0


def open_session() -> aiohttp.ClientSession:
    """A keep-alive session fit for endpoints: no cookies, no proxy taken from the environment, TLS verified."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=8, keepalive_timeout=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    is_page: bool
    retry_after: float | None
    body: bytearray


class Transport:
    """JSON-RPC over HTTP to one endpoint. `requests` counts the HTTP requests sent."""

    def __init__(
        self,
        endpoint: EndpointSpec,
        session: aiohttp.ClientSession,
        *,
        timeouts: Timeouts | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = endpoint.name
        self.requests = 0
        self._url = endpoint.url
        self._headers = {**_HEADERS, **endpoint.headers}
        self._redactor = Redactor(endpoint)
        self._session = session
        self._timeouts = timeouts or Timeouts()
        self._wall_clock = wall_clock
        self._ids = count(1)

    async def ask(self, method: str, params: list[Any]) -> Any:
        """The `result` of one request, of whatever JSON type it is.

        Raises `ExecutionFailed` where the node reports how a call went, `EndpointError` or one of its kinds for
        everything else.
        """
        number = next(self._ids)
        body = orjson.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        reply = await self._post(body)
        if reply.status != 200:
            raise self._refused(reply)
        return self._result(reply, number)

    async def _post(self, body: bytes) -> _Reply:
        attempts = 2
        while True:
            attempts -= 1
            try:
                return await self._exchange(body)
            except (aiohttp.ClientError, OSError, ValueError) as problem:
                failure = self._failure(problem)
                # A server may close an idle connection just as we send on it; a read can be repeated.
                lost = isinstance(problem, _LOST) and not isinstance(problem, aiohttp.ClientConnectorError)
            if not lost or not attempts:
                raise failure  # out here, because aiohttp's error holds the URL and would hang on as the context

    async def _exchange(self, body: bytes) -> _Reply:
        self.requests += 1
        timeout = aiohttp.ClientTimeout(total=self._timeouts.total, connect=self._timeouts.connect)
        async with self._session.post(
            self._url, data=body, headers=self._headers, timeout=timeout, allow_redirects=False
        ) as response:
            return _Reply(
                status=response.status,
                is_page=response.content_type in ("text/html", "application/xhtml+xml"),
                retry_after=retry_after_seconds(response.headers.get("Retry-After"), self._wall_clock()),
                body=await self._body(response),
            )

    async def _body(self, response: aiohttp.ClientResponse) -> bytearray:
        """The body, never more than the cap of it in memory. Of an error page only the beginning."""
        is_answer = response.status == 200
        cap = MAX_BODY if is_answer else _MAX_ERROR_BODY
        if is_answer and (response.content_length or 0) > cap:
            response.close()
            raise self._error(f"an answer of {response.content_length} bytes announced; we take {cap}")
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > cap:
                response.close()  # the rest is not drained, so the connection cannot be kept
                if is_answer:
                    raise self._error(f"an answer longer than the {cap} bytes that we take")
                break
        return body

    def _refused(self, reply: _Reply) -> Exception:
        """The error for any status but 200: the JSON-RPC error in its body where there is one."""
        if 300 <= reply.status < 400:
            return self._error(f"HTTP {reply.status}, a redirect, which we do not follow; configure where it leads")
        try:
            error = orjson.loads(reply.body)["error"]
        except (orjson.JSONDecodeError, LookupError, TypeError):
            error = None
        if isinstance(error, dict) and reply.status not in _TOO_MUCH_AT_ONCE:
            return sort_error(self.name, error, self._redactor, status=reply.status, retry_after=reply.retry_after)
        kind = BatchTooLarge if reply.status in _TOO_MUCH_AT_ONCE else EndpointError
        meaning = _MEANINGS.get(reply.status, "")
        return kind(self.name, f"HTTP {reply.status}{meaning}", retry_after=reply.retry_after)

    def _result(self, reply: _Reply, number: int) -> Any:
        answer = self._json(reply)
        if not isinstance(answer, dict):
            raise self._error("an answer that is not one JSON-RPC object")
        if answer.get("jsonrpc") != "2.0":
            raise self._error('an answer without "jsonrpc": "2.0"')
        # Some servers write the member that does not apply as null, which says nothing and does no harm.
        result, error = answer.get("result"), answer.get("error")
        if error is not None and result is None and answer.get("id") is None:
            told = sort_error(self.name, error, self._redactor)
            raise EndpointError(self.name, f"no answer but {told.problem}", retry_after=reply.retry_after)
        if type(answer.get("id")) is not int or answer["id"] != number:
            raise self._error("an answer with the id of another request")
        if error is not None and result is not None:
            raise self._error("an answer with both a result and an error")
        if error is not None:
            raise sort_error(self.name, error, self._redactor, retry_after=reply.retry_after)
        if "result" not in answer:
            raise self._error("an answer with neither a result nor an error")
        return result

    def _json(self, reply: _Reply) -> Any:
        body = reply.body
        if not body:
            raise self._error("an empty answer")
        if reply.is_page or body.lstrip()[:1] == b"<":
            raise self._error("a web page instead of JSON; is this the address of a JSON-RPC endpoint?")
        if sum(body.count(mark) for mark in (b",", b"[", b"{")) > _MAX_STRUCTURE:
            raise self._error("an answer of far more parts than anything we ask for has")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            length = len(body)
        raise self._error(f"an answer of {length} bytes that is not JSON")

    def _error(self, problem: str) -> EndpointError:
        return EndpointError(self.name, problem)

    def _failure(self, problem: Exception) -> EndpointError:
        if isinstance(problem, aiohttp.ConnectionTimeoutError):  # which tells nothing of how much was asked
            return self._error(f"no connection within {self._timeouts.connect:g} s")
        if isinstance(problem, TimeoutError):
            return TimedOut(self.name, f"no complete answer within {self._timeouts.total:g} s")
        return self._error(_in_words(problem))


_MEANINGS = {
    401: " (not authorised): check the key",
    403: " (forbidden): check the key and what it allows",
    404: " (not found): check the address",
    413: " (request too large)",
    429: " (too many requests)",
    504: " (the node behind it took too long)",
}


def _in_words(problem: Exception) -> str:
    """What happened, without a word of the library's own text, which quotes the URL."""
    match problem:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return "TLS failed: its certificate is not trusted, or it speaks no TLS"
        case aiohttp.ClientConnectorDNSError():
            return "its host name does not resolve"
        case aiohttp.ClientConnectorError():
            return f"no connection: {os.strerror(problem.errno).lower() if problem.errno else 'unreachable'}"
        case aiohttp.ClientPayloadError():
            return "the answer broke off or is not encoded as it says"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return "the connection was closed before an answer"
        case aiohttp.InvalidURL():
            return "its URL is not one we can use: it takes the form https://host/path"
        case aiohttp.ClientResponseError():
            return "an answer that is not HTTP as we know it"
    return f"the exchange failed ({type(problem).__name__})"


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """`Retry-After` in either form of RFC 9110 §10.2.3, as seconds from `now`; None where absent or senseless."""
    if header is None:
        return None
    if _SECONDS.fullmatch(header.strip()):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (ValueError, OverflowError):
        return None
