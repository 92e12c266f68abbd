"""Telegram, through python-telegram-bot's `Bot`.

Text goes out with `entities`, never with a parse mode: no string of a user or a contract can be taken for markup, and
Telegram has nothing to refuse. Errors are told apart by type and by the httpx error underneath, as 22.8 raises them:

  RetryAfter                                         NotSent, with its seconds
  ChatMigrated                                       ChatMoved
  Forbidden, BadRequest about the chat               ChatRefused
  BadRequest about the message to be edited          MessageGone, or nothing: it says that already
  BadRequest about anything else                     BodyRefused
  InvalidToken (401, 404)                            ChannelDown
  Conflict (another poller)                          NotSent: it is about receiving, not about sending
  could not connect, or no connection was free       NotSent: no byte of it left
  5xx, answer lost or late, an answer not Telegram's FateUnknown

A refusal counts only if Telegram itself said it. A 401, 403 or 404 with another body is a proxy or a captive portal
speaking, and must not switch anything off.
"""

from __future__ import annotations

import logging
import os
import ssl
from functools import cache
from typing import Final, Self

import httpx
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from watcher.alerts.message import Level, Message, Text, italic
from watcher.buttons import Keyboard
from watcher.domain.errors import DeliveryError
from watcher.notify.channel import (
    PLAIN,
    BodyRefused,
    ChannelDown,
    ChatMoved,
    ChatRefused,
    Envelope,
    FateUnknown,
    MessageGone,
    NotSent,
    Pace,
)
from watcher.notify.split import head, split

OFFICIAL: Final = "https://api.telegram.org/bot"

_LIMIT: Final = (
    4096  # core.telegram.org/bots/api#sendmessage. Counted here in UTF-16 units, the larger of the two readings
)
_CAPTION: Final = 1024  # core.telegram.org/bots/api#sendphoto
_ROOM_FOR_LABEL: Final = 192
_CONNECTIONS: Final = 32
_NOTHING_LEFT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)

_LOUD: Final = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "telegram": logging.WARNING,
    "telegram.request.BaseRequest": logging.CRITICAL,  # it logs a traceback for every answer that is not JSON
}

# Descriptions in which Telegram refuses the chat, not the message. Only known ones: a wrong guess silences a chat.
_FORBIDDEN_FOR_GOOD: Final = (
    "blocked",
    "kicked",
    "deactivated",
    "initiate conversation",
    "not a member",
    "was deleted",
)
_NO_SUCH_CHAT: Final = (
    "chat not found",
    "user not found",
    "chat_id is empty",
    "peer_id_invalid",
    "chat_write_forbidden",
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "message thread not found",
    "topic_closed",
    "topic_deleted",
    "group chat was deactivated",
)

_SAID_ALREADY: Final = "message is not modified"
_GONE: Final = ("message to edit not found", "message can't be edited", "message_id_invalid", "message identifier")

# Asks python-telegram-bot for what its next major version does anyway; without it every flood refusal warns.
os.environ.setdefault("PTB_TIMEDELTA", "true")


