"""The channels that the settings name: chats of a bot, webhooks, the console, and the second way to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from watcher.config import Settings, Telegram
from watcher.config.settings import CONSOLE
from watcher.notify.apprise import AppriseChannel
from watcher.notify.channel import Channel
from watcher.notify.console import ConsoleChannel
from watcher.notify.escalator import ESCALATION
from watcher.notify.telegram import TelegramBot
from watcher.notify.webhook import WebhookChannel
from watcher.store import Store, StoreThread


class Reachable(Protocol):
    """A channel that can prove that the other side takes what we send."""

    async def reach(self) -> None:
        """Asks, and leaves nothing behind there. Raises `DeliveryError`."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """Every channel by its name, and those that refused us when we last knew: they may be asked again."""

    channels: Mapping[str, Channel]
    lost: Mapping[str, Reachable]


@dataclass(slots=True)
class Outlets:
    """Makes channels, and keeps bots for the sends that they still have under way. Close it when done."""

    _bots: dict[Telegram, TelegramBot] = field(default_factory=dict)

    async def open(self, settings: Settings, store: StoreThread) -> Opened:
        """Each chat is at the address that it is known to have by now.

        Raises `ConfigError` where there is no such service, and `StoreFailed`.
        """
        addresses = {name: str(chat.id) for name, chat in settings.chats.items()}
        addresses |= {name: webhook.host for name, webhook in settings.webhooks.items()}
        if settings.console:
            addresses[CONSOLE] = ""
        if settings.escalation is not None:
            addresses[ESCALATION] = ""
        states = await store.do(Store.register, addresses)
        channels: dict[str, Channel] = {}
        reachable: dict[str, Reachable] = {}
        if settings.telegram is not None:
            bot = self.bot_of(settings.telegram)
            for name, chat in settings.chats.items():
                channels[name] = reachable[name] = bot.chat(states[name].address, thread=chat.thread)
        for name, webhook in settings.webhooks.items():
            channels[name] = reachable[name] = WebhookChannel(webhook)
        if settings.console:
            channels[CONSOLE] = ConsoleChannel()
        if settings.escalation is not None:
            channels[ESCALATION] = AppriseChannel(settings.escalation.url)
        lost = {name: way for name, way in reachable.items() if states[name].disabled}
        return Opened(channels, lost)

    async def close(self) -> None:
        for bot in self._bots.values():
            await bot.close()

    def bot_of(self, telegram: Telegram) -> TelegramBot:
        """The bot of these settings; an earlier one stays open until the end."""
        if telegram not in self._bots:
            self._bots[telegram] = TelegramBot(telegram.token.reveal(), base_url=f"{telegram.api}/bot")
        return self._bots[telegram]
