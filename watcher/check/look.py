"""Reading every chain once, side by side, and judging what was found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import aiohttp

from watcher.advice import healths_in_doubt, known
from watcher.alerts.ages import PriceAge, oldest_price
from watcher.alerts.message import Level
from watcher.alerts.sighting import View
from watcher.alerts.trust import SURE, Trust
from watcher.chain import Chain, ChainSpec, Pinned, Timeouts, open_session
from watcher.check.searching import recalled, with_searches
from watcher.config import Settings, Wallet
from watcher.domain.errors import EndpointError, ReadFailed
from watcher.domain.position import Check, Position, Unreadable
from watcher.domain.price import Freshness
from watcher.domain.searched import Unsearched
from watcher.domain.source import Address, Block
from watcher.risk.doubts import Limits, examine
from watcher.risk.liquidation import LiquidationPrice, levers, liquidation_price
from watcher.snapshot import Held, Snapshot, take, too_old, watched_on

WITHIN = 20.0
"""Seconds that one chain may take, over all its endpoints."""

DIFFER = "our formula and the contract differ"

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
"""Exit codes. UNKNOWN is also that of commands that could not even begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A position that was read, and what the rules of its wallet say of it.

    `liquidations` are the prices that would liquidate it, the nearest first; `unsure` says why there is none to be
    had, where that is not because no price would do it. `held` is what a what-if is made of.
    `trust`: how far the prices under it can be trusted.
    """

    wallet: Wallet
    position: Position
    level: Level
    held: Held | None = None
    liquidations: tuple[LiquidationPrice, ...] = ()
    unsure: str = ""
    trust: Trust = SURE

    @property
    def oldest_price(self) -> PriceAge | None:
        return oldest_price(self.position)

    @property
    def stale(self) -> bool:
        """Whether a debt rests on a price older than promised. Without debt there is nothing for a price to decide."""
        owing = self.position.health.required != 0
        return (
            owing
            and self.wallet.rules_at(self.position.id.deployment).stale
            and self.position.freshness is Freshness.STALE
        )

    @property
    def suspect(self) -> bool:
        """Whether a debt rests on a price that fails a check; of those that need no earlier look."""
        return bool(self.trust.doubts) and self.wallet.rules_at(self.position.id.deployment).suspect

    @property
    def mismatch(self) -> bool:
        return self.position.check is Check.MISMATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainReport:
    """One chain. `problem` is empty where it could be read; with a `block` beside it, its numbers are too old.

    `wallets` are those that are looked for on it.
    """

    spec: ChainSpec
    wallets: tuple[Wallet, ...]
    problem: str
    endpoint: str = ""
    block: Block | None = None
    findings: tuple[Finding, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    unsearched: tuple[Unsearched, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything found. `checked_at` is the wall clock after the last read, in Unix seconds."""

    checked_at: int
    wallets: tuple[Wallet, ...]
    chains: tuple[ChainReport, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Worst first."""
        return tuple(sorted((one for chain in self.chains for one in chain.findings), key=_badness))

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        return tuple(one for chain in self.chains for one in chain.unreadable)

    @property
    def unsearched(self) -> tuple[Unsearched, ...]:
        """Of whom more may be held than was found: not all logs have been searched."""
        return tuple(one for chain in self.chains for one in chain.unsearched)

    @property
    def unseen(self) -> tuple[ChainReport, ...]:
        """The chains that could not be read, or only as they were too long ago."""
        return tuple(chain for chain in self.chains if chain.problem)

    @property
    def idle(self) -> tuple[Wallet, ...]:
        """The wallets with no position: each chain they are looked for on was read, even if too long ago, and
        searched."""
        dark = self._in_the_dark
        return tuple(wallet for wallet in self._nothing_found if wallet.address not in dark)

    @property
    def not_known(self) -> tuple[Wallet, ...]:
        """The wallets of which nothing was found while some chain of theirs was not read, or not wholly searched:
        they may have positions."""
        dark = self._in_the_dark
        return tuple(wallet for wallet in self._nothing_found if wallet.address in dark)

    @property
    def _nothing_found(self) -> tuple[Wallet, ...]:
        busy = {one.wallet.address for one in self.findings} | {one.id.wallet for one in self.unreadable}
        return tuple(wallet for wallet in self.wallets if wallet.address not in busy)

    @property
    def _in_the_dark(self) -> set[Address]:
        unread = {wallet.address for chain in self.chains if chain.block is None for wallet in chain.wallets}
        return unread | {one.wallet for one in self.unsearched}

    @property
    def exit_code(self) -> int:
        """By the worst found: 2 critical, else 3 something could not be read, or not been searched for yet, else 1 a
        warning, else 0.

        A stale or suspect price under a debt is a warning, and so is a position whose numbers only the contract can
        explain.
        """
        findings = self.findings
        if any(one.level >= Level.CRITICAL for one in findings):
            return CRITICAL
        if (
            self.unreadable
            or self.unseen
            or self.unsearched
            or any(one.unsure and not one.mismatch for one in findings)
        ):
            return UNKNOWN
        return WARNING if any(one.level or one.stale or one.suspect or one.mismatch for one in findings) else OK


def _badness(finding: Finding) -> tuple[object, ...]:
    position = finding.position
    return (
        -finding.level,
        position.health.factor,
        not (finding.stale or finding.suspect),
        finding.wallet.label,
        str(position.id),
    )


async def look(
    settings: Settings,
    *,
    now: Callable[[], float] = time.time,
    within: float = WITHIN,
    timeouts: Timeouts | None = None,
) -> Report:
    """One snapshot of every chain, side by side. What cannot be read is in the report, never an exception."""
    async with open_session() as session:
        reading = (_read(spec, settings, session, now, within, timeouts) for spec in settings.chains.values())
        chains = await asyncio.gather(*reading)
    return Report(checked_at=int(now()), wallets=settings.wallets, chains=tuple(chains))


async def _read(
    spec: ChainSpec,
    settings: Settings,
    session: aiohttp.ClientSession,
    now: Callable[[], float],
    within: float,
    timeouts: Timeouts | None,
) -> ChainReport:
    searches = await asyncio.to_thread(recalled, spec, settings)
    holders = {holder.wallet for each in watched_on(spec.name, settings) for holder in each.holders}
    wallets = tuple(wallet for wallet in settings.wallets if wallet.address in holders)
    old: list[Snapshot] = []

    async def recent(pinned: Pinned) -> Snapshot:
        """A snapshot at a block that is not too old; from an endpoint that is behind, something for want of better."""
        watched = watched_on(spec.name, settings, searches)
        snapshot = await take(pinned, [replace(each, targets={}) for each in watched])  # a report gives no advice
        problem = too_old(spec, snapshot.block, int(now()))
        if problem:
            old.append(snapshot)
            raise EndpointError(pinned.endpoint, problem)
        return snapshot

    async with Chain(spec, session, timeouts=timeouts, wall_clock=now) as chain:
        try:
            seen = await with_searches(chain, settings, searches, lambda: chain.first(recent, within=within))
            return await asyncio.to_thread(_report, spec, wallets, seen, "", settings.limits)
        except EndpointError as failure:
            if not old:
                return ChainReport(spec=spec, wallets=wallets, problem=str(failure))
            newest = max(old, key=lambda each: each.block.number)
            return await asyncio.to_thread(_report, spec, wallets, newest, str(failure), settings.limits)


def _report(
    spec: ChainSpec, wallets: tuple[Wallet, ...], snapshot: Snapshot, problem: str, limits: Limits
) -> ChainReport:
    view = _judged(snapshot, limits)
    owners = {wallet.address: wallet for wallet in wallets}
    return ChainReport(
        spec=spec,
        wallets=wallets,
        problem=problem,
        endpoint=snapshot.endpoint,
        block=snapshot.block,
        findings=tuple(_finding(owners[held.position.id.wallet], held, view) for held in snapshot.held),
        unreadable=snapshot.unreadable,
        unsearched=snapshot.unsearched,
    )


def _judged(snapshot: Snapshot, limits: Limits) -> View:
    """The snapshot with the prices in it that are doubted, as far as that needs nothing from before."""
    owing = [position for position in snapshot.positions if position.health.required]
    _, doubts = examine(owing, {}, snapshot.block, limits)
    return View(
        block=snapshot.block,
        positions=snapshot.positions,
        unreadable=snapshot.unreadable,
        covered=snapshot.covered,
        doubts=doubts,
        healths=known(healths_in_doubt(snapshot, doubts)),
    )


def _finding(wallet: Wallet, held: Held, view: View) -> Finding:
    found = _with_prices(wallet, held)
    return replace(found, trust=view.trust(held.position, wallet.rules_at(held.position.id.deployment)))


def _with_prices(wallet: Wallet, held: Held) -> Finding:
    position = held.position
    rules = wallet.rules_at(position.id.deployment)
    level = rules.firing(position.health.factor, liquidatable=position.health.liquidatable)
    if position.check is Check.MISMATCH:  # a formula that does not give today's health gives no liquidation price
        return Finding(wallet=wallet, position=position, level=level, held=held, unsure=DIFFER)
    try:
        prices = [liquidation_price(position, lever, held.reprice) for lever in levers(position)]
    except ReadFailed as problem:
        return Finding(wallet=wallet, position=position, level=level, held=held, unsure=str(problem))
    found = sorted((price for price in prices if price is not None), key=lambda price: abs(price.distance))
    return Finding(wallet=wallet, position=position, level=level, held=held, liquidations=tuple(found))
