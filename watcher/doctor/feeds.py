"""The positions of the configured wallets, and the feeds under them: how many, and which are late."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from watcher.alerts.ages import PriceAge, ages
from watcher.alerts.clean import visible
from watcher.chain.probe import TIMEOUTS
from watcher.check import Report, look
from watcher.config import Settings
from watcher.doctor.findings import Finding, Grade
from watcher.domain.price import FeedReading, Freshness, Price

WITHIN = 8.0
"""Seconds for the look at the positions."""
NAMED = 6


async def look_at_feeds(settings: Settings, now: Callable[[], float]) -> list[Finding]:
    """Reads every wallet once, as `watcher check` does."""
    report = await look(settings, now=now, within=WITHIN, timeouts=TIMEOUTS)
    return [_positions(report), *_feeds(report), *_second_sources(report)]


def _positions(report: Report) -> Finding:
    count, lost = len(report.findings), report.unreadable
    found = f"{count} position{'s' if count != 1 else ''} of {len(report.wallets)} wallets"
    if lost:
        first = visible(lost[0].reason)[:160]
        words = f"{found}, and {len(lost)} that cannot be read: {lost[0].market}: {first}"
        return Finding(part="positions", grade=Grade.WRONG, words=words)
    if report.unseen:
        unseen = ", ".join(chain.spec.title for chain in report.unseen)
        return Finding(part="positions", grade=Grade.WRONG, words=f"{found}; not known on {unseen}")
    if report.unsearched:
        left = report.unsearched[0]
        why = f" ({visible(left.problem)[:160]})" if left.problem else ""
        words = f"{found}, and not everything searched yet: {left.market}: {left}{why}"
        return Finding(part="positions", grade=Grade.WARNING, words=words)
    return Finding(part="positions", grade=Grade.WELL, words=found)


def _feeds(report: Report) -> Iterator[Finding]:
    known = _under(report)
    stale = [(chain, age) for (chain, _), age in known.items() if age.freshness is Freshness.STALE]
    unknown = [age for age in known.values() if age.freshness is Freshness.UNKNOWN]
    fresh = len(known) - len(stale) - len(unknown)
    if not known:
        yield Finding(part="feeds", grade=Grade.NOTE, words="none under these positions")
        return
    parts = [f"{fresh} fresh"] if fresh else []
    parts += [f"{len(unknown)} of unknown age or heartbeat: never called stale"] if unknown else []
    parts += [f"{len(stale)} stale: {'; '.join(_named(*one) for one in stale[:NAMED])}"] if stale else []
    grade = Grade.WARNING if stale else Grade.NOTE if unknown else Grade.WELL
    yield Finding(part="feeds", grade=grade, words=f"{len(known)} under these positions: {', '.join(parts)}")


def _second_sources(report: Report) -> Iterator[Finding]:
    """Those that are not available: their silence is no agreement."""
    asked = [
        (chain.spec.title, of)
        for chain in report.chains
        for one in chain.findings
        for leg in one.position.legs
        for of in _held_against(leg.price)
    ]
    heard = {(chain, one.by.feed) for chain, of in asked for one in of.beside}
    unheard = {(chain, one.source): one.why for chain, of in asked for one in of.unheard}
    if heard and not unheard:
        yield Finding(part="second sources", grade=Grade.WELL, words=f"{len(heard)} answer")
    if unheard:
        named = "; ".join(f"{source} on {chain} ({visible(why)[:100]})" for (chain, source), why in unheard.items())
        words = f"{len(heard)} answer, and {len(unheard)} do not: {named}"
        yield Finding(part="second sources", grade=Grade.NOTE, words=words)


def _held_against(price: Price) -> Iterator[Price | FeedReading]:
    """What others may be asked about: the whole price, and each feed under it."""
    yield price
    yield from price.feeds


def _under(report: Report) -> dict[tuple[str, str], PriceAge]:
    """By chain and source."""
    return {
        (chain.spec.title, age.source): age
        for chain in report.chains
        for one in chain.findings
        for leg in one.position.legs
        for age in ages(leg.price, one.position.at.timestamp)
    }


def _named(chain: str, age: PriceAge) -> str:
    pair = visible(age.reading.pair)[:40] if age.reading else age.source
    return f"{pair} on {chain} ({str(age).removeprefix('stale: ')})"
