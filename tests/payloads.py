"""Return data that no honest contract gives: honest data damaged in every way that ABI decoders have fallen for."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

WORD: Final = 32
_EXTREMES: Final = (0, 1, 31, 32, 64, 2**31, 2**63, 2**64 - 1, 2**128, 2**160, 2**255 - 1, 2**255, 2**256 - 1)


def damaged(honest: bytes, dice: Random) -> bytes:
    """The data after one to three accidents. The same dice give the same."""
    for _ in range(dice.randint(1, 3)):
        honest = dice.choice(_ACCIDENTS)(honest, dice)
    return honest


def _cut(data: bytes, dice: Random) -> bytes:
    return data[: dice.randint(0, len(data))]


def _longer(data: bytes, dice: Random) -> bytes:
    return data + dice.randbytes(dice.choice((1, 31, 32, 33, 1000)))


def _bit(data: bytes, dice: Random) -> bytes:
    at = dice.randrange(len(data) or 1)
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :] if data else data


def _word(data: bytes, dice: Random) -> bytes:
    """A length, an offset or a value that is as large, as small, or as near to a limit as can be."""
    at = WORD * dice.randint(0, len(data) // WORD)
    value = dice.choice(_EXTREMES) if dice.random() < 0.7 else dice.randint(0, len(data) + WORD)
    return data[:at] + value.to_bytes(WORD, "big") + data[at + WORD :]


def _words_swapped(data: bytes, dice: Random) -> bytes:
    words = [data[at : at + WORD] for at in range(0, len(data), WORD)]
    dice.shuffle(words)
    return b"".join(words)


def _repeated(data: bytes, dice: Random) -> bytes:
    return data * dice.randint(0, 8)


def _noise(data: bytes, dice: Random) -> bytes:
    return dice.randbytes(dice.choice((0, 1, 31, 32, 64, 320, 4000)))


def _all_ones(data: bytes, dice: Random) -> bytes:
    return b"\xff" * len(data)


def _zeros(data: bytes, dice: Random) -> bytes:
    return bytes(dice.choice((0, len(data), 40_000)))


def _pointing_at_itself(data: bytes, dice: Random) -> bytes:
    """Every word an offset to the same place: what makes a naive decoder read one thing again and again."""
    return dice.choice((0, 32, 64)).to_bytes(WORD, "big") * dice.choice((2, 32, 1000))


def _list_of_everything(data: bytes, dice: Random) -> bytes:
    """A well-formed list, as long as the data is."""
    size = dice.choice((1, 128, 1000, 8000))
    items = b"".join(bytes(12) + dice.randbytes(20) for _ in range(size))
    return WORD.to_bytes(WORD, "big") + size.to_bytes(WORD, "big") + items


_ACCIDENTS: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (
    _cut,
    _longer,
    _bit,
    _bit,
    _word,
    _word,
    _word,
    _words_swapped,
    _repeated,
    _noise,
    _all_ones,
    _zeros,
    _pointing_at_itself,
    _list_of_everything,
)
