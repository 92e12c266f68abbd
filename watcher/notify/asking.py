"""One request to one channel: bounded in time, and every failure of it a `DeliveryError`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

import structlog

from watcher.alerts.message import Message
from watcher.domain.errors import DeliveryError
from watcher.notify.channel import PLAIN, Channel, Envelope, FateUnknown

T = TypeVar("T")

_PATIENCE: Final = 60.0  # seconds: more than all of a channel's timeouts together

_log = structlog.get_logger("watcher.notify")


async def ask(channel: Channel, message: Message, label: str | None, envelope: Envelope = PLAIN) -> str:
    """Sends one part, and returns what the channel calls it. Raises `DeliveryError`, and nothing else."""
    return await bounded(channel.send(message, label=label, envelope=envelope), message.chat)


async def bounded(request: Awaitable[T], chat: str) -> T:
    """The outcome of one request to a chat. Raises `DeliveryError`, and nothing else."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await request
    except TimeoutError:
        raise FateUnknown(f"no answer in {_PATIENCE:.0f} s") from None
    except DeliveryError:
        raise
    except Exception as error:  # noqa: BLE001 - a channel's own fault, logged, must not end every other chat's alerts
        _log.exception("notify.channel_broken", chat=chat)
        raise FateUnknown(f"the channel failed: {type(error).__name__}") from None
