"""A stand-in for the Telegram Bot API on loopback: strict where Telegram is strict, and faulty by script.

    async with BotApi(chats=[5]) as api:
        bot = TelegramBot(api.token, base_url=api.base_url)
        api.fail_next(Fault.LOST, chat=5)
        ...
        assert [m.text for m in api.accepted] == [...]

As a process of its own, `python -m tests.bot_api --chat 5` prints its address, then each accepted message, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any, Final, Self

from aiohttp import web

from tests.bot_api_http import hang_up, params_of
from tests.bot_api_rules import (
    SCRIPTED,
    Accepted,
    Fault,
    Flood,
    Refusal,
    Script,
    bad_request,
    checked_caption,
    checked_markup,
    checked_photo,
    checked_text,
)
from tests.bot_api_updates import Updates, chat_json

_PATH: Final = re.compile(r"/bot(?P<token>[^/]+)/(?P<method>\w+)")
_TOKEN: Final = re.compile(r"\d+:[\w-]+")
_BOT: Final = {"id": 1, "is_bot": True, "first_name": "Watcher", "username": "watcher_bot"}


class BotApi:
    """The server. `accepted` is what chats would show, in order; `requests` every call, refused ones too."""

    def __init__(
        self,
        token: str = "1:stand-in",
        chats: Iterable[int] = (),
        *,
        topics: Mapping[int, Collection[int]] | None = None,
        flood: bool = True,
        clock: Callable[[], float] = time.monotonic,
        latency: Callable[[], float] = lambda: 0.0,
        on_message: Callable[[Accepted], None] | None = None,
        port: int = 0,
    ) -> None:
        """`topics` are the thread ids of forums; `latency` is asked, in seconds, before and after each message."""
        self.token = token
        self.chats = set(chats)
        self.accepted: list[Accepted] = []
        self.edits: list[Accepted] = []
        self.updates = Updates()
        self.webhook = ""
        self.requests: list[tuple[str, int | None, float]] = []
        self._topics = topics or {}
        self._flood = Flood() if flood else None
        self._clock = clock
        self._latency = latency
        self._on_message = on_message
        self._port = port
        self._scripts: list[Script] = []
        self._news = asyncio.Event()
        self._closing = asyncio.Event()
        self._runner: web.ServerRunner | None = None

    # For tests and the demo

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/bot"

    async def __aenter__(self) -> Self:
        await self.come_back()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.go_dark()

    async def come_back(self) -> None:
        """Listens, at the same port as before."""
        self._closing.clear()
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def go_dark(self) -> None:
        """Closes every connection, and refuses new ones."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def fail_next(
        self,
        fault: Fault | str,
        *,
        chat: int | None = None,
        times: int = 1,
        method: str = "sendMessage",
        retry_after: int = 1,
        new_id: int = 0,
    ) -> None:
        """The next `times` such requests meet this fault."""
        script = Script(
            fault=Fault(fault), method=method, chat=chat, times=times, retry_after=retry_after, new_id=new_id
        )
        self._scripts.append(script)

    async def until(self, count: int) -> list[Accepted]:
        """Waits until that many messages were accepted; returns them all."""
        while len(self.accepted) < count:
            self._news.clear()
            await self._news.wait()
        return self.accepted

    def texts(self, chat: int | None = None) -> list[str]:
        """What was accepted, in order; of one chat if given."""
        return [message.text for message in self.accepted if chat in (None, message.chat)]

    def shown(self, chat: int, message_id: int) -> Accepted | None:
        """A message as it is now."""
        shown = [m for m in self.accepted + self.edits if (m.chat, m.message_id) == (chat, message_id)]
        return shown[-1] if shown else None

    # The server

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        found = _PATH.fullmatch(request.path)
        params = await params_of(request)
        try:
            if found is None or not _TOKEN.fullmatch(found["token"]):
                raise Refusal(404, "Not Found")
            if found["token"] != self.token:
                raise Refusal(401, "Unauthorized")
            return await self._answer(request, found["method"], params)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.code)

    async def _answer(self, request: web.BaseRequest, method: str, params: dict[str, str]) -> web.StreamResponse:
        chat = int(params["chat_id"]) if re.fullmatch(r"-?\d+", params.get("chat_id", "")) else None
        self.requests.append((method, chat, self._clock()))
        handler = getattr(self, f"_on_{method.lower()}", None)
        if handler is None:
            raise Refusal(404, "Not Found: method not found")
        script = self._scripted(method, chat)
        if script is not None and (refused := await self._refuse(request, script)) is not None:
            return refused
        result = await handler(params)
        if script is not None and script.fault is Fault.SLOW:
            await self._closing.wait()
        if script is not None and script.fault in (Fault.LOST, Fault.SLOW):
            return hang_up(request)
        return web.json_response({"ok": True, "result": result})

    async def _refuse(self, request: web.BaseRequest, script: Script) -> web.Response | None:
        """The answer of a fault that keeps the request from being processed. Raises `Refusal`."""
        match script.fault:
            case Fault.LOST | Fault.SLOW:
                return None
            case Fault.DROPPED:
                return hang_up(request)
            case Fault.HUNG:
                await self._closing.wait()
                return hang_up(request)
            case Fault.BAD_GATEWAY:
                return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")
            case Fault.PORTAL:
                return web.Response(status=403, text="<html>Please log in, blocked</html>", content_type="text/html")
            case Fault.FLOOD:
                wait = script.retry_after
                raise Refusal(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
            case Fault.MIGRATED:
                self.chats.add(script.new_id)
                what = "Bad Request: group chat was upgraded to a supergroup chat"
                raise Refusal(400, what, migrate_to_chat_id=script.new_id)
            case other:
                raise Refusal(*SCRIPTED[other])

    def _scripted(self, method: str, chat: int | None) -> Script | None:
        for place, script in enumerate(self._scripts):
            if script.fits(method, chat):
                left = script.once_less()
                self._scripts[place : place + 1] = [left] if left else []
                return script
        return None

    # Methods of the Bot API

    async def _on_getme(self, _: dict[str, str]) -> Any:
        return _BOT

    async def _on_sendmessage(self, params: dict[str, str]) -> Any:
        return await self._accept(params, *checked_text(params))

    async def _on_sendphoto(self, params: dict[str, str]) -> Any:
        return await self._accept(params, *checked_caption(params), photo=checked_photo(params))

    async def _accept(
        self, params: dict[str, str], text: str, entities: tuple[dict[str, Any], ...], *, photo: int = 0
    ) -> Any:
        chat = self._known_chat(params)
        thread = self._known_thread(chat, params)
        markup = checked_markup(params)
        reply_to = self._replied_to(chat, params)
        self._count(chat)
        await asyncio.sleep(self._latency())
        message = Accepted(
            chat=chat,
            message_id=len(self.accepted) + 1,
            text=text,
            entities=entities,
            thread=thread,
            silent=params.get("disable_notification") == "true",
            reply_to=reply_to,
            markup=markup,
            time=self._clock(),
            photo=photo,
        )
        self.accepted.append(message)
        self._news.set()
        if self._on_message is not None:
            self._on_message(message)
        await asyncio.sleep(self._latency())
        return _message(message)

    async def _on_editmessagetext(self, params: dict[str, str]) -> Any:
        text, entities = checked_text(params)
        return self._change(params, text=text, entities=entities)

    async def _on_editmessagereplymarkup(self, params: dict[str, str]) -> Any:
        return self._change(params)

    def _change(self, params: dict[str, str], **content: Any) -> Any:
        # Counted as a message is; buttons that are not named again are taken away.
        chat, markup = self._known_chat(params), checked_markup(params)
        self._count(chat)
        old = self.shown(chat, int(params.get("message_id", "0")))
        if old is None:
            raise bad_request("message to edit not found")
        if content and old.photo:
            raise bad_request("there is no text in the message to edit")
        new = replace(old, **content, markup=markup, time=self._clock())
        if (new.text, new.entities, new.markup) == (old.text, old.entities, old.markup):
            raise bad_request("message is not modified: specified new message content is the same")
        self.edits.append(new)
        self._news.set()
        return _message(new)

    def _count(self, chat: int) -> None:
        if self._flood is not None:
            self._flood.check(chat, self._clock())

    async def _on_getupdates(self, params: dict[str, str]) -> Any:
        return await self.updates.poll(params, self._closing)

    async def _on_answercallbackquery(self, params: dict[str, str]) -> Any:
        self.updates.answer(params)
        return True

    async def _on_getchat(self, params: dict[str, str]) -> Any:
        gifts = dict.fromkeys(
            ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
        )
        details = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}
        return {**chat_json(self._known_chat(params)), **details}

    async def _on_sendchataction(self, params: dict[str, str]) -> Any:
        self._known_thread(self._known_chat(params), params)
        return True

    async def _on_getwebhookinfo(self, _: dict[str, str]) -> Any:
        return {"url": self.webhook, "has_custom_certificate": False, "pending_update_count": 0}

    async def _on_setmycommands(self, _: dict[str, str]) -> Any:
        return True

    _on_deletewebhook = _on_setmycommands

    # Inside

    def _known_chat(self, params: Mapping[str, str]) -> int:
        given = params.get("chat_id", "")
        if not given:
            raise bad_request("chat_id is empty")
        if not re.fullmatch(r"-?\d+", given) or int(given) not in self.chats:
            raise bad_request("chat not found")
        return int(given)

    def _known_thread(self, chat: int, params: Mapping[str, str]) -> int | None:
        if not params.get("message_thread_id"):
            return None
        thread = int(params["message_thread_id"])
        if thread not in self._topics.get(chat, ()):
            raise bad_request("message thread not found")
        return thread

    def _replied_to(self, chat: int, params: Mapping[str, str]) -> int | None:
        reply = json.loads(params.get("reply_parameters") or "null")
        if reply is None:
            return None
        if self.shown(chat, reply["message_id"]) is not None:
            return int(reply["message_id"])
        if not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        return None


def _message(message: Accepted) -> dict[str, Any]:
    head = {"message_id": message.message_id, "date": int(time.time()), "chat": chat_json(message.chat), "from": _BOT}
    if not message.photo:
        return {**head, "text": message.text, "entities": list(message.entities)}
    size = {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "file_size": message.photo}
    return {**head, "photo": [size], "caption": message.text, "caption_entities": list(message.entities)}


async def _serve(arguments: argparse.Namespace) -> None:
    def told(message: Accepted) -> None:
        print(json.dumps(asdict(message)), flush=True)

    options = {"flood": not arguments.no_flood, "on_message": told, "port": arguments.port}
    async with BotApi(arguments.token, arguments.chat, **options) as api:
        print(json.dumps({"base_url": api.base_url}), flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for the Telegram Bot API on loopback.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="1:stand-in")
    parser.add_argument("--chat", type=int, action="append", default=[], help="a chat that exists; may be repeated")
    parser.add_argument("--no-flood", action="store_true", help="no flood limits")
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
