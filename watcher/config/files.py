"""Reading TOML files: what can be wrong with a file before its first key is looked at."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from watcher.config.refusal import BOT_TOKEN, PRIVATE_KEY, Problems, scrubbed
from watcher.domain.errors import ConfigError

LARGEST_FILE = 4 * 1024 * 1024
"""Bytes. Ten thousand wallets take a quarter of it."""

_LINE_KEY = re.compile(r"\s*([A-Za-z0-9_.-]{1,60})\s*=")
_KEY_REFUSED = (
    "64 hex digits are a private key or look like one, and are not shown here; the watcher needs no key and accepts"
    " none: remove it, and if it was a key treat it as exposed"
)
_TOKEN_REFUSED = (
    "a Telegram bot token must not stand in this file, and is not shown here; secrets only by reference:"
    ' write token = "${credential:telegram_token}"'
)


def read_text(path: Path, file: str) -> str:
    """The text of a file; raises `ConfigError` for anything that is not one of sensible size in UTF-8."""
    try:
        if path.is_dir():
            raise ConfigError(f"{file}: is a directory; name the file in it")
        if not path.exists():
            raise ConfigError(f"{file}: no such file{' (a broken link)' if path.is_symlink() else ''}")
        if not path.is_file():
            raise ConfigError(f"{file}: is not a regular file")
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(f"{file}: larger than the {LARGEST_FILE // 1024**2} MiB we read")
        return as_text(path.read_bytes(), file)
    except OSError as problem:
        raise ConfigError(f"{file}: cannot be read: {problem.strerror or problem}") from problem


def as_text(raw: bytes, file: str) -> str:
    """Bytes as UTF-8 text; raises `ConfigError`."""
    if raw.startswith(b"\xef\xbb\xbf"):
        raise ConfigError(f"{file}: starts with a byte order mark; save it as UTF-8 without one")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        row = raw.count(b"\n", 0, problem.start) + 1
        raise ConfigError(f"{file}: line {row} is not UTF-8; save the file as UTF-8") from problem


def parse(text: str, file: str) -> dict[str, Any]:
    """TOML with exact decimals. Raises `ConfigError` for invalid TOML, and before anything else for a secret in it."""
    refuse_secrets(text, file)
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError) as problem:
        raise ConfigError(f"{file}: not valid TOML: {scrubbed(_reason(problem))}") from problem
    except RecursionError as problem:
        raise ConfigError(f"{file}: not valid TOML: nested too deeply; no key of ours is deeper than four") from problem


def _reason(problem: Exception) -> str:
    if isinstance(problem, tomllib.TOMLDecodeError):
        return str(problem)
    return "a number in it is too large to be one; the largest of ours has 16 digits"


def refuse_secrets(text: str, file: str) -> None:
    """Raise `ConfigError` when something that must be kept secret stands in the text, comments included."""
    if not PRIVATE_KEY.search(text) and not BOT_TOKEN.search(text):
        return
    problems = Problems(file)
    for row, words in enumerate(text.splitlines(), 1):
        key = _LINE_KEY.match(words)
        where = f"line {row} ({scrubbed(key[1])})" if key else f"line {row}"
        if PRIVATE_KEY.search(words):
            problems.add(where, _KEY_REFUSED)
        if BOT_TOKEN.search(words):
            problems.add(where, _TOKEN_REFUSED)
    problems.settle()
