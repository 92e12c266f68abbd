"""JSON-RPC over HTTP, with somebody we do not trust.

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

from watcher.chain.answer import MAX_ANSWER, TOO_LONG, parsed, request, result_of
from watcher.chain.errors import AnswerTooLong, TimedOut
from watcher.chain.pace import Pace
from watcher.chain.redaction import Redactor
from watcher.chain.refusals import TOO_MUCH_AT_ONCE, sort_error, sort_status
from watcher.chain.spec import EndpointSpec
from watcher.chain.wire import Timeouts
from watcher.domain.errors import EndpointError

_MAX_ERROR_BODY = 64 * 1024
_CHUNK = 64 * 1024
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "gzip"}
_SECONDS = re.compile(r"\d{1,9}")
_LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


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
    """A `Wire` over HTTP. `requests` counts the HTTP requests sent."""

    def __init__(
        self,
        endpoint: EndpointSpec,
        session: aiohttp.ClientSession,
        *,
        timeouts: Timeouts | None = None,
        wall_clock: Callable[[], float] = time.time,
        pace: Pace | None = None,
    ) -> None:
        self.name = endpoint.name
        self.requests = 0
        self.ahead: float | None = None
        """Seconds by which the server's clock (`Date`, RFC 9110 §6.6.1) was last ahead of ours, give or take one."""
        self._url = endpoint.url
        self._headers = {**_HEADERS, **endpoint.headers}
        self._redactor = Redactor(endpoint)
        self._session = session
        self._timeouts = timeouts or Timeouts()
        self._wall_clock = wall_clock
        self._pace = pace or Pace(endpoint.rate)
        self._ids = count(1)

    async def turn(self) -> None:
        await self._pace.turn()

    async def ask(self, method: str, params: list[Any]) -> Any:
        number = next(self._ids)
        reply = await self._post(request(number, method, params))
        if reply.status != 200:
            raise self._refused(reply)
        if reply.is_page:
            raise self._error("a web page instead of JSON; is this the address of a JSON-RPC endpoint?")
        answer = parsed(self.name, reply.body)
        return result_of(self.name, answer, number, self._redactor, retry_after=reply.retry_after)

    async def close(self) -> None:
        """Nothing: the session is its owner's."""

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
            await self.turn()

    async def _exchange(self, body: bytes) -> _Reply:
        self.requests += 1
        timeout = aiohttp.ClientTimeout(total=self._timeouts.total, connect=self._timeouts.connect)
        async with self._session.post(
            self._url, data=body, headers=self._headers, timeout=timeout, allow_redirects=False
        ) as response:
            self.ahead = seconds_ahead(response.headers.get("Date"), self._wall_clock())
            return _Reply(
                status=response.status,
                is_page=response.content_type in ("text/html", "application/xhtml+xml"),
                retry_after=retry_after_seconds(response.headers.get("Retry-After"), self._wall_clock()),
                body=await self._body(response),
            )

    async def _body(self, response: aiohttp.ClientResponse) -> bytearray:
        """The body, never more than the cap of it in memory. Of an error page only the beginning."""
        is_answer = response.status == 200
        cap = MAX_ANSWER if is_answer else _MAX_ERROR_BODY
        if is_answer and (response.content_length or 0) > cap:
            response.close()
            raise AnswerTooLong(self.name, f"an answer of {response.content_length} bytes announced; we take {cap}")
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > cap:
                response.close()  # the rest is not drained, so the connection cannot be kept
                if is_answer:
                    raise AnswerTooLong(self.name, TOO_LONG)
                break
        return body

    def _refused(self, reply: _Reply) -> Exception:
        """The error for any status but 200: the JSON-RPC error in its body where there is one."""
        try:
            error = orjson.loads(reply.body)["error"]
        except (orjson.JSONDecodeError, LookupError, TypeError):
            error = None
        if isinstance(error, dict) and not 300 <= reply.status < 400 and reply.status not in TOO_MUCH_AT_ONCE:
            return sort_error(self.name, error, self._redactor, status=reply.status, retry_after=reply.retry_after)
        return sort_status(self.name, reply.status, retry_after=reply.retry_after)

    def _error(self, problem: str) -> EndpointError:
        return EndpointError(self.name, problem)

    def _failure(self, problem: Exception) -> EndpointError:
        if isinstance(problem, aiohttp.ConnectionTimeoutError):  # which tells nothing of how much was asked
            return self._error(f"no connection within {self._timeouts.connect:g} s")
        if isinstance(problem, TimeoutError):
            return TimedOut(self.name, f"no complete answer within {self._timeouts.total:g} s")
        return self._error(in_words(problem))


def in_words(problem: BaseException) -> str:
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


def seconds_ahead(date: str | None, now: float) -> float | None:
    """By how much a server's clock is ahead of ours, by its `Date`, which has whole seconds; None without a date."""
    try:
        return None if date is None else parsedate_to_datetime(date).timestamp() + 0.5 - now
    except (ValueError, OverflowError):
        return None


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
