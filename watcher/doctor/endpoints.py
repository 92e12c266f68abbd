"""Endpoints: each examined by itself, then judged beside the others of its chain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import aiohttp

from watcher.chain import ChainSpec, operator
from watcher.chain.chain import tolerance
from watcher.chain.probe import Probe, probe
from watcher.doctor.findings import ChainFinding, EndpointFinding, Grade
from watcher.domain.source import Block
from watcher.snapshot import too_old

SLOW = 1.0
"""Seconds that a header may usually take."""
SMALL_BATCH = 100
"""Calls: with less than this in a batch, a look takes many requests."""


async def look_at_chain(spec: ChainSpec, session: aiohttp.ClientSession, now: Callable[[], float]) -> ChainFinding:
    """Asks every endpoint of a chain at once. `now` is Unix seconds."""
    asked = (probe(spec, endpoint, session, wall_clock=now) for endpoint in spec.endpoints)
    return judged(spec, await asyncio.gather(*asked), int(now()))


def judged(spec: ChainSpec, probes: Sequence[Probe], now: int) -> ChainFinding:
    """What the answers of a chain's endpoints amount to."""
    ours = [one.head for one in probes if one.head is not None and not _not_ours(spec, one)]
    heads = [head for head in ours if not too_old(spec, head, now)]
    best = max(heads, key=lambda head: head.number, default=None)
    endpoints = tuple(_endpoint(spec, one, best, now) for one in probes)
    grade, words = _chain(spec, endpoints)
    return ChainFinding(spec=spec, endpoints=endpoints, grade=grade, words=words, best=best)


def _endpoint(spec: ChainSpec, found: Probe, best: Block | None, now: int) -> EndpointFinding:
    ours = found.head is not None and not _not_ours(spec, found)
    lag = best.number - found.head.number if ours and found.head and best else None
    unreachable = f"{found.problem}: not used" if found.problem else ""
    wrong = unreachable or _not_ours(spec, found) or _not_present(spec, found, lag, now)
    if wrong:
        return EndpointFinding(probe=found, grade=Grade.WRONG, words=wrong, lag=lag)
    cautions = list(_cautions(spec, found))
    grade = Grade.WARNING if cautions else Grade.WELL
    return EndpointFinding(probe=found, grade=grade, words="; ".join(cautions) or "well", lag=lag)


def _not_ours(spec: ChainSpec, found: Probe) -> str:
    """Whether it is of another chain."""
    if found.chain_id is not None and found.chain_id != spec.id:
        return f"serves chain {found.chain_id}, not {spec.id}: not used; check its URL"
    if found.known_block is False:
        return "has another block where our chain has its known one: not used; check its URL"
    return ""


def _not_present(spec: ChainSpec, found: Probe, lag: int | None, now: int) -> str:
    """Whether what it shows is no view of the present."""
    if found.head is None:
        return "shows no newest block"
    if problem := too_old(spec, found.head, now):
        return f"{problem}: not used"
    if lag is not None and lag > tolerance(spec):
        return f"{lag:,} blocks behind the best: not used until it has caught up"
    return ""


def _cautions(spec: ChainSpec, found: Probe) -> Iterator[str]:
    """What can be lived with."""
    if found.latency is not None and found.latency > SLOW:
        yield f"slow: {found.latency:.1f} s for a header"
    if found.carriers and not any(found.carriers.values()):
        yield "no Multicall3, and no way to do without it: it cannot be read from"
    elif found.calls is not None and found.calls < SMALL_BATCH:
        yield f"only {found.calls} calls in one request: a look takes many"
    if found.gas is not None and found.gas < spec.call_gas // 4:
        yield f"one call may spend {_millions(found.gas)} gas: a look takes many requests"
    if found.subscribes is False:
        yield "a WebSocket that tells of no new heads: they are looked for at intervals"
    if found.unsure:
        yield f"not everything was answered: {found.unsure}"


def _chain(spec: ChainSpec, endpoints: Sequence[EndpointFinding]) -> tuple[Grade, str]:
    """How a chain stands with these endpoints."""
    sound = {one.probe.endpoint for one in endpoints if one.grade is not Grade.WRONG}
    usable = [one for one in spec.endpoints if one.name in sound]
    if not usable:
        return Grade.WRONG, "no endpoint can be used: BLIND, and nothing is known of positions here; name another one"
    operators = {operator(one) for one in usable}
    if len(operators) < spec.agreement:
        return Grade.WARNING, f"{spec.agreement} operators have to agree, and {len(operators)} can be asked: name more"
    if len(usable) < len(endpoints):
        return Grade.WARNING, f"{len(usable)} of {len(endpoints)} endpoints can be used"
    if len(operators) < 2:
        return Grade.WARNING, "one operator only: when it fails, nothing is seen; name a second"
    cautious = any(one.grade is Grade.WARNING for one in endpoints)
    return (Grade.NOTE, "can be seen") if cautious else (Grade.WELL, "can be seen")


def _millions(gas: int) -> str:
    return f"{gas / 1_000_000:,.0f} M"