class TelegramBot:
    """One bot. Close it when done. Its token is in no text that this module produces."""

    def __init__(
        self, token: str, *, base_url: str = OFFICIAL, connect_timeout: float = 5.0, read_timeout: float = 20.0
    ) -> None:
        """`base_url` is everything before the token: `https://api.telegram.org/bot`."""
        _quiet()
        self._token = token
        self._requests = tuple(
            HTTPXRequest(
                connection_pool_size=_CONNECTIONS,
                connect_timeout=connect_timeout,
                read_timeout=read_timeout,
                write_timeout=read_timeout,
                pool_timeout=connect_timeout,
                # A proxy in the environment of a service is nobody's intention.
                httpx_kwargs={"trust_env": False, "verify": _certificates()},
            )
            for _ in range(2)
        )
        sending, polling = self._requests
        self._bot = Bot(token, base_url=base_url, request=sending, get_updates_request=polling)

    def __repr__(self) -> str:
        return "TelegramBot()"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        for request in self._requests:
            await request.shutdown()

    @property
    def library(self) -> Bot:
        """The bot as python-telegram-bot has it, for hearing what people write. What it raises may hold the token."""
        return self._bot

    def chat(self, address: str, *, thread: int | None = None, silent_below: Level = Level.OK) -> TelegramChat:
        """A chat of this bot: a numeric id or an @channel, and a forum topic in it."""
        return TelegramChat(self, address, thread, silent_below)

    async def username(self) -> str:
        """Asks Telegram who the bot is: proves the token. Raises `DeliveryError`."""
        try:
            return f"@{(await self._bot.get_me()).username}"
        except TelegramError as error:
            failure = self.failure(error)
        raise failure

    async def send(
        self, address: str, thread: int | None, text: Text, *, silent: bool, envelope: Envelope = PLAIN
    ) -> str:
        """One message as it is; returns its id. Raises `DeliveryError`s of `channel`."""
        try:
            sent = await self._bot.send_message(
                chat_id=address,
                text=text.text,
                entities=_entities(text),
                link_preview_options=_NO_PREVIEW,
                message_thread_id=thread,
                disable_notification=silent,
                reply_parameters=_answering(envelope.reply_to),
                reply_markup=_markup(envelope.keyboard),
            )
        except TelegramError as error:
            failure = self.failure(error)
        else:
            return str(sent.message_id)
        raise failure  # out of the handler: its traceback holds request objects, and those hold the token

    async def edit(self, address: str, external_id: str, text: Text | None, keyboard: Keyboard) -> None:
        """See `channel.RichChannel`. Raises `MessageGone`, and `DeliveryError`s of `channel`."""
        if not external_id.isdecimal():
            raise MessageGone(f"{external_id!r} is no message of Telegram's")
        try:
            await self._edit(address, int(external_id), text, _markup(keyboard))
        except TelegramError as error:
            failure = self._edit_failure(error)
        else:
            return
        if failure is not None:
            raise failure

    async def _edit(self, address: str, message: int, text: Text | None, markup: InlineKeyboardMarkup | None) -> None:
        if text is None:
            await self._bot.edit_message_reply_markup(chat_id=address, message_id=message, reply_markup=markup)
            return
        await self._bot.edit_message_text(
            text.text,
            chat_id=address,
            message_id=message,
            entities=_entities(text),
            link_preview_options=_NO_PREVIEW,
            reply_markup=markup,
        )

    async def photo(
        self, address: str, thread: int | None, png: bytes, caption: Text, *, envelope: Envelope = PLAIN
    ) -> str:
        """A picture; returns the message's id. Raises `DeliveryError`s of `channel`."""
        try:
            sent = await self._bot.send_photo(
                chat_id=address,
                photo=InputFile(png, filename="chart.png"),
                caption=caption.text or None,
                caption_entities=_entities(caption),
                message_thread_id=thread,
                reply_parameters=_answering(envelope.reply_to),
                reply_markup=_markup(envelope.keyboard),
            )
        except TelegramError as error:
            failure = self.failure(error)
        else:
            return str(sent.message_id)
        raise failure

    async def reach(self, address: str, thread: int | None) -> None:
        """Shows "typing" there: proves that the bot may write, and leaves nothing behind. Raises `DeliveryError`."""
        try:
            await self._bot.send_chat_action(chat_id=address, action="typing", message_thread_id=thread)
        except TelegramError as error:
            failure = self.failure(error)
        else:
            return
        raise failure

    def failure(self, error: TelegramError) -> DeliveryError:
        """What an error of the library means for the message, without the token."""
        said = str(error).replace(self._token, "<token>")
        if isinstance(error, RetryAfter):
            return NotSent(said, _seconds(error))
        if isinstance(error, ChatMigrated):
            return ChatMoved(str(error.new_chat_id))
        if isinstance(error.__cause__, _NOTHING_LEFT):
            return NotSent(f"could not connect to Telegram: {said}")
        if error.__cause__ is not None:
            return FateUnknown(f"no answer of Telegram's: {said}")
        return _refusal(error, said) or FateUnknown(f"Telegram is in trouble: {said}")

    def _edit_failure(self, error: TelegramError) -> DeliveryError | None:
        """The same for an edit; None where the message is as it should be."""
        lowered = str(error).lower()
        if isinstance(error, BadRequest) and _SAID_ALREADY in lowered:
            return None
        failure = self.failure(error)
        gone = isinstance(error, BadRequest) and any(known in lowered for known in _GONE)
        return MessageGone(str(failure)) if gone else failure


