"""Where messages go: to a stand-in for Telegram on this machine, or to the real one; and how they are seen here too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bot_api import BotApi
from tests.bot_api_rules import Accepted
from tests.demo.files import CHAT, Telegram, write_token
from watcher.alerts.message import Message, Span, Style, Text, italic
from watcher.config import Settings
from watcher.domain.errors import ConfigError
from watcher.notify.channel import PLAIN, Channel, Envelope, Pace
from watcher.notify.telegram import TelegramBot

TOKEN_VARIABLE, CHAT_VARIABLE = "WATCHER_TELEGRAM_TOKEN", "WATCHER_TELEGRAM_CHAT"

_STAND_IN_CHAT: Final = 1001

Heard = Callable[[Text], None]


def real_telegram(environ: Mapping[str, str]) -> Telegram | None:
    """The bot and chat that the environment names, or None where it names neither. Raises `ConfigError`."""
    token, chat = environ.get(TOKEN_VARIABLE, ""), environ.get(CHAT_VARIABLE, "")
    if not token and not chat:
        return None
    if not token or not chat:
        missing = CHAT_VARIABLE if token else TOKEN_VARIABLE
        raise ConfigError(f"{missing} is not set: the real Telegram needs both, the demo's stand-in neither")
    try:
        return Telegram(token=f"${{env:{TOKEN_VARIABLE}}}", chat=int(chat))
    except ValueError:
        raise ConfigError(f'{CHAT_VARIABLE}: "{chat}" is no chat id; write a whole number, such as 123456789') from None


@asynccontextmanager
async def stand_in(folder: Path, heard: Heard) -> AsyncIterator[Telegram]:
    """A Bot API on loopback, as strict as the real one, that tells what it accepted."""
    async with BotApi(chats=[_STAND_IN_CHAT], on_message=lambda message: heard(_text(message))) as api:
        token = write_token(folder, api.token)
        yield Telegram(token=token, chat=_STAND_IN_CHAT, api=api.base_url.removesuffix("/bot"))


@asynccontextmanager
async def overheard(settings: Settings, heard: Heard) -> AsyncIterator[dict[str, Channel]]:
    """The channels of these settings, with us listening. Raises `DeliveryError` where the bot may not write."""
    assert settings.telegram is not None
    chat = settings.chats[CHAT]
    async with TelegramBot(settings.telegram.token.reveal(), base_url=f"{settings.telegram.api}/bot") as bot:
        channel = bot.chat(str(chat.id))
        await channel.reach()
        yield {CHAT: Overheard(channel, heard)}


@dataclass(frozen=True, slots=True)
class Overheard:
    """Sends through `channel`, and then tells what was sent. See `watcher.notify.channel.Channel`."""

    channel: Channel
    heard: Heard

    @property
    def pace(self) -> Pace:
        return self.channel.pace

    def parts(self, body: Text, *, plain: bool = False) -> tuple[Text, ...]:
        return self.channel.parts(body, plain=plain)

    def move(self, address: str) -> None:
        self.channel.move(address)

    async def send(self, message: Message, *, label: str | None, envelope: Envelope = PLAIN) -> str:
        sent = await self.channel.send(message, label=label, envelope=envelope)
        self.heard(italic(label) + "\n" + message.body if label else message.body)
        return sent


def _text(message: Accepted) -> Text:
    spans = (
        Span(Style(each["type"]), each["offset"], each["length"], each.get("url", "")) for each in message.entities
    )
    return Text(message.text, tuple(spans))
