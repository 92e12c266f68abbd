"""Any service that apprise knows, by its URL: the second way to people, for what nobody acknowledged.

The library is an optional extra. It says no more of a failure than that there was one, so the fate of such a message is
unknown, and its repeat says so.
"""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any, Final

from watcher.alerts.message import Level, Message, Text
from watcher.config import Secret
from watcher.domain.errors import ConfigError
from watcher.notify.channel import PLAIN, Envelope, FateUnknown, Pace
from watcher.notify.split import split

EXTRA: Final = "position-watcher[apprise]"

_KINDS: Final = {
    Level.OK: "success",
    Level.WARN: "warning",
    Level.CRITICAL: "failure",
    Level.LIQUIDATABLE: "failure",
}
_ROOM_FOR_TITLE_AND_LABEL: Final = 350
_SHORTEST_PART: Final = 100
_LONGEST_TITLE: Final = 200


class AppriseChannel:
    """The way to one service. See `channel.Channel`. Its URL is in no text that this module makes."""

    def __init__(self, url: Secret) -> None:
        """Raises `ConfigError` where the extra is not installed, or knows no such service."""
        library = _library()
        # It quotes URLs, and what services answer. What a request meets, we log ourselves.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        self._service: Any = library.Apprise()
        if not self._service.add(url.reveal()):
            raise ConfigError("escalation.url: apprise knows no such service, or its URL lacks a part; see its manual")
        self._longest = max(self._service[0].body_maxlen - _ROOM_FOR_TITLE_AND_LABEL, _SHORTEST_PART)

    def __repr__(self) -> str:
        return "AppriseChannel()"

    @property
    def pace(self) -> Pace:
        return Pace.FREE

    def move(self, address: str) -> None:
        """A service is where its URL says."""

    def parts(self, body: Text, *, plain: bool = False) -> tuple[Text, ...]:
        return split(Text(body.text), self._longest) or (Text("(a message without text)"),)

    async def send(self, message: Message, *, label: str | None, envelope: Envelope = PLAIN) -> str:
        title, _, rest = message.body.text.partition("\n")
        body = f"{label}\n{rest or title}" if label else rest or title
        delivered = await self._service.async_notify(
            title=title[:_LONGEST_TITLE], body=body, notify_type=_KINDS[message.severity], body_format="text"
        )
        if not delivered:
            raise FateUnknown("the escalation's service did not take it")
        return ""


def _library() -> ModuleType:
    try:
        import apprise  # an optional extra
    except ImportError:
        raise ConfigError(
            f"escalation: needs the library apprise, which is not installed: pip install '{EXTRA}'"
        ) from None
    library: ModuleType = apprise
    return library
