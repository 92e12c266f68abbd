"""What people do to the bot, and the long poll by which it learns of that: a part of the stand-in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from tests.bot_api_rules import Refusal, bad_request


class Updates:
    """The queue of updates, for one poller at a time."""

    def __init__(self) -> None:
        self.answered: list[Mapping[str, str]] = []
        self._waiting: list[dict[str, Any]] = []
        self._callbacks: set[str] = set()
        self._last = 0
        self._poller: asyncio.Future[None] | None = None

    def say(self, chat: int, user: int, text: str) -> None:
        """Somebody writes to the bot."""
        message = {"message_id": 1_000_000 + self._last, "date": int(time.time()), "chat": chat_json(chat)}
        entities = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}] if text[:1] == "/" else []
        self._add(message={**message, "from": _user_json(user), "text": text, "entities": entities})

    def press(self, chat: int, user: int, message_id: int, data: str) -> str:
        """Somebody presses a button under a message; returns the id that the bot has to answer."""
        query = f"q{self._last + 1}"
        self._callbacks.add(query)
        under = {"message_id": message_id, "date": int(time.time()), "chat": chat_json(chat)}
        self._add(
            callback_query={"id": query, "from": _user_json(user), "chat_instance": "1", "data": data, "message": under}
        )
        return query

    def answer(self, params: Mapping[str, str]) -> None:
        """The bot answers a press. Raises `Refusal` if there is none to answer."""
        query = params.get("callback_query_id", "")
        if query not in self._callbacks:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        self._callbacks.remove(query)
        self.answered.append(params)

    async def poll(self, params: Mapping[str, str], closing: asyncio.Event) -> list[dict[str, Any]]:
        """What is new, at once or as soon as there is something. A second poller ends the first with a 409."""
        if self._poller is not None and not self._poller.done():
            conflict = "Conflict: terminated by other getUpdates request; make sure that only one bot is running"
            self._poller.set_exception(Refusal(409, conflict))
        self._poller = poller = asyncio.get_running_loop().create_future()
        offset, limit = int(params.get("offset") or 0), int(params.get("limit") or 100)
        self._waiting = [update for update in self._waiting if update["update_id"] >= offset]
        ended = asyncio.ensure_future(closing.wait())
        try:
            if not self._waiting:
                timeout = float(params.get("timeout") or 0)
                await asyncio.wait((poller, ended), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if poller.done():
                poller.result()
            return self._waiting[:limit]
        finally:
            ended.cancel()
            poller.cancel()

    def _add(self, **content: Any) -> None:
        self._last += 1
        self._waiting.append({"update_id": self._last, **content})
        if self._poller is not None and not self._poller.done():
            self._poller.set_result(None)


def chat_json(chat: int) -> dict[str, Any]:
    if chat > 0:
        return {"id": chat, "type": "private", "first_name": f"User {chat}"}
    return {"id": chat, "type": "supergroup", "title": f"Group {chat}"}


def _user_json(user: int) -> dict[str, Any]:
    return {"id": user, "is_bot": False, "first_name": f"User {user}"}
