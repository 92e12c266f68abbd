"""Editing the wallets file: wallets are added, removed and given limits without touching anything else in it.

An edit is tried first: the whole configuration is validated with the text as it would be. Only `Edit.save` writes, and
what it puts in place is either all there or not at all. Comments and order stay; the comment directly above a wallet
goes with it.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT, Item

from watcher.config import Settings, Wallet, describe_wallet, load, named_files
from watcher.config.files import parse, read_text
from watcher.config.refusal import unknown
from watcher.domain.errors import ConfigError

Value = Decimal | int | str | bool
"""A rule's value as TOML has it: `Decimal("1.30")`, `2`, `"4h"`, `true`."""

_LIST = "wallets"
_NEW_FILE = "# Wallets, as `watcher wallets` and the chat add and remove them. Editing by hand is welcome.\n"
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Watch one more address. What is left out is as for a wallet in the file: all chains, protocols and chats."""

    address: str
    label: str | None = None
    chains: Sequence[str] = ()
    protocols: Sequence[str] = ()
    chats: Sequence[str] = ()
    rules: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remove:
    """Watch a wallet no longer, named by its address or label."""

    wallet: str


@dataclass(frozen=True, slots=True)
class Adjust:
    """Other rules for a wallet, named by its address or label; None takes back what the wallet had of its own."""

    wallet: str
    rules: Mapping[str, Value | None]


Change = Add | Remove | Adjust


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An edit that is valid, and not made yet: of a wallet that `was`, or is new, and `becomes` another, or goes.

    `lost` and `gained` say the same in words.
    """

    path: Path
    before: str | None
    after: str
    was: Wallet | None = None
    becomes: Wallet | None = None
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """What it changes, for people."""
        return [*(f"- {line}" for line in self.lost), *(f"+ {line}" for line in self.gained)]

    def save(self) -> None:
        """Put it in place. Raises `ConfigError` where the file has changed meanwhile, or cannot be written."""
        target = self.path.resolve()  # a link stays a link
        try:
            with _locked(target.parent):
                if _text(target) != self.before:
                    raise ConfigError(f"{self.path}: was changed by somebody else meanwhile; look at it and try again")
                _replace(target, self.after)
        except OSError as problem:
            raise ConfigError(
                f"{self.path}: cannot be written: {problem.strerror or problem}; run this as the user who owns it"
            ) from problem


def edit_wallets(config: Path, change: Change, *, environ: Mapping[str, str] = os.environ) -> Edit:
    """The edit of the wallets file that a configuration names. Writes nothing, and looks no secret up.

    Raises `ConfigError`: no such file is named, no such wallet is in it, or the configuration would not be valid.
    """
    path = named_files(config, environ).wallets
    if path is None:
        raise ConfigError(
            f'{config}: wallets_file: not set; write wallets_file = "wallets.toml" above the first [table],'
            " so that there is a file for commands to edit"
        )
    before = _text(path)
    text = before or ""
    parse(text, str(path))
    entries = _Entries(text, path)
    if isinstance(change, Add):
        after = entries.with_one_more(_entry(change))
        settings = load(config, secrets=False, wallets_text=after, environ=environ)
        new = settings.wallets[-1]
        return Edit(path=path, before=before, after=after, becomes=new, gained=(_line(settings, new),))
    settings = load(config, secrets=False, wallets_text=text, environ=environ)
    wallet = _meant(change.wallet, settings, config)
    index = entries.index_of(wallet.address)
    if index is None:
        raise ConfigError(f"{wallet.label} stands in {config} itself, which is edited by hand only; change it there")
    lost = (_line(settings, wallet),)
    if isinstance(change, Remove):
        after = entries.without(index)
        load(config, secrets=False, wallets_text=after, environ=environ)
        return Edit(path=path, before=before, after=after, was=wallet, lost=lost)
    after = entries.adjusted(index, change.rules)
    settings = load(config, secrets=False, wallets_text=after, environ=environ)
    changed = next(each for each in settings.wallets if each.address == wallet.address)
    gained = (_line(settings, changed),)
    return Edit(path=path, before=before, after=after, was=wallet, becomes=changed, lost=lost, gained=gained)


def _meant(named: str, settings: Settings, config: Path) -> Wallet:
    """The wallet with this address (in any case of letters) or label."""
    key = named.casefold()
    for wallet in settings.wallets:
        if key in (wallet.address.casefold(), wallet.label.casefold()):
            return wallet
    labels = [wallet.label for wallet in settings.wallets]
    raise ConfigError(f"{config}: {unknown(named, labels, 'wallet')}")


