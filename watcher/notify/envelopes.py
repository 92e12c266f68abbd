"""What goes with an alert besides its words: the message that it continues, and its buttons."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from watcher.alerts.incident import concerns
from watcher.notify.channel import PLAIN, Envelope
from watcher.panel import Panel
from watcher.store import Claimed, StoreFailed, StoreThread
from watcher.store.incidents import anchor

_log = structlog.get_logger("watcher.notify")


class Envelopes:
    """Addresses what the outbox sends. `panel` makes the buttons, where there is a bot that hears of a press."""

    def __init__(self, store: StoreThread, panel: Callable[[], Panel | None]) -> None:
        self._store = store
        self._panel = panel

    async def of(self, claimed: Claimed) -> Envelope:
        """The envelope of the part that is to be sent. Never fails: a message without one is still an alert.

        Only the first part has one: it is the one that the store knows the message by.
        """
        message, panel = claimed.message, self._panel()
        if claimed.part or not message.sections:
            return PLAIN
        keys = [member.key for member in concerns(message.sections)]
        keyboard = panel.alert(message.chat, claimed.id, keys) if panel and keys else ()
        try:
            return Envelope(await self._store.do(anchor, message.chat, message.sections), keyboard)
        except StoreFailed as problem:
            _log.error("outbox.unreadable", error=str(problem))
            return Envelope(None, keyboard)
