"""The ways to people: Telegram, webhooks, the second way, and who notices our silence.

Nothing is done that a running watcher, or those whom it tells, would notice. So its bot's messages are not asked for,
which would cut off whoever receives them, and the dead-man ping is not sent, which would say that all is well.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from telegram import WebhookInfo
from telegram.error import TelegramError

from watcher.config import Chat, Settings, Telegram
from watcher.config.settings import in_units
from watcher.doctor.findings import Finding, Grade
from watcher.notify.telegram import TelegramBot
from watcher.validate import Mark, look_at_escalation, look_at_telegram, look_at_webhooks

WITHIN: Final = 15.0
"""Seconds for each service."""


async def look_at_people(settings: Settings) -> list[Finding]:
    """Asks every service, side by side."""
    asked: list[tuple[str, Coroutine[Any, Any, list[Finding]]]] = []
    if settings.telegram:
        asked += [
            ("Telegram", _told_by_telegram(settings.telegram, list(settings.chats.values()))),
            ("Telegram", _heard_from_telegram(settings.telegram)),
        ]
    if settings.webhooks:
        asked.append(("webhook", _webhooks(settings)))
    asked += [("escalation", _escalation(settings)), ("dead-man", _deadman(settings))]
    found = [one for several in await asyncio.gather(*(_in_time(*one) for one in asked)) for one in several]
    nobody = "nobody is told but standard output: configure [telegram] and [chats.<name>], or [webhooks.<name>]"
    return found if settings.chats or settings.webhooks else [_finding("chats", Grade.WARNING, nobody), *found]


async def _in_time(part: str, asked: Coroutine[Any, Any, list[Finding]]) -> list[Finding]:
    try:
        async with asyncio.timeout(WITHIN):
            return await asked
    except TimeoutError:
        return [_finding(part, Grade.WRONG, f"no answer within {WITHIN:g} s")]


async def _told_by_telegram(telegram: Telegram, chats: Sequence[Chat]) -> list[Finding]:
    return _marked("Telegram", await look_at_telegram(telegram, chats))


async def _heard_from_telegram(telegram: Telegram) -> list[Finding]:
    """Where a webhook is set, commands go there and never come to us."""
    async with TelegramBot(telegram.token.reveal(), base_url=f"{telegram.api}/bot") as bot:
        try:
            info = await bot.library.get_webhook_info()
        except TelegramError as error:
            failure = bot.failure(error)
        else:
            return [_receives(info)]
    return [_finding("Telegram", Grade.WARNING, f"whether commands are heard is not known: {failure}")]


def _receives(info: WebhookInfo) -> Finding:
    if info.url:
        host = urlsplit(info.url).hostname or "somewhere else"
        words = f"a webhook takes this bot's messages to {host}: no command is heard; delete it, or use another bot"
        return _finding("Telegram", Grade.WARNING, words)
    waiting = f", {info.pending_update_count} not picked up yet" if info.pending_update_count else ""
    return _finding("Telegram", Grade.WELL, f"no webhook takes the bot's messages{waiting}")


async def _webhooks(settings: Settings) -> list[Finding]:
    return _marked("webhook", await look_at_webhooks(list(settings.webhooks.values())))


async def _escalation(settings: Settings) -> list[Finding]:
    if settings.escalation is None:
        none = "no second way to people, for what nobody acknowledges; [escalation] is one"
        return [_finding("escalation", Grade.NOTE, none)]
    return _marked("escalation", await look_at_escalation(settings.escalation))


async def _deadman(settings: Settings) -> list[Finding]:
    deadman = settings.deadman
    if deadman is None:
        none = "nobody notices when this machine falls silent; [deadman] is for that"
        return [_finding("dead-man", Grade.NOTE, none)]
    host = deadman.host.rpartition(":")[0] or deadman.host
    try:
        await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), None)
    except socket.gaierror:
        return [_finding("dead-man", Grade.WARNING, f"{deadman.host} does not resolve: its ping cannot get through")]
    every = in_units(deadman.every)
    words = f"{deadman.host}, every {every}; not pinged from here, since that would say that all is well"
    return [_finding("dead-man", Grade.WELL, words)]


def _marked(part: str, marks: Sequence[Mark]) -> list[Finding]:
    """What `watcher validate --online` says of the same."""
    return [_of_mark(part, mark) for mark in marks]


def _of_mark(part: str, mark: Mark) -> Finding:
    what = mark.what[len(part) :].lstrip(": ") if mark.what.startswith(part) else mark.what
    if mark.problem:
        return _finding(part, Grade.WRONG, f"{what}: {mark.problem}")
    return _finding(part, Grade.WELL, what)


def _finding(part: str, grade: Grade, words: str) -> Finding:
    return Finding(part=part, grade=grade, words=words)
