"""The vocabulary of our TOML files: each kind of value, how it is read, and the words for what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from watcher.config.refusal import Right, shown
from watcher.domain.source import ZERO_ADDRESS, Address, Id32
from watcher.reads.codec import checksummed

EXAMPLE_ADDRESS = "0x and 40 hex digits with their EIP-55 checksum"
EXAMPLE_ID = "0x, the first 32 hex digits, a dash, and the last 32"

_HEX_40 = re.compile(r"0x[0-9a-fA-F]{40}")
_ID = re.compile(r"0x([0-9a-fA-F]{32})-([0-9a-fA-F]{32})")
_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DAY = 86_400


def address(value: object) -> Address | None:
    """An EIP-55 address. The checksum is what tells a mistyped digit, so one without it is not taken."""
    if not isinstance(value, str):
        return None
    if value.endswith(".eth"):
        raise ValueError(f"{shown(value)} is a name, and names are not looked up; write {EXAMPLE_ADDRESS}")
    if not _HEX_40.fullmatch(value):
        digits = len(value.removeprefix("0x"))
        raise ValueError(f"{shown(value)} ({digits} characters after 0x) is not an address; write {EXAMPLE_ADDRESS}")
    right = checksummed(int(value, 16))
    if right == value:
        return right
    if value[2:] in (value[2:].lower(), value[2:].upper()):
        raise ValueError(f'"{value}" is not a checksummed address; write "{right}"')
    raise ValueError(
        f'"{value}" does not fit its checksum: a character is mistyped. Copy it again from its source;'
        f' only if every digit is right, write "{right}"'
    )


def own_address(value: object) -> Address | None:
    """An address that somebody can own."""
    if value == ZERO_ADDRESS:
        raise ValueError(f'"{ZERO_ADDRESS}" is the zero address, which nobody owns; write the address of the wallet')
    return address(value)


def own_addresses(value: object) -> tuple[Address, ...] | None:
    """A list of addresses that somebody can own, not empty."""
    if isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a list; write [{shown(value)}]")
    if not isinstance(value, list) or not value:
        return None
    read = [own_address(one) for one in value]
    return tuple(one for one in read if one is not None) if None not in read else None


def whole(low: int, high: int) -> Callable[[object], int | None]:
    """An integer within bounds, both included. A TOML boolean is not a number."""

    def read(value: object) -> int | None:
        return value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else None

    return read


def number(inside: Callable[[Decimal], bool]) -> Callable[[object], Decimal | None]:
    """A finite number that `inside` holds for, exactly as written."""

    def read(value: object) -> Decimal | None:
        if isinstance(value, str) and re.fullmatch(r"[\d.]+", value):
            raise ValueError(f"{shown(value)} is a text; write the number without quotes")
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return None
        exact = Decimal(value)
        return exact if exact.is_finite() and inside(exact) else None

    return read


def duration(low: int, high: int) -> Callable[[object], int | None]:
    """Seconds from a text such as "12s", "90m" or "1h30m", within bounds, both included."""

    def read(value: object) -> int | None:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            raise ValueError(f'{shown(value)} has no unit; write a duration in quotes, such as "{shown(value)}s"')
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return None
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = days * _DAY + hours * 3600 + minutes * 60 + seconds
        return total if low <= total <= high else None

    return read


def line(longest: int) -> Callable[[object], str | None]:
    """A text on one line that shows as what it is: nothing invisible, no space around it."""

    def read(value: object) -> str | None:
        fit = isinstance(value, str) and value.isprintable() and value.strip() == value and 0 < len(value) <= longest
        return value if fit and isinstance(value, str) else None

    return read


def plain_url(value: object) -> str | None:
    """An http(s) URL that carries no secret, without the slash at its end."""
    if not isinstance(value, str) or not value.isprintable() or " " in value:
        return None
    if "@" in value:
        raise ValueError("the address has an '@' in it, and so perhaps a password; write it without user and password")
    try:
        parts = urlsplit(value)
        fit = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # what urlsplit says of a bad port or a bad IPv6 address
        return None
    return value.rstrip("/") if fit and not parts.query and not parts.fragment else None


def names(value: object) -> tuple[str, ...] | None:
    """A list of names, not empty: to leave it out means all."""
    if isinstance(value, str):
        raise ValueError(f"{shown(value)} is not a list; write [{shown(value)}]")
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return None
    if not value:
        raise ValueError("an empty list would mean none at all; leave the key out for all of them")
    return tuple(value)


def ids(value: object) -> tuple[Id32, ...] | None:
    """Ids of 32 bytes, not empty. With a dash, as 64 digits in one look like a private key, which no file may hold."""
    if not isinstance(value, list) or not value:
        return None
    found = tuple(dict.fromkeys(_id(one) for one in value))
    if len(found) < len(value):
        raise ValueError("names one of them twice; write each once")
    return found


def _id(value: object) -> Id32:
    match = _ID.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{shown(value)} is not an id; write {EXAMPLE_ID}")
    return Id32(f"0x{match[1]}{match[2]}".lower())


def is_name(text: str) -> bool:
    """Whether a text can name a chain, a chat or a deployment."""
    return _NAME.fullmatch(text) is not None


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and is_name(value) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value and "\0" not in value else None


def _table(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, dict) else None


def _list(value: object) -> list[Any] | None:
    return value if isinstance(value, list) else None


NAME_WORDS = "a name of small letters, digits and _, starting with a letter, at most 40 long"

Checksummed = Annotated[Address, Right(f"an address: {EXAMPLE_ADDRESS}", address)]
Owned = Annotated[Address, Right(f"an address: {EXAMPLE_ADDRESS}", own_address)]
Accounts = Annotated[tuple[Address, ...], Right(f"a list of addresses: {EXAMPLE_ADDRESS}", own_addresses)]
Name = Annotated[str, Right(NAME_WORDS, _name)]
Names = Annotated[tuple[str, ...], Right('a list of names, such as ["ethereum", "base"]', names)]
Ids = Annotated[tuple[Id32, ...], Right(f"a list of ids, each as {EXAMPLE_ID}", ids)]
Title = Annotated[str, Right("a text of 1 to 64 visible characters on one line", line(64))]
Text = Annotated[str, Right("a text in quotes", _text)]
Template = Annotated[str, Right("a text in quotes", _text, by_reference=True)]
Flag = Annotated[bool, Right("true or false, without quotes", _flag)]
Url = Annotated[str, Right("an http:// or https:// address without user, query or fragment", plain_url)]
Table = Annotated[Mapping[str, Any], Right("a table of keys", _table)]
Items = Annotated[list[Any], Right("a list in [ ]", _list)]
Wallets = Annotated[list[Any], Right("a list of tables; write [[wallets]], with two brackets", _list)]
Deployments = Annotated[list[Any], Right("a list of tables; write [[deployments]], with two brackets", _list)]
Feeds = Annotated[list[Any], Right("a list of tables; write [[feeds]], with two brackets", _list)]
SecondSources = Annotated[list[Any], Right("a list of tables; write [[second_sources]], with two brackets", _list)]
