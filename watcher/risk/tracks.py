"""What is remembered of feeds, rates and prices between two snapshots, and how it is written down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, TypeAlias

from watcher.domain.source import ZERO_ADDRESS, Address

SLOTS: Final = 16
"""Parts of a window within which the lowest and the highest value are kept."""

Sample: TypeAlias = tuple[int, int, int]
"""When the part of the window began (Unix seconds), the lowest and the highest value that were seen in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened once and is worth saying for a while: when, in what words, and from what to what."""

    at: int
    said: str
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What is remembered of one feed, one rate, or one price of one deployment. Times are of blocks, in Unix seconds.

    `value` has `decimals` places and is unchanged `since` then; `samples` are of the last window. `round` is the
    highest that was seen, first at `round_at`. `behind`: for a feed the contract that answers behind it, for a price
    the source that its protocol asks. `structure` is how a price is made, `parts` the tracks of what it is made of.
    `changed` is the last exchange of what is behind, `broken` the last step by which a price lost one of its factors.
    """

    value: int
    decimals: int
    since: int
    samples: tuple[Sample, ...] = ()
    round: int = 0
    round_at: int = 0
    behind: Address = ZERO_ADDRESS
    structure: str = ""
    parts: tuple[str, ...] = ()
    changed: Mark | None = None
    broken: Mark | None = None


Tracks: TypeAlias = Mapping[str, Track]
"""By the address of a feed, by "source/what" of a rate, by "deployment/priced_as" of a price."""


def sampled(samples: tuple[Sample, ...], value: int, now: int, window: int) -> tuple[Sample, ...]:
    """The samples with another value, without those that are older than `window` seconds.

    The very same object where nothing is new, and equal for most blocks: what did not change need not be stored.
    """
    slot = max(window // SLOTS, 1)
    start = now - now % slot
    if samples and samples[-1][0] >= start:  # a block that is older than the last one counts as of the same time
        at, low, high = samples[-1]
        return samples if low <= value <= high else (*samples[:-1], (at, min(low, value), max(high, value)))
    return (*(one for one in samples if one[0] + slot > now - window), (start, value, value))


def within(samples: tuple[Sample, ...], now: int, window: int) -> tuple[int, int] | None:
    """The lowest and the highest value of the last `window` seconds; None where nothing of then is remembered."""
    slot = max(window // SLOTS, 1)
    recent = [one for one in samples if one[0] + slot > now - window]
    if not recent:
        return None
    _, lows, highs = zip(*recent, strict=True)
    return min(lows), max(highs)


def dumped(track: Track) -> str:
    """The track as text: the same for equal tracks, and read back by `loaded`."""
    return json.dumps(asdict(track), separators=(",", ":"))


def loaded(text: str) -> Track:
    """The track that `dumped` wrote. Raises `ValueError` where the text is none."""
    try:
        if "[[[" in text:  # deeper than any, and the parser answers far deeper ones by ending the process
            raise ValueError("its lists are nested more than a track's")
        found = json.loads(text)
        if not isinstance(found, dict) or found.keys() != _NAMES:
            raise ValueError(f"it has to have exactly {', '.join(sorted(_NAMES))}")
        return _track(found)
    except (ValueError, TypeError) as problem:
        raise ValueError(f"no track: {text[:80]!r}: {problem}") from problem


_NAMES: Final = {field.name for field in fields(Track)}
_MARKS: Final = {field.name for field in fields(Mark)}


def _track(found: dict[str, Any]) -> Track:
    numbers = {name: _whole(found[name]) for name in ("value", "decimals", "since", "round", "round_at")}
    return Track(
        **numbers,
        samples=tuple(_sample(one) for one in _listed(found["samples"])),
        behind=Address(_text(found["behind"])),
        structure=_text(found["structure"]),
        parts=tuple(_text(one) for one in _listed(found["parts"])),
        changed=_mark(found["changed"]),
        broken=_mark(found["broken"]),
    )


def _sample(found: Any) -> Sample:
    at, low, high = (_whole(one) for one in _listed(found))
    return at, low, high


def _mark(found: Any) -> Mark | None:
    if found is None:
        return None
    if not isinstance(found, dict) or found.keys() != _MARKS:
        raise ValueError(f"{found!r} is no mark")
    numbers = {name: _whole(found[name]) for name in ("at", "before", "after")}
    return Mark(**numbers, said=_text(found["said"]))


def _whole(found: Any) -> int:
    if not isinstance(found, int) or isinstance(found, bool):
        raise ValueError(f"{found!r} is no whole number")
    return found


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise ValueError(f"{found!r} is no text")
    return found


def _listed(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise ValueError(f"{found!r} is no list")
    return found
