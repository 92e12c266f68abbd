"""Reading what people wrote behind a command. What cannot be read raises `Misunderstood`, with what would be right."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Final

from watcher.alerts.clean import clean
from watcher.alerts.message import Level
from watcher.alerts.rules import Rules
from watcher.bot.view import Misunderstood, View, label
from watcher.config import Wallet
from watcher.config.forms import duration
from watcher.wallets import Value

SHORTEST_MUTE, LONGEST_MUTE = 60, 7 * 86_400

_LEVELS: Final = {
    "warn": Level.WARN,
    "warning": Level.WARN,
    "warnings": Level.WARN,
    "critical": Level.CRITICAL,
    "liquidatable": Level.LIQUIDATABLE,
    "all": Level.LIQUIDATABLE,
}
_SPAN: Final = re.compile(r"(?=\d)(?:\d+d)?(?:\d+h)?(?:\d+m(?:in)?)?(?:\d+s)?", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d{1,9}(?:[.,]\d{1,9})?")
_SETTING: Final = re.compile(r"(?P<key>\w+)=(?P<value>\S+)")
_FLAGS: Final = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
_OF_EVERYONE: Final = ("default", "-")
_LONGEST_LABEL = 32


def nothing_more(arguments: Sequence[str]) -> None:
    if arguments:
        raise Misunderstood(f"“{clean(' '.join(arguments))}” is more than it takes.")


def chosen(arguments: Sequence[str], view: View) -> Sequence[Wallet]:
    """The wallet that is named, or all of them."""
    if not arguments:
        return view.wallets
    return [the_wallet(arguments, view)]


def the_wallet(arguments: Sequence[str], view: View) -> Wallet:
    """The one that is named; if none is, the only one that there is."""
    if arguments:
        wallet, rest = view.wallet_named(arguments)
        nothing_more(rest)
        return wallet
    if len(view.wallets) != 1:
        raise Misunderstood(f"Whose? There are: {', '.join(label(one) for one in view.wallets[:12]) or 'none'}.")
    return view.wallets[0]


# --- Durations and levels ---------------------------------------------------------------------------------------------


def spanned(arguments: Sequence[str]) -> tuple[Sequence[str], int, Level]:
    """`main 2h critical` as the words before the duration, its seconds, and the level: warnings where none is said."""
    *rest, last = arguments or [""]
    level = _LEVELS.get(last.casefold()) if len(arguments) > 1 else None
    if level is None:
        rest, level = list(arguments), Level.WARN
    if level is Level.LIQUIDATABLE:
        raise Misunderstood("What is liquidatable is always told. Mute warnings, or what is critical.")
    if not rest:
        raise Misunderstood("For how long? Write 30m, 2h or 1d.")
    *names, written = rest
    return names, _seconds(written), level


def _seconds(written: str) -> int:
    if not _SPAN.fullmatch(written):
        raise Misunderstood(f"“{clean(written)}” is no duration. Write 30m, 2h or 1d.")
    seconds = duration(SHORTEST_MUTE, LONGEST_MUTE)(written.casefold().replace("min", "m"))
    if seconds is None:
        raise Misunderstood(f"“{clean(written)}” is out of bounds: from 1m to 7d.")
    return seconds


# --- Rules and chains -------------------------------------------------------------------------------------------------


def settings_in(arguments: Sequence[str]) -> tuple[Sequence[str], dict[str, str]]:
    """The words, and what is written as `key=value` among them; each key once."""
    words, settings = [], {}
    for argument in arguments:
        match = _SETTING.fullmatch(argument)
        if match is None and "=" in argument:
            raise Misunderstood(f"“{clean(argument)}” is no key and value. Write them in one, such as warn=1.4")
        if match is None:
            words.append(argument)
        elif (key := match["key"].casefold()) in settings:
            raise Misunderstood(f"{clean(key)} is there twice.")
        else:
            settings[key] = match["value"]
    return words, settings


def rules_from(settings: Mapping[str, str]) -> dict[str, Value | None]:
    """Rules as TOML has them; None for one that is to be everyone's again."""
    known = {each.name for each in fields(Rules)}
    for key in settings:
        if key not in known:
            raise Misunderstood(f"There is no rule “{clean(key)}”. There are: {', '.join(sorted(known))}.")
    return {key: _value(key, written) for key, written in settings.items()}


def _value(key: str, written: str) -> Value | None:
    if written.casefold() in _OF_EVERYONE:
        return None
    standard = getattr(Rules(), key)
    if isinstance(standard, bool):
        if written.casefold() not in _FLAGS:
            raise Misunderstood(f"{key} is on or off, not “{clean(written)}”.")
        return _FLAGS[written.casefold()]
    if key in DURATIONS:
        if not _SPAN.fullmatch(written):
            raise Misunderstood(f"{key} is a duration such as 4h, not “{clean(written)}”.")
        return written.casefold().replace("min", "m")
    number, share = written.removesuffix("%"), written.endswith("%")
    if not _NUMBER.fullmatch(number):
        raise Misunderstood(f"{key} is a number, not “{clean(written)}”.")
    exact = Decimal(number.replace(",", "."))
    if isinstance(standard, int) and (share or exact != int(exact)):
        raise Misunderstood(f"{key} is a whole number, not “{clean(written)}”.")
    return int(exact) if isinstance(standard, int) else exact / 100 if share else exact


DURATIONS: Final = ("remind", "drop_within")
"""The rules that are written as a duration."""


def label_from(words: Sequence[str]) -> str | None:
    """What a wallet is to be called; None where nothing is said."""
    written = " ".join(words)
    if len(written) > _LONGEST_LABEL:
        raise Misunderstood(f"A label has at most {_LONGEST_LABEL} characters; that is {len(written)}.")
    return written or None
