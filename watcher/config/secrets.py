"""Secrets by reference: `${credential:NAME}`, `${file:PATH}`, `${env:NAME}`. Configuration files hold none."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LARGEST_SECRET = 64 * 1024
FORMS = "${credential:NAME}, ${file:PATH} or ${env:NAME}"

_UNSEEN = "unseen"
_REFERENCE = re.compile(r"\$\{([^{}:]*):?([^{}]*)\}")
_CREDENTIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Secret:
    """A text that no repr, log line or message shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the one place that sends it where it belongs."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A text with its references replaced, and the secrets that went into it."""

    text: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def mentions_secret(text: str) -> bool:
    """Whether a text refers to a secret, or tries to."""
    return "${" in text


def literal_part(text: str) -> str:
    """What stands in the text beside its references."""
    return _REFERENCE.sub("\n", text)


@dataclass(frozen=True, slots=True)
class References:
    """Where references are looked up: paths relative to `folder`, names in `environ`.

    Those who are `blind` look only at how a reference is written: the settings they make are for checking, not for use.
    """

    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    blind: bool = False

    def path(self, text: str) -> Path:
        """A path as a configuration file writes it: relative to that file, `~` for the home directory."""
        return self.folder / os.path.expanduser(text)  # unlike pathlib's, it bears a home that does not exist

    def files(self, text: str) -> list[Path]:
        """The files that the references of a text are read from, whether they are there or not."""
        found = [self._file(kind, name) for kind, name in _REFERENCE.findall(text)]
        return [path.absolute() for path in found if path is not None]

    def _file(self, kind: str, name: str) -> Path | None:
        folder = self.environ.get("CREDENTIALS_DIRECTORY")
        if kind == "file" and name and "\0" not in name:
            return self.path(name)
        return Path(folder) / name if kind == "credential" and folder and _CREDENTIAL.fullmatch(name) else None

    def resolve(self, text: str) -> Resolved:
        """Replace every reference. Raises `ValueError` with words for the user, and never a secret in them."""
        found: list[str] = []

        def replace(match: re.Match[str]) -> str:
            found.append(self._look_up(match[1], match[2]))
            return found[-1]

        if "${" in _REFERENCE.sub("", text):
            raise ValueError(f"has a '${{' that is not a reference; write {FORMS}")
        return Resolved(_REFERENCE.sub(replace, text), tuple(found))

    def _look_up(self, kind: str, name: str) -> str:
        reference = f"${{{kind}:{name}}}"
        match kind:
            case "credential":
                value = self._credential(reference, name)
            case "file":
                value = _UNSEEN if self.blind else _owned_text(reference, self.path(name), forbidden=0o077)
            case "env":
                value = self._variable(reference, name)
            case _:
                raise ValueError(f"{reference} is no kind of reference that we know; write {FORMS}")
        return _single_line(reference, value)

    def _credential(self, reference: str, name: str) -> str:
        if not _CREDENTIAL.fullmatch(name):
            raise ValueError(f"{reference} names no credential; write its name only, such as ${{credential:rpc_key}}")
        if self.blind:
            return _UNSEEN
        folder = self.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise ValueError(
                f"{reference} cannot be found: $CREDENTIALS_DIRECTORY is not set. Run under systemd with"
                f" LoadCredential={name}:…, or write ${{file:PATH}} instead"
            )
        # systemd gives these files to the service's user by an access list, which shows as a readable group (0440);
        # the folder around them lets nobody else in. https://github.com/systemd/systemd/issues/29435
        return _owned_text(reference, Path(folder) / name, forbidden=0o027)

    def _variable(self, reference: str, name: str) -> str:
        if not _VARIABLE.fullmatch(name):
            raise ValueError(
                f"{reference} names no environment variable; write its name only, such as ${{env:RPC_KEY}}"
            )
        if self.blind:
            return _UNSEEN
        if name not in self.environ:
            raise ValueError(f"{reference} cannot be found: the environment variable {name} is not set")
        return self.environ[name]


def _single_line(reference: str, value: str) -> str:
    value = value.rstrip("\r\n")
    if not value.strip():
        raise ValueError(f"{reference} is empty; put the secret in it")
    if not value.isprintable():
        raise ValueError(f"{reference} holds more than one line or unprintable characters; it must be the secret alone")
    return value


def _owned_text(reference: str, path: Path, *, forbidden: int) -> str:
    """The text of a file that belongs to us or root and has none of the forbidden permission bits."""
    try:
        # Non-blocking, so that a named pipe in its place cannot hold up the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            _check_private(reference, path, os.fstat(descriptor), forbidden)
            raw = file.read(LARGEST_SECRET + 1)
    except FileNotFoundError as problem:
        raise ValueError(f"{reference} cannot be found: looked for {path}") from problem
    except OSError as problem:
        raise ValueError(f"{reference} cannot be read: {path}: {problem.strerror or problem}") from problem
    if len(raw) > LARGEST_SECRET:
        raise ValueError(f"{reference} is larger than the {LARGEST_SECRET // 1024} KiB we read: {path}")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        # Not chained: the decoder's error carries the bytes.
        raise ValueError(f"{reference} is not UTF-8 text: {path}") from None


def _check_private(reference: str, path: Path, facts: os.stat_result, forbidden: int) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise ValueError(f"{reference} is not a regular file: {path}")
    if facts.st_uid not in (os.geteuid(), 0):
        raise ValueError(f"{reference} belongs to user {facts.st_uid}; it must be ours or root's: chown {path}")
    mode = stat.S_IMODE(facts.st_mode)
    if mode & forbidden:
        raise ValueError(f"{reference} can be used by others (mode {mode:04o}); write: chmod 600 {path}")
