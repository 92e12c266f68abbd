"""What oracles did wrong in twelve incidents is said at the first evaluation that could see it, and nothing before."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.risk.incidents import HEAD, INCIDENTS, SEQUENCER, STALE, Incident, Step
from tests.risk.prices import WALLET, block
from watcher.alerts.assess import assess
from watcher.alerts.record import Rule
from watcher.alerts.rules import RuleBook, Rules
from watcher.alerts.sighting import View
from watcher.chain import ChainSpec
from watcher.domain.source import Address
from watcher.risk.doubts import Limits, examine
from watcher.risk.tracks import Tracks, dumped, loaded
from watcher.snapshot import too_old

CHAIN = ChainSpec(
    name="ethereum",
    id=1,
    title="Any",
    multicall3=Address("0x" + "11" * 20),
    block_time=Decimal(2),
    max_age=60,
    confirmations=1,
    explorer="",
    endpoints=(),
)
RULES = {Rule.STALE: STALE, Rule.SEQUENCER: SEQUENCER}


def flags(step: Step, tracks: Tracks) -> tuple[set[str], Tracks]:
    """Every check that speaks at this step, by the rule that a user is alerted by."""
    at = block(step.at)
    kept, doubts = examine(step.positions, tracks, at, Limits())
    view = View(block=at, positions=step.positions, unreadable=(), covered=frozenset(), sequencer=step.sequencer)
    sightings = assess(view, RuleBook({WALLET: Rules()}), ())
    by_rule = {RULES[one.key.rule] for one in sightings if one.firing and one.key.rule in RULES}
    head = {HEAD} if too_old(CHAIN, at, step.clock) else set()
    return {*(str(doubt.suspicion) for doubt in doubts), *by_rule, *head}, kept


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda one: one.name)
def test_it_says_so_at_the_first_evaluation_after_the_evidence(incident: Incident) -> None:
    tracks: Tracks = {}
    seen: list[set[str]] = []
    for step in incident.steps:
        found, tracks = flags(step, {name: loaded(dumped(track)) for name, track in tracks.items()})
        seen.append(found)
    first = incident.found[0][0]
    assert seen[:first] == [set()] * first
    for place, check in incident.found:
        assert check in seen[place], (place, check, seen[place])
        assert min(at for at, checks in enumerate(seen) if check in checks) == min(
            at for at, named in incident.found if named == check
        )


def test_it_knows_twelve_with_their_sources(record_property: Callable[[str, object], None]) -> None:
    assert len({incident.name for incident in INCIDENTS}) == 12
    record_property("D1", f"{len(INCIDENTS)} of 12, each by its check, and nothing before")
    assert all("." in incident.source and incident.found for incident in INCIDENTS)
