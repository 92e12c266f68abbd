"""Where one JSON text ends and the next begins, in a stream that has nothing else to tell it.

go-ethereum ends each message on its IPC socket with a newline, others send no more than the closing bracket. So it is
the brackets that count. What is between them is looked at just enough to find them, and parsed by somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from watcher.chain.answer import NOT_JSON, TOO_LONG, TOO_MANY_PARTS

_SPACE: Final = b" \t\r\n"
_OUTSIDE: Final = re.compile(rb'["{}\[\]]')
_IN_TEXT: Final = re.compile(rb'["\\\x00-\x1f]')
_CLOSED_BY: Final = {b"{": b"}", b"[": b"]"}


class Unframed(ValueError):  # noqa: N818 - named for what the bytes are
    """Bytes that no JSON text begins with, goes on with, or is as long as. The words are fit to show."""


class Framer:
    """Cuts bytes into JSON objects and arrays. Of one that is not whole, never more than `longest` bytes are held.

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
            if end > self._longest:
                break
            del self._held[:end]
            self._begin()
            take(text)
        if len(self._held) > self._longest:
            raise Unframed(TOO_LONG)

    def _begin(self) -> None:
        self._at = 0  # everything before has been looked at
        self._seen = 0
        self._open = bytearray()  # the brackets that are still to come
        self._in_text = False

    def _end(self) -> int | None:
        """Where the text that is held ends; None before that has arrived."""
        if not self._open and not self._found_beginning():
            return None
        while found := (_IN_TEXT if self._in_text else _OUTSIDE).search(self._held, self._at):
            mark = found[0]
            if mark == b"\\" and found.end() == len(self._held):
                self._at = found.start()  # what it escapes has still to arrive
                return None
            self._at = found.end()
            self._seen += 1
            if self._seen > self._parts:
                raise Unframed(TOO_MANY_PARTS)
            if self._in_text:
                self._on_in_text(mark)
            elif mark == b'"':
                self._in_text = True
            elif mark in _CLOSED_BY:
                self._open += _CLOSED_BY[mark]
            elif self._open.pop() != mark[0]:
                raise Unframed(NOT_JSON)
            elif not self._open:
                return self._at
        self._at = len(self._held)
        return None

    def _found_beginning(self) -> bool:
        spaces = len(self._held) - len(self._held.lstrip(_SPACE))
        del self._held[:spaces]
        if self._held and bytes(self._held[:1]) not in _CLOSED_BY:
            raise Unframed(NOT_JSON)
        return bool(self._held)

    def _on_in_text(self, mark: bytes) -> None:
        if mark == b"\\":
            self._at += 1
        elif mark == b'"':
            self._in_text = False
        else:
            raise Unframed(NOT_JSON)  # a text in JSON has no line break: this one was cut short
