"""`watcher feeds`: everything that prices under positions rest on, how old it is, and whose health hangs on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from watcher.alerts.ages import PriceAge
from watcher.chain import ChainSpec
from watcher.check.look import OK, UNKNOWN, WARNING, ChainReport, Finding, Report
from watcher.domain.errors import ReadFailed
from watcher.domain.price import Freshness, Leaf, Opaque, Price, nodes
from watcher.domain.source import Address
from watcher.risk.healths import Healths, healths, sensitivities


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """A position above a source. `per_percent` is what its health changes by if the source answers 1 % less; None where
    it is not known, or the position owes nothing."""

    finding: Finding
    per_percent: Decimal | None


@dataclass(slots=True, kw_only=True)
class Source:
    """A feed under positions, or a contract that hides its feeds and `why` it could not be seen through."""

    chain: ChainSpec
    age: PriceAge
    why: str = ""
    dependents: list[Dependent] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """One price that some position is valued by, and where it was found: the first of those that share it."""

    chain: ChainSpec
    symbol: str
    finding: Finding
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The health of a position in three lights; None, and why, where our formula could not be asked."""

    finding: Finding
    healths: Healths | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReport:
    """What `report` rests on: sources with the stalest first, prices by chain and name, positions the worst first."""

    report: Report
    sources: tuple[Source, ...]
    prices: tuple[Priced, ...]
    standings: tuple[Standing, ...]

    @property
    def exit_code(self) -> int:
        """3 where something could not be read, else 1 where a feed is stale, else 0."""
        if self.report.unreadable or self.report.unseen or self.report.unsearched:
            return UNKNOWN
        return WARNING if any(one.age.freshness is Freshness.STALE for one in self.sources) else OK


def feeds_under(report: Report) -> FeedReport:
    """What the positions of a report rest on. Asks nothing further."""
    chains = {chain.spec.name: chain for chain in report.chains}
    sources: dict[tuple[str, Address], Source] = {}
    prices: dict[tuple[str, Address, Address], Priced] = {}
    for finding in report.findings:
        spec = chains[finding.position.at.chain].spec
        for source in _sources(finding, spec):
            known = sources.setdefault((spec.name, source.age.source), source)
            known.dependents += source.dependents if known is not source else ()
        for leg in finding.position.legs:
            key = (spec.name, leg.price.source, leg.priced_as)
            prices.setdefault(key, Priced(chain=spec, symbol=leg.asset.symbol, finding=finding, price=leg.price))
    return FeedReport(
        report=report,
        sources=tuple(sorted(sources.values(), key=lambda one: one.age.rank, reverse=True)),
        prices=tuple(sorted(prices.values(), key=lambda one: (one.chain.name, one.symbol))),
        standings=tuple(_standing(finding, chains[finding.position.at.chain]) for finding in report.findings),
    )


def _sources(finding: Finding, chain: ChainSpec) -> Iterator[Source]:
    """Each source under a position once, with what hangs on it."""
    now, hangs = finding.position.at.timestamp, _hangs(finding)
    seen: set[Address] = set()
    for leg in finding.position.legs:
        for node in nodes(leg.price.expression):
            age, why = _age(node, now)
            if age is None or age.source in seen:
                continue
            seen.add(age.source)
            here = Dependent(finding=finding, per_percent=hangs.get(age.source))
            yield Source(chain=chain, age=age, why=why, dependents=[here])


def _age(node: object, now: int) -> tuple[PriceAge | None, str]:
    match node:
        case Leaf(reading):
            return PriceAge(source=reading.feed, reading=reading, freshness=reading.freshness(now), now=now), ""
        case Opaque(source, _, why):
            return PriceAge(source=source, reading=None, freshness=Freshness.UNKNOWN, now=now), why
        case _:
            return None, ""


def _hangs(finding: Finding) -> dict[Address, Decimal]:
    """How health hangs on each source; nothing where our formula does not give today's health."""
    if finding.held is None or finding.mismatch:
        return {}
    try:
        found = sensitivities(finding.position, finding.held.reprice)
    except ReadFailed:
        return {}  # told by `_standing`, which asks the same formula
    return {one.feed: one.per_percent for one in found}


def _standing(finding: Finding, chain: ChainReport) -> Standing:
    if finding.held is None or finding.mismatch:
        return Standing(finding=finding, healths=None, why=finding.unsure or chain.problem)
    try:
        return Standing(finding=finding, healths=healths(finding.position, finding.held.reprice))
    except ReadFailed as problem:
        return Standing(finding=finding, healths=None, why=str(problem))