class TelegramChat:
    """The way to one chat of a bot. See `channel.RichChannel`."""

    def __init__(self, bot: TelegramBot, address: str, thread: int | None, silent_below: Level) -> None:
        self._bot = bot
        self._address = address
        self._thread = thread
        self._silent_below = silent_below

    @property
    def pace(self) -> Pace:
        return Pace.GROUP if self._address.startswith(("-", "@")) else Pace.PRIVATE

    def move(self, address: str) -> None:
        self._address = address

    def parts(self, body: Text, *, plain: bool = False) -> tuple[Text, ...]:
        room = _LIMIT - _ROOM_FOR_LABEL
        cut = split(Text(body.text), room // 2) if plain else split(body, room)
        return cut or (Text("(a message without text)"),)

    async def send(self, message: Message, *, label: str | None, envelope: Envelope = PLAIN) -> str:
        body = italic(label) + "\n" + message.body if label else message.body
        silent = message.severity < self._silent_below
        return await self._bot.send(self._address, self._thread, body, silent=silent, envelope=envelope)

    async def edit(self, external_id: str, body: Text | None, keyboard: Keyboard) -> None:
        await self._bot.edit(self._address, external_id, body, keyboard)

    async def photo(self, png: bytes, caption: Text, *, envelope: Envelope = PLAIN) -> str:
        return await self._bot.photo(self._address, self._thread, png, caption, envelope=envelope)

    def caption(self, body: Text) -> tuple[Text, Text]:
        return head(body, _CAPTION)

    async def reach(self) -> None:
        """Proves that the bot may write there, unseen. Raises `DeliveryError`."""
        await self._bot.reach(self._address, self._thread)


def _entities(text: Text) -> list[MessageEntity]:
    return [MessageEntity(s.style.value, s.offset, s.length, url=s.url or None) for s in text.spans]


def _answering(external_id: str | None) -> ReplyParameters | None:
    """The reply, if it can be one. A message that somebody has deleted must not keep its news from being told."""
    if external_id is None or not external_id.isdecimal():
        return None
    return ReplyParameters(int(external_id), allow_sending_without_reply=True)


def _markup(keyboard: Keyboard) -> InlineKeyboardMarkup | None:
    if not keyboard:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(each.label, callback_data=each.data) for each in row] for row in keyboard]
    )


def _refusal(error: TelegramError, said: str) -> DeliveryError | None:
    lowered = said.lower()
    if isinstance(error, InvalidToken):
        return ChannelDown(f"Telegram does not know this bot token ({said}): give the one that @BotFather shows")
    if isinstance(error, Conflict):
        return NotSent(said)
    if isinstance(error, Forbidden):
        return ChatRefused(said) if any(known in lowered for known in _FORBIDDEN_FOR_GOOD) else NotSent(said)
    if isinstance(error, BadRequest):
        return ChatRefused(said) if any(known in lowered for known in _NO_SUCH_CHAT) else BodyRefused(said)
    return None


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return float(wait) if isinstance(wait, int) else wait.total_seconds()


@cache
def _certificates() -> ssl.SSLContext:
    """Loaded once: it takes longer than all the rest of making a bot."""
    return httpx.create_ssl_context(trust_env=False)


def _quiet() -> None:
    """Below WARNING these libraries log URLs, and the token is in the URL. What a request meets, we log ourselves."""
    for name, least in _LOUD.items():
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, least))
