"""The settings in lines for people; nothing secret in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from typing import Final

from watcher.alerts.rules import Rules
from watcher.chain.spec import ChainSpec
from watcher.config.settings import CONSOLE, Chat, Settings, Wallet, in_units
from watcher.risk.doubts import Limits

_MOST_TITLES: Final = 6
_IN_WORDS: Final = frozenset({"warn", "critical", "target"})
"""The rules that are told of every wallet; of the others, what is not as it is by default."""
_DURATIONS: Final = frozenset({"remind", "drop_within", "jump_within"})


def describe(settings: Settings) -> list[str]:
    """All of the settings."""
    counts = (
        _count(len(settings.wallets), "wallet"),
        _count(len(settings.chains), "chain"),
        _count(len(settings.deployments), "deployment"),
        _count(len(settings.chats), "chat"),
    )
    return [
        f"{', '.join(counts)}; a look at every new block, at least every {in_units(settings.interval)} and"
        f" at most every {in_units(settings.min_interval)}; state in {settings.state}",
        f"history: kept for {in_units(settings.history)}" if settings.history else "history: none is kept",
        *_prices(settings.limits),
        f"discovery: every {in_units(settings.discovery)} where wallets hold anything",
        *(describe_wallet(settings, wallet) for wallet in settings.wallets),
        *(_chain(chain) for chain in settings.chains.values()),
        *(_chat(chat) for chat in settings.chats.values()),
        *(f"webhook {webhook.name}: {webhook.host}" for webhook in settings.webhooks.values()),
        *([f"{CONSOLE}: standard output"] if settings.console else []),
        f"Telegram: a bot at {settings.telegram.api}" if settings.telegram else "Telegram: not configured",
        *_safeguards(settings),
    ]


def _prices(limits: Limits) -> list[str]:
    """What prices may do, where that is not as it is by default."""
    others = {
        each.name: _in_toml(each.name, getattr(limits, each.name))
        for each in fields(limits)
        if getattr(limits, each.name) != getattr(Limits(), each.name)
    }
    return [f"prices: {_pairs(others)}"] if others else []


def _chain(chain: ChainSpec) -> str:
    agreement = f"; agreement of {chain.agreement} operators" if chain.agreement > 1 else ""
    endpoints = ", ".join(each.name for each in chain.endpoints)
    return f"{chain.name}: {endpoints}; head_age {in_units(chain.max_age)}{agreement}"


def describe_wallet(settings: Settings, wallet: Wallet) -> str:
    """Where one wallet is looked for, by which rules, and who is told."""
    titles = [deployment.title for deployment in settings.watched(wallet)]
    places = ", ".join(titles) if len(titles) <= _MOST_TITLES else f"{len(titles)} deployments"
    accounts = [f"with the smart wallets {', '.join(wallet.accounts)}"] if wallet.accounts else []
    parts = [f"{wallet.label} {wallet.address}: {places}", *accounts, *_rules(settings, wallet)]
    return "; ".join([*parts, f"to {', '.join(wallet.chats)}"] if wallet.chats else parts)


def written(rules: Rules, beside: Rules | None = None) -> dict[str, str]:
    """Rules as TOML has them, by key: those that are set, or where they differ from others all that do."""
    found = {}
    for each in fields(rules):
        value = getattr(rules, each.name)
        if value != getattr(beside, each.name) if beside else value is not None:
            found[each.name] = _in_toml(each.name, value)
    return found


def _in_toml(key: str, value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and key in _DURATIONS:
        return f'"{in_units(value)}"'
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _rules(settings: Settings, wallet: Wallet) -> Iterator[str]:
    rules = wallet.rules
    yield f"warn below {rules.warn}, critical below {rules.critical}, target {rules.target}"
    others = {key: value for key, value in written(rules, Rules()).items() if key not in _IN_WORDS}
    if others:
        yield _pairs(others)
    by_difference: dict[str, list[str]] = {}
    for place, own in wallet.places:
        by_difference.setdefault(_pairs(written(own, rules)), []).append(place)
    for pairs, places in by_difference.items():
        if pairs:
            yield f"in {', '.join(_in_short(places, settings, wallet))}: {pairs}"


def _in_short(places: list[str], settings: Settings, wallet: Wallet) -> Iterator[str]:
    """Deployments, or their protocol where they are all of it that the wallet is looked for in; how many where many."""
    by_protocol: dict[str, list[str]] = {}
    for deployment in settings.watched(wallet):
        by_protocol.setdefault(deployment.protocol, []).append(deployment.id)
    for protocol, known in by_protocol.items():
        found = [place for place in known if place in places]
        many = [f"{len(found)} deployments of {protocol}"] if len(found) > _MOST_TITLES else found
        yield from [protocol] if len(found) == len(known) > 1 else many


def _pairs(rules: dict[str, str]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in rules.items())


def _chat(chat: Chat) -> str:
    thread = f", thread {chat.thread}" if chat.thread is not None else ""
    speakers = ", ".join(map(str, chat.speakers))
    commands = f"commands ({chat.role}) from {speakers}" if speakers else "no commands"
    return "; ".join([f"chat {chat.name}: {chat.id}{thread}", commands, *_times(chat)])


def _times(chat: Chat) -> Iterator[str]:
    if chat.quiet:
        yield f"quiet {chat.quiet.hours.start:%H:%M}-{chat.quiet.hours.end:%H:%M} {chat.quiet.zone}"
    if chat.digest:
        yield f"digest {chat.digest.at:%H:%M} {chat.digest.zone}"


def _safeguards(settings: Settings) -> list[str]:
    lines = []
    if settings.escalation:
        lines.append(f"escalation: what is critical and unacknowledged after {in_units(settings.escalation.after)}")
    if settings.deadman:
        lines.append(f"dead-man ping: {settings.deadman.host}, every {in_units(settings.deadman.every)}")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
