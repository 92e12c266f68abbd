"""One request to one channel: bounded in time, and every failure of it a `DeliveryError`."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from watcher.alerts.message import Message
from watcher.domain.errors import DeliveryError
from watcher.notify.channel import Channel, FateUnknown

_PATIENCE: Final = 60.0  # seconds: more than all of a channel's timeouts together

_log = structlog.get_logger("watcher.notify")


async def ask(channel: Channel, message: Message, label: str | None) -> str:
    """Sends one part, and returns what the channel calls it. Raises `DeliveryError`, and nothing else."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await channel.send(message, label=label)
    except TimeoutError:
        raise FateUnknown(f"no answer in {_PATIENCE:.0f} s") from None
    except DeliveryError:
        raise
    except Exception as error:  # noqa: BLE001 - a channel's own fault, logged, must not end every other chat's alerts
        _log.exception("notify.channel_broken", chat=message.chat)
        raise FateUnknown(f"the channel failed: {type(error).__name__}") from None