def _line(settings: Settings, wallet: Wallet) -> str:
    return describe_wallet(settings, wallet)


# --- The text ---------------------------------------------------------------------------------------------------------


class _Entries:
    """The `[[wallets]]` of a text. tomlkit says where each begins; lines are put in and taken out between."""

    def __init__(self, text: str, path: Path) -> None:
        self._text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._tables = self._listed(tomlkit.parse(text), path)

    @staticmethod
    def _listed(document: tomlkit.TOMLDocument, path: Path) -> Sequence[Mapping[str, Any]]:
        listed = document.get(_LIST)
        if listed is not None and not isinstance(listed, AoT):
            raise ConfigError(
                f"{path}: {_LIST}: commands edit only the form [[wallets]], one table for each; rewrite it"
            )
        return listed or ()

    def index_of(self, address: str) -> int | None:
        return next((index for index, table in enumerate(self._tables) if table.get("address") == address), None)

    def with_one_more(self, entry: str) -> str:
        text = self._text or _NEW_FILE
        gap = "" if text.endswith("\n") else self._newline
        return text + gap + self._newline + entry.replace("\n", self._newline)

    def without(self, index: int) -> str:
        return self._text[: self._lead(index)] + self._text[self._lead(index + 1) :]

    def adjusted(self, index: int, rules: Mapping[str, Value | None]) -> str:
        """Keys that are there keep their place and comment; new ones come after the last."""
        document = tomlkit.parse(self._text)
        table: Any = document[_LIST][index]
        for key, value in rules.items():
            if key in table and value is None:
                del table[key]
            elif key in table and value is not None:
                table[key] = _item(value)
        changed = _Entries(document.as_string(), Path())
        fresh = {key: value for key, value in rules.items() if value is not None and key not in table}
        return changed._with_keys(index, fresh)

    def _with_keys(self, index: int, values: Mapping[str, Value]) -> str:
        start, end = self._start(index), self._lead(index + 1)
        lines = self._text[start:end].splitlines(keepends=True)
        last = max(number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#"))
        lines[last] = lines[last].rstrip("\r\n") + self._newline
        lines[last + 1 : last + 1] = [
            f"{key} = {_item(value).as_string()}{self._newline}" for key, value in values.items()
        ]
        return self._text[:start] + "".join(lines) + self._text[end:]

    def _start(self, index: int) -> int:
        """Where an entry's header begins: as far as the text goes that has only what is before it."""
        if index == len(self._tables):
            return len(self._text)
        document = tomlkit.parse(self._text)
        if index == 0:
            return sum(len(item.as_string()) for _, item in takewhile(lambda part: part[0] is None, document.body))
        listed: Any = document[_LIST]
        del listed[index:]
        return len(document.as_string())

    def _lead(self, index: int) -> int:
        """Where an entry begins with the comment directly above it. What begins the file is about the file."""
        start = self._start(index)
        if index == len(self._tables):
            return start
        above = start
        for line in reversed(self._text[:start].splitlines(keepends=True)):
            if not line.lstrip().startswith("#"):
                return above
            above -= len(line)
        return start


def _entry(change: Add) -> str:
    table = tomlkit.table()
    if change.label is not None:
        table.add("label", change.label)
    table.add("address", change.address)
    for key, names in (("chains", change.chains), ("protocols", change.protocols), ("chats", change.chats)):
        if names:
            table.add(key, list(names))
    for key, value in change.rules.items():
        table.add(key, _item(value))
    return f"[[{_LIST}]]\n{table.as_string()}"


def _item(value: Value) -> Item:
    return tomlkit.value(str(value)) if isinstance(value, Decimal) else tomlkit.item(value)


# --- The file ---------------------------------------------------------------------------------------------------------


def _text(path: Path) -> str | None:
    """What is in the file; None where there is none yet."""
    return read_text(path, str(path)) if os.path.lexists(path) else None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time, by a lock on the folder: it leaves no file behind."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)  # so that the new name is on the disk too
    finally:
        os.close(descriptor)


def _replace(target: Path, text: str) -> None:
    """A whole new file under the old name, with the old mode and owner; a new one is as private as its folder."""
    old = target.stat() if target.exists() else None
    owner = old or target.parent.stat()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(file.fileno(), old.st_mode & 0o7777 if old else _OWNER_ONLY)
            if os.geteuid() != owner.st_uid and (old or os.geteuid() == 0):
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise
