"""Where one JSON text ends and the next begins, in a stream that has nothing else to tell it.

go-ethereum ends each message on its IPC socket with a newline, others send no more than the closing bracket. So it is
the brackets that count. What is between them is looked at just enough to find them, and parsed by somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_SPACE: Final = b" \t\r\n"
_OUTSIDE: Final = re.compile(rb'["{}\[\]]')
_IN_TEXT: Final = re.compile(rb'["\\\x00-\x1f]')


class Unframed(ValueError):  # noqa: N818 - named for what the bytes are
    """Bytes that no JSON text begins with, goes on with, or is as long as. The words are fit to show."""


class Framer:
    """Cuts bytes into JSON objects and arrays. Holds never more than one of at most `longest` bytes.

    `parts`: the most brackets, texts and escapes in one, which bounds the work as `longest` bounds the memory.
    """

    def __init__(self, longest: int, parts: int) -> None:
        self._longest = longest
        self._parts = parts
        self._held = bytearray()
        self._begin()

    def feed(self, data: bytes, take: Callable[[bytes], None]) -> None:
        """Add what has arrived, and give `take` each text that is whole now. Raises `Unframed`."""
        self._held += data
        while (end := self._end()) is not None:
            text = bytes(self._held[:end])
            del self._held[:end]
            self._begin()
            take(text)
        if len(self._held) > self._longest:
            raise Unframed(f"an answer longer than the {self._longest} bytes that we take")

    def _begin(self) -> None:
        self._at = 0  # everything before has been looked at
        self._depth = 0
        self._seen = 0
        self._in_text = False

    def _end(self) -> int | None:
        """Where the text that is held ends; None before that has arrived."""
        if not self._depth and not self._found_beginning():
            return None
        while True:
            found = (_IN_TEXT if self._in_text else _OUTSIDE).search(self._held, self._at)
            if found is None:
                self._at = len(self._held)
                return None
            if found[0] == b"\\" and found.end() == len(self._held):
                self._at = found.start()  # what it escapes has still to arrive
                return None
            self._at = found.end()
            if self._closed_by(found[0]):
                return self._at

    def _found_beginning(self) -> bool:
        spaces = len(self._held) - len(self._held.lstrip(_SPACE))
        del self._held[:spaces]
        if self._held and self._held[0] not in b"{[":
            raise Unframed("an answer that is not JSON")
        return bool(self._held)

    def _closed_by(self, mark: bytes) -> bool:
        self._seen += 1
        if self._seen > self._parts:
            raise Unframed("an answer of far more parts than anything we ask for has")
        if self._in_text:
            if mark == b"\\":
                self._at += 1
            elif mark == b'"':
                self._in_text = False
            else:
                raise Unframed("an answer that is not JSON")  # a text in JSON has no line break: this one was cut short
        elif mark == b'"':
            self._in_text = True
        else:
            self._depth += 1 if mark in b"{[" else -1
        return not self._depth
