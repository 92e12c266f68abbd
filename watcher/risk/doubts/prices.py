"""The checks of a whole price: on what it stands, whether a factor of it got lost, whether a cap makes it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Final

from watcher.domain.doubt import Suspicion
from watcher.domain.price import Leaf, Opaque, value_of
from watcher.domain.source import ZERO_ADDRESS, Address
from watcher.risk.doubts.feeds import Complaint, jump
from watcher.risk.doubts.limits import A_DAY, Limits, over
from watcher.risk.doubts.looks import Look, Priced, fingerprint, track_of
from watcher.risk.doubts.words import limit, percent, shown
from watcher.risk.tracks import Mark, Track, Tracks, sampled

FACTOR: Final = 50
"""A price that changes by so much in one step lost a factor or got one too many: no market does that."""

STEP: Final = Decimal("0.05")
"""The least step by which a price that is made otherwise than before may have lost a factor."""

ALIKE: Final = Decimal("0.01")
"""How near to one of its factors a price has to be to be that factor alone."""

FORGOTTEN: Final = 7 * A_DAY
"""Seconds after which a price that stays where it stepped to is taken as what it is now."""

_COINS: Final = ("ETH", "WETH", "STETH", "BTC", "WBTC")


def price_track(look: Look[Priced], tracks: Tracks, now: int, limits: Limits) -> Track:
    """What is remembered of a price from now on. While it cannot be seen through, how it was made stays remembered."""
    priced, old = look.what, tracks.get(look.track)
    value = priced.price.low
    seen = not any(isinstance(part, Opaque) for part in priced.parts)
    structure = fingerprint(priced.price.expression) if seen or old is None else old.structure
    parts = tuple(map(track_of, priced.parts)) if seen or old is None else old.parts
    return Track(
        value=value,
        decimals=priced.decimals,
        since=old.since if old is not None and old.value == value else now,
        samples=sampled(old.samples if old else (), value, now, limits.jump_within),
        behind=priced.source,
        structure=structure,
        parts=parts,
        changed=_changed(priced, structure, old, now),
        broken=_broken(priced, structure, old, tracks, now),
    )


def _changed(priced: Priced, structure: str, old: Track | None, now: int) -> Mark | None:
    if old is None:
        return None
    if old.behind != priced.source:
        return Mark(at=now, said=f"its protocol asks {priced.source} for it, where it asked {old.behind} before")
    if old.structure != structure:
        said = f"{priced.source} makes it of {structure}, where it was of {old.structure} before"
        return Mark(at=now, said=said)
    return old.changed


def _broken(priced: Priced, structure: str, old: Track | None, tracks: Tracks, now: int) -> Mark | None:
    """The step by which the price lost a factor, for as long as it is nearer to where that took it than to before."""
    value = priced.price.low
    if old is None or old.decimals != priced.decimals:
        return None
    mark = old.broken
    if mark is not None and now - mark.at <= FORGOTTEN:
        return mark if abs(value - mark.after) < abs(value - mark.before) else None  # the way back is no loss
    if value <= 0 or old.value <= 0:
        return None
    alone = _alone(priced, structure, old, tracks)
    if alone:
        return Mark(at=now, said=f"{_went(priced, old)}, which is {alone} alone", before=old.value, after=value)
    high, low = max(value, old.value), min(value, old.value)
    if high < low * FACTOR:
        return None
    times = f"{high // low:,} times {'more' if value == high else 'less'}"
    said = f"{_went(priced, old)}, {times}; the limit is {FACTOR} times"
    return Mark(at=now, said=said, before=old.value, after=value)


def _went(priced: Priced, old: Track) -> str:
    return f"it went from {shown(old.value, old.decimals)} to {shown(priced.price.low, priced.decimals)} in one step"


def _alone(priced: Priced, structure: str, old: Track, tracks: Tracks) -> str:
    """The factor that a price of several fell to when its making changed; empty where it did not."""
    remade = old.structure != structure or old.behind != priced.source
    value = priced.price.low
    if not remade or len(old.parts) < 2 or not over(value - old.value, old.value, STEP):
        return ""
    found = (name for name in old.parts if name in tracks and _same(value, priced.decimals, tracks[name]))
    called = {track_of(part): part.reading.pair for part in priced.parts if isinstance(part, Leaf)}
    return next((called.get(name, name) for name in found), "")


def _same(value: int, decimals: int, part: Track) -> bool:
    ours, theirs = value * 10**part.decimals, part.value * 10**decimals
    return not over(ours - theirs, theirs, ALIKE)


def price_complaints(
    look: Look[Priced], old: Track | None, new: Track, now: int, limits: Limits, jumped: Collection[str]
) -> Iterator[Complaint]:
    """Every check of the price as a whole that fails. `jumped`: the parts of which a jump is said already."""
    priced = look.what
    if new.changed is not None and now - new.changed.at <= limits.jump_within:
        yield Suspicion.CHANGED, new.changed.said
    yield from _capped(priced, limits)
    if priced.price.low <= 0:
        if all(value_of(part) > 0 or isinstance(part, Opaque) for part in priced.parts):
            said = f"it comes to {shown(priced.price.low, priced.decimals)}: no price is 0 or less"
            yield Suspicion.NOT_POSITIVE, said
        return
    if new.broken is not None:
        yield Suspicion.MISSING_FACTOR, new.broken.said
    yield from _wrong_unit(priced)
    if not jumped:
        yield from jump(priced.price.low, priced.decimals, old, now, limits)


def _capped(priced: Priced, limits: Limits) -> Iterator[Complaint]:
    """A cap that cuts by more than what is pegged trembles: then the price is the cap's, and not the market's."""
    for node in priced.caps:
        whole, kept = value_of(node.of), value_of(node.at)
        if whole > kept and over(whole - kept, whole, limits.capped):
            what = f" of {node.what}" if node.what else ""
            said = (
                f"the cap{what} leaves {percent(whole - kept, whole)} of it away; the limit is {limit(limits.capped)}"
            )
            yield Suspicion.CAPPED, said
            return


def _wrong_unit(priced: Priced) -> Iterator[Complaint]:
    """A price in dollars that is the bare answer of a feed in ether or bitcoin: seen without any memory."""
    only = priced.parts[0] if len(priced.parts) == 1 and not priced.composed else None
    if not isinstance(only, Leaf) or "USD" not in priced.unit.upper():
        return
    quote = only.reading.pair.upper().replace(" ", "").partition("/")[2]
    if quote in _COINS:
        said = f"it is the bare answer of {only.reading.pair}, in a market that counts in {priced.unit}"
        yield Suspicion.MISSING_FACTOR, said


def capped_source(priced: Priced) -> Address:
    """Who computes the cap, or the source of the price where that is not told apart."""
    found = (cap.source for cap in priced.caps if cap.active)
    return next((source for source in found if source != ZERO_ADDRESS), priced.source)
