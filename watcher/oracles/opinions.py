"""Second opinions: what independent sources say of the same thing at the same block.

Each is another feed, or the mean price in a pool. One that cannot be asked, or whose answer cannot be compared, is not
heard, and is named with the reason: its silence is no agreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from watcher.domain.errors import ReadFailed
from watcher.domain.feed import Beside, FeedReading, Opinion, Unheard
from watcher.domain.price import Leaf
from watcher.oracles.shape import Under, Unseen
from watcher.oracles.uniswap_v3 import mean_price
from watcher.reads import Plan, together


def second_words(asked: Sequence[Beside], decimals: int, under: Under) -> Plan[dict[str, Any]]:
    """`beside` and `unheard` of a reading or a price whose answer has so many decimals."""
    found = yield from together([_reading(one, decimals, under) for one in asked])
    pairs = list(zip(asked, found, strict=True))
    return {
        "beside": tuple(_opinion(by, decimals) for _, by in pairs if not isinstance(by, ReadFailed)),
        "unheard": tuple(Unheard(one.source, str(why)) for one, why in pairs if isinstance(why, ReadFailed)),
    }


def rescaled(answer: int, places: int, wanted: int) -> int:
    """An answer of `places` decimals as one of `wanted`, cut off towards zero."""
    if wanted >= places:
        return int(answer * 10 ** (wanted - places))
    cut = abs(answer) // 10 ** (places - wanted)
    return int(cut if answer >= 0 else -cut)


def _opinion(by: FeedReading, decimals: int) -> Opinion:
    return Opinion(by, rescaled(by.answer, by.decimals, decimals))


def _reading(one: Beside, decimals: int, under: Under) -> Plan[FeedReading]:
    if one.base is not None:
        return (yield from mean_price(one.source, one.base, one.window, decimals))
    found = yield from replace(under, path=(), alone=True).part(one.source)
    if not isinstance(found, Leaf):
        raise Unseen(f"{one.source} is no feed that we can see through")
    return found.reading
