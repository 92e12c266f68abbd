"""The diagnosis as one JSON document. Its shape is described in docs/json.md, and changes only with `FORMAT`."""

from __future__ import annotations

from typing import Any

from watcher.chain.carrier import Carrier
from watcher.chain.probe import Probe
from watcher.doctor.findings import ChainFinding, Diagnosis, EndpointFinding, Finding

FORMAT = 1


def as_document(diagnosis: Diagnosis, version: str) -> dict[str, Any]:
    """The whole diagnosis, ready for `json.dumps`."""
    return {
        "format": FORMAT,
        "version": version,
        "examined_at": diagnosis.examined_at,
        "exit_code": diagnosis.exit_code,
        "chains": [_chain(one, diagnosis.examined_at) for one in diagnosis.chains],
        "findings": [_finding(one) for one in diagnosis.findings],
    }


def _chain(one: ChainFinding, now: int) -> dict[str, Any]:
    return {
        "name": one.spec.name,
        "title": one.spec.title,
        "id": one.spec.id,
        "grade": one.grade.name.lower(),
        "words": one.words,
        "agreement": one.spec.agreement,
        "endpoints": [_endpoint(each, now) for each in one.endpoints],
    }


def _endpoint(one: EndpointFinding, now: int) -> dict[str, Any]:
    found = one.probe
    return {
        "name": found.endpoint,
        "wire": found.wire,
        "grade": one.grade.name.lower(),
        "words": one.words,
        "reachable": not found.problem,
        "chain_id": found.chain_id,
        "known_block": found.known_block,
        "block": _block(found, now),
        "lag": one.lag,
        "latency_ms": None if found.latency is None else round(found.latency * 1000, 1),
        "clock_ahead": None if found.ahead is None else round(found.ahead),
        "block_by_hash": found.by_hash,
        "multicall3": found.carriers.get(Carrier.MULTICALL3),
        "state_override": found.carriers.get(Carrier.OVERRIDE),
        "call_without_target": found.carriers.get(Carrier.CONSTRUCTOR),
        "call_gas": found.gas,
        "batch": found.calls,
        "state": {str(depth): there for depth, there in sorted(found.state.items())},
        "subscribes": found.subscribes,
    }


def _block(found: Probe, now: int) -> dict[str, Any] | None:
    head = found.head
    if head is None:
        return None
    return {"number": head.number, "hash": head.hash, "timestamp": head.timestamp, "age": head.age(now)}


def _finding(one: Finding) -> dict[str, Any]:
    return {"part": one.part, "grade": one.grade.name.lower(), "words": one.words}
