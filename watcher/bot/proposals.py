"""Edits that wait for somebody to confirm them: in memory, for a few minutes, each under one message."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from watcher.alerts.message import Text
from watcher.wallets import Edit

LIVES: Final = 300
"""Seconds after which a proposal can be confirmed no more."""
MOST: Final = 64
"""Proposals that are remembered; the oldest gives way."""
_POSTED_WITHIN: Final = 10.0  # a button can be pressed before Telegram's answer has told us the message's id


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An edit that somebody in a chat (by its name) asked for, and how it was put; `until` in Unix seconds."""

    ref: int
    chat: str
    edit: Edit
    question: Text
    until: float
    message: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def posted(self, message: str) -> None:
        """It stands under the message with this id."""
        if not self.message.done():
            self.message.set_result(message)


class Proposals:
    """Those that still wait. `now` is Unix seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._waiting: dict[int, Proposal] = {}

    def make(self, chat: str, edit: Edit, question: Text) -> Proposal:
        proposal = Proposal(
            ref=secrets.randbits(48), chat=chat, edit=edit, question=question, until=self._now() + LIVES
        )
        self._waiting[proposal.ref] = proposal
        while len(self._waiting) > MOST:
            del self._waiting[next(iter(self._waiting))]
        return proposal

    async def take(self, ref: int, chat: str, message: str) -> Proposal | None:
        """The proposal under this message, once: whoever comes next finds none."""
        found = self._waiting.get(ref)
        if found is None or found.chat != chat or not await _stands_under(found, message):
            return None
        if self._waiting.pop(ref, None) is None or self._now() >= found.until:
            return None
        return found


async def _stands_under(proposal: Proposal, message: str) -> bool:
    try:
        async with asyncio.timeout(_POSTED_WITHIN):
            return await asyncio.shield(proposal.message) == message
    except TimeoutError:
        return False
