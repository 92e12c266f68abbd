"""The sequencer's feed: read beside everything else, at no cost in rounds, and never a reason to lose a position."""

from __future__ import annotations

import pytest

from tests.snapshot.ledger import BLOCK, Ledger, ledger, wallet, watched
from tests.snapshot.test_snapshot import COLD_ROUNDS
from watcher.domain.sequencer import GRACE, Running, Sequencer
from watcher.domain.source import Address
from watcher.oracles.round import latest_round
from watcher.reads import Call, Returned
from watcher.snapshot import Snapshot, take

FEED = Address("0x" + "5e" * 20)
LONG_AGO = BLOCK.timestamp - 40_000


class Reporting(Ledger):
    """A bank, and a feed with this answer since then; None: it reverts."""

    said: tuple[int, int] | None = None

    def _one(self, call: Call[object]) -> Returned:
        if call != latest_round(FEED):
            return super()._one(call)
        if self.said is None:
            return Returned(False, b"")
        answer, since = self.said
        return Returned(True, b"".join(word.to_bytes(32, "big") for word in (1, answer, since, since, 1)))


def at(said: tuple[int, int] | None) -> Reporting:
    found = Reporting(ledger({wallet(1): 21}).table)
    found.said = said
    return found


async def seen(said: tuple[int, int] | None) -> Snapshot:
    return await take(at(said), [watched(wallet(1))], sequencer_feed=FEED)


@pytest.mark.parametrize(("answer", "state"), [(0, Running.UP), (1, Running.DOWN)])
async def test_it_reads_whether_the_sequencer_is_up_and_since_when(answer: int, state: Running) -> None:
    snapshot = await seen((answer, LONG_AGO))
    assert snapshot.sequencer == Sequencer(state=state, since=LONG_AGO)
    assert len(snapshot.positions) == 1


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (None, f"Its uptime feed cannot be read: chainlink_feed.latestRoundData on {FEED} reverted"),
        ((2, LONG_AGO), "Its uptime feed answers 2, neither 0 nor 1"),
        ((0, 0), "Its uptime feed dates its answer 0"),
        ((1, BLOCK.timestamp + 1), f"Its uptime feed dates its answer {BLOCK.timestamp + 1}"),
    ],
)
async def test_it_takes_no_nonsense_for_up_and_loses_no_position_by_it(
    said: tuple[int, int] | None, problem: str
) -> None:
    snapshot = await seen(said)
    assert snapshot.sequencer is not None
    assert snapshot.sequencer.state is Running.UNKNOWN
    assert snapshot.sequencer.problem.startswith(problem)
    assert (len(snapshot.positions), snapshot.unreadable) == (1, ())


async def test_it_costs_a_call_and_no_round() -> None:
    cold = await seen((0, LONG_AGO))
    without = await take(ledger({wallet(1): 21}), [watched(wallet(1))])
    assert cold.rounds == without.rounds == COLD_ROUNDS
    assert list(cold.asked - without.asked) == [latest_round(FEED)]
    assert without.sequencer is None
    warm = at((1, LONG_AGO))
    again = await take(warm, [watched(wallet(1))], cold.asked, sequencer_feed=FEED)
    assert (again.rounds, len(warm.rounds), set(warm.rounds[0])) == (1, 1, set(cold.asked))
    assert again.sequencer is not None
    assert again.sequencer.down


@pytest.mark.parametrize(("age", "settling"), [(0, True), (GRACE, True), (GRACE + 1, False)])
def test_it_settles_for_an_hour_after_its_return(age: int, settling: bool) -> None:
    assert Sequencer(state=Running.UP, since=LONG_AGO).settling(LONG_AGO + age) is settling
    assert not Sequencer(state=Running.DOWN, since=LONG_AGO).settling(LONG_AGO + age)
