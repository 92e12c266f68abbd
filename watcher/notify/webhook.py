"""A program that is told: each message as signed JSON, by HTTP POST. What it gets is described in `docs/webhook.md`.

The signature is that of the Standard Webhooks specification, version 1.0.0: HMAC-SHA256 over `id.timestamp.body`.
What the answer means:

  2xx                                  delivered
  429, 503                             NotSent, after its Retry-After
  408, 425, 302, 303, 307              NotSent: it asks to come again, or something stands in between
  other 5xx                            FateUnknown: it may have failed after doing what it does
  301, 308, 401, 403, 404, 405, 410    ChatRefused: nothing is read there until somebody mends it
  any other                            BodyRefused
  no connection                        NotSent: no byte of it left
  the connection lost, or no answer    FateUnknown

A redirect is never followed: whoever can make one could have the alerts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from watcher.alerts.message import Message, Standing, Style, Text
from watcher.config import Webhook
from watcher.config.speaking import signing_key
from watcher.domain.errors import DeliveryError
from watcher.notify.channel import PLAIN, BodyRefused, ChatRefused, Envelope, FateUnknown, NotSent, Pace

LONGEST_WAIT: Final = 900.0
"""Seconds that a Retry-After may hold a webhook: an alert is not to wait a day for a machine's word."""

_BUSY: Final = (429, 503)
_LATER: Final = (408, 425, 302, 303, 307)
_MENDED_BY_PEOPLE: Final = (301, 308, 401, 403, 404, 405, 410)
_WIDTH: Final = 2  # bytes of a UTF-16 code unit


class WebhookChannel:
    """The way to one webhook. See `channel.Channel`. Its URL and its secret are in no text that this module makes."""

    def __init__(
        self,
        webhook: Webhook,
        *,
        now: Callable[[], float] = time.time,
        connect_timeout: float = 5.0,
        read_timeout: float = 20.0,
    ) -> None:
        """`now` is the wall clock, in Unix seconds, that requests are dated with."""
        self._webhook = webhook
        self._key = signing_key(webhook.secret.reveal())
        self._now = now
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_timeout, sock_read=read_timeout)

    def __repr__(self) -> str:
        return f"WebhookChannel({self._webhook.name})"

    @property
    def pace(self) -> Pace:
        return Pace.FREE

    def move(self, address: str) -> None:
        """A webhook is where its URL says."""

    def parts(self, body: Text, *, plain: bool = False) -> tuple[Text, ...]:
        return (Text(body.text) if plain else body,)

    async def send(self, message: Message, *, label: str | None, envelope: Envelope = PLAIN) -> str:
        told = identity(message)
        await self._post(told, _alert(message, told, label))
        return told

    async def reach(self) -> None:
        """A signed request that says nothing: proves that somebody is there. Raises `DeliveryError`."""
        now = int(self._now())
        await self._post(f"test_{now}", {"type": "test", "id": f"test_{now}", "created_at": now})

    async def _post(self, told: str, document: Mapping[str, Any]) -> None:
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            status, wait = await self._answer(body, signed(self._key, told, int(self._now()), body))
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = self._unanswered(error)
        else:
            if 200 <= status < 300:
                return
            failure = self._refusal(status, wait)
        raise failure  # out of the handler: the library's error holds the request, and that the URL

    async def _answer(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None]:
        """The status, and the Retry-After in seconds. A connection for each: an idle one may be closed under us."""
        connector = aiohttp.TCPConnector(force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=self._timeout) as session,
            session.post(self._webhook.url.reveal(), data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status, self._seconds(answer.headers.get("Retry-After"))

    def _seconds(self, retry_after: str | None) -> float | None:
        """A Retry-After (RFC 9110 section 10.2.3: seconds, or a date) in seconds, if it is one."""
        if retry_after is None:
            return None
        if retry_after.strip().isdecimal():
            return min(float(retry_after), LONGEST_WAIT)
        try:
            moment = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max(0.0, (at - datetime.fromtimestamp(self._now(), UTC)).total_seconds()), LONGEST_WAIT)

    def _unanswered(self, error: Exception) -> DeliveryError:
        host = self._webhook.host
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return NotSent(f"could not connect to {host}: no answer")
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
            return NotSent(f"could not connect to {host}: {_reason(error)}")
        return FateUnknown(f"no answer from {host}: {type(error).__name__}")

    def _refusal(self, status: int, wait: float | None) -> DeliveryError:
        said = f"{self._webhook.host} answered {_named(status)}"
        if status in _BUSY:
            return NotSent(said, wait)
        if status in _LATER:
            return NotSent(said)
        if status >= 500:
            return FateUnknown(said)
        return ChatRefused(said) if status in _MENDED_BY_PEOPLE else BodyRefused(said)


def identity(message: Message) -> str:
    """The same for every try at a message, another for any other message: what its reader tells copies by."""
    content = [message.chat, message.created_at, int(message.severity), list(message.about), message.body.text]
    digest = hashlib.sha256(json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()
    return f"msg_{digest[:32]}"


def signed(key: bytes, told: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a request. `timestamp` is when it is made, in Unix seconds."""
    digest = hmac.new(key, b"%s.%d.%s" % (told.encode(), timestamp, body), hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "position-watcher",
        "webhook-id": told,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _alert(message: Message, told: str, label: str | None) -> dict[str, Any]:
    return {
        "type": "alert",
        "id": told,
        "channel": message.chat,
        "severity": message.severity.name.lower(),
        "text": message.body.text,
        "note": label,
        "created_at": message.created_at,
        "about": list(message.about),
        "conditions": [
            {
                "rule": section.rule,
                "subject": section.subject,
                "level": section.level.name.lower(),
                "severity": section.severity.name.lower(),
                "text": section.body.text,
                "at": section.at,
                "since": section.since,
                "positions": [_position(one) for one in section.positions],
            }
            for section in message.sections
        ],
        "links": _links(message.body),
    }


def _position(one: Standing) -> dict[str, Any]:
    return {
        "id": one.position,
        "health": str(one.health),
        "health_at_second_source": None if one.second is None else str(one.second),
        "health_at_edge": None if one.edge is None else str(one.edge),
        "price": list(one.price),
    }


def _links(body: Text) -> list[dict[str, str]]:
    encoded = body.text.encode("utf-16-le", "surrogatepass")
    return [
        {
            "text": encoded[span.offset * _WIDTH :][: span.length * _WIDTH].decode("utf-16-le", "surrogatepass"),
            "url": span.url,
        }
        for span in body.spans
        if span.style is Style.LINK
    ]


def _reason(error: aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError) -> str:
    """In words of the system or our own: the library's may quote more than the host."""
    cause = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error.os_error
    if isinstance(cause, ssl.SSLError):
        return f"its certificate or encryption is not accepted ({cause.reason or type(cause).__name__})"
    return getattr(cause, "strerror", None) or type(cause).__name__


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
