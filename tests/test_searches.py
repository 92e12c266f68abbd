"""The search through logs: everything is found, the newest first, whatever fails, is taken back or is cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest

from tests.chain.searches import EMITTER, OPENED, opened_by
from watcher.chain.logs import Stretch
from watcher.domain.errors import NotDecodable
from watcher.domain.searched import Searched
from watcher.domain.source import Address
from watcher.reads.logs import Log, Search, padded
from watcher.searches import PAUSES, TOGETHER, Place, Searches, Task

ALICE, BOB = Address("0x" + "aa" * 20), Address("0x" + "bb" * 20)
OTHER_EMITTER = Address("0x" + "44" * 20)


def log(block: int, owner: Address, *, market: int | None = None, emitter: Address = EMITTER, data: int = 32) -> Log:
    name = (block if market is None else market).to_bytes(32, "big")
    return Log(address=emitter, topics=(OPENED, name, padded(owner)), data=bytes(data), block=block)


def key(market: int) -> str:
    return market.to_bytes(32, "big").hex()


def given(task: Task, logs: Sequence[Log], most: int = 10_000) -> Stretch:
    """What an endpoint of so many blocks at once makes of a task."""
    first = max(task.first, task.last - most + 1)
    return Stretch(
        first, task.last, tuple(one for one in logs if first <= one.block <= task.last and task.search.matches(one))
    )


def wanting(*owners: Address, head: int = 1_000, since: int = 0, confirmations: int = 0) -> Searches:
    searches = Searches(confirmations)
    searches.want(of(*owners, since=since), head, 0, 300)
    return searches


def of(*owners: Address, since: int = 0) -> dict[Place, Search]:
    return {("bank", owner): opened_by(owner, since=since) for owner in owners}


def run_out(searches: Searches, logs: Sequence[Log], most: int) -> int:
    """Searches for all there is; in how many requests."""
    asked = 0
    while (task := searches.next(0)) is not None:
        searches.took(task, given(task, logs, most))
        asked += 1
    return asked


def test_it_finds_what_is_newest_first() -> None:
    searches = wanting(ALICE)
    task = searches.next(0)
    assert task is not None
    assert (task.first, task.last) == (0, 1_000)
    searches.took(task, given(task, [log(5, ALICE), log(990, ALICE)], 100))
    assert searches.found("bank") == {ALICE: (key(990),)}
    task = searches.next(0)
    assert task is not None
    assert (task.first, task.last) == (0, 900)


def test_it_asks_for_many_owners_at_once() -> None:
    owners = [Address(f"0x{number:040x}") for number in range(1, 41)]
    logs = [log(25 * number, owner) for number, owner in enumerate(owners)]
    searches = wanting(*owners)
    assert run_out(searches, logs, 250) == 5
    assert searches.found("bank") == {owner: (key(25 * number),) for number, owner in enumerate(owners)}
    assert run_out(wanting(*(Address(f"0x{n:040x}") for n in range(1, TOGETHER + 2))), [], 10_000) == 2


def test_it_gives_nobody_what_is_another_ones() -> None:
    searches = wanting(ALICE, BOB)
    run_out(searches, [log(5, BOB)], 10_000)
    assert searches.found("bank") == {BOB: (key(5),)}


def test_it_searches_apart_for_what_is_in_other_contracts_or_other_topics() -> None:
    searches = Searches()
    elsewhere = opened_by(ALICE, emitter=OTHER_EMITTER)
    wide = replace(opened_by(ALICE), topics=((OPENED,), None, None))
    both = replace(opened_by(BOB), topics=((bytes(32),), None, (padded(BOB),)))
    asked = {("bank", ALICE): opened_by(ALICE), ("other", ALICE): elsewhere, ("wide", ALICE): wide, ("two", BOB): both}
    searches.want(asked, 1_000, 0, 300)
    assert run_out(searches, [], 10_000) == 4


@pytest.mark.parametrize("confirmations", [0, 5])
def test_it_goes_on_with_the_top_when_it_has_grown_and_once_more_with_what_may_have_changed(confirmations: int) -> None:
    searches = wanting(ALICE, confirmations=confirmations)
    run_out(searches, [], 10_000)
    searches.want(of(ALICE), 1_050, 299, 300)
    assert searches.next(0) is None  # not every block is worth a request
    searches.want(of(ALICE), 1_100, 300, 300)
    task = searches.next(0)
    assert task is not None
    assert (task.first, task.last) == (1_001 - 5 * confirmations, 1_100 - confirmations)


def test_it_searches_again_above_what_stands_after_a_reorganisation() -> None:
    searches = wanting(ALICE)
    run_out(searches, [], 10_000)
    searches.saved(searches.to_save())
    searches.taken_back(900)
    assert searches.unsaved == {("bank", ALICE)}  # or a crash would forget that it has to
    assert run_out(searches, [log(950, ALICE)], 10_000) == 1
    assert searches.found("bank") == {ALICE: (key(950),)}


def test_it_lets_others_go_on_where_one_fails_and_says_why() -> None:
    searches = Searches()
    asked = {("bank", ALICE): opened_by(ALICE), ("other", ALICE): opened_by(ALICE, emitter=OTHER_EMITTER)}
    searches.want(asked, 1_000, 0, 300)
    task = searches.next(0)
    assert task is not None
    searches.failed(task, "no endpoint answered", 0)
    [(failing, _)] = task.places
    other = searches.next(0)
    assert other is not None
    assert other.places != task.places
    assert searches.searched(failing)[ALICE].problem == "no endpoint answered"
    searches.took(other, given(other, []))
    assert searches.next(PAUSES[0] - 1) is None
    again = searches.next(PAUSES[0])
    assert again == task
    searches.failed(task, "no endpoint answered", PAUSES[0])
    assert searches.next(3 * PAUSES[0] - 1) is None  # twice as long
    searches.took(task, given(task, []))
    assert searches.searched(failing)[ALICE].problem == ""


def test_it_counts_nothing_as_searched_in_which_a_log_has_no_key() -> None:
    searches = wanting(ALICE, BOB)
    task = searches.next(0)
    assert task is not None
    with pytest.raises(NotDecodable):
        searches.took(task, given(task, [log(7, BOB), log(8, ALICE, data=31)]))
    assert not searches.found("bank")
    assert not searches.unsaved
    assert searches.next(0) == task


def test_it_begins_anew_where_another_search_was_kept_and_forgets_no_key() -> None:
    """What is held is told by the chain, whoever named it."""
    kept = {("bank", ALICE): Searched(mark="another", ranges=((0, 900),), keys=("a",))}
    searches = Searches()
    searches.recall(kept)
    searches.want(of(ALICE), 1_000, 0, 300)
    task = searches.next(0)
    assert task is not None
    assert (task.first, task.last) == (0, 1_000)
    assert searches.found("bank") == {ALICE: ("a",)}


def test_it_searches_for_somebody_new_from_the_beginning_of_the_contract() -> None:
    searches = wanting(ALICE, since=100)
    run_out(searches, [], 10_000)
    searches.want(of(ALICE, BOB, since=100), 1_000, 10, 300)
    task = searches.next(0)
    assert task is not None
    assert (task.first, task.last, task.places) == (100, 1_000, (("bank", BOB),))


def test_it_finds_everything_whatever_happens() -> None:
    """Against logs in known places: endpoints of any limit, failures, restarts from what was stored, reorganisations,
    new owners, and a head that rises."""
    for seed in range(60):
        _everything_is_found(Random(seed))


def _everything_is_found(dice: Random) -> None:
    owners, confirmations = [Address(f"0x{number:040x}") for number in range(1, 6)], dice.choice([0, 2, 10])
    head, stored, now = 300, dict[Place, Searched](), 0.0
    logs = [log(dice.randrange(head), dice.choice(owners), market=n) for n in range(40)]
    searches = Searches(confirmations)
    for _ in range(200):
        now += 100
        searches.want(of(*owners[: 2 + int(now) // 3_000]), head, now, 300)
        task = searches.next(now)
        if task is not None and dice.random() < 0.2:
            searches.failed(task, "no", now)
        elif task is not None:
            searches.took(task, given(task, logs, dice.choice([1, 7, 50, 1_000])))
        if dice.random() < 0.7:
            stored |= searches.to_save()
            searches.saved(searches.to_save())
        if dice.random() < 0.1:
            searches = Searches(confirmations)  # a crash: what was not stored is gone
            searches.recall(stored)
        if dice.random() < 0.1:
            head += 1 + dice.randrange(5)
            logs.append(log(head, dice.choice(owners), market=len(logs)))
        if dice.random() < 0.03:
            stands = head - dice.randrange(confirmations + 1)
            logs = [one if one.block <= stands else replace(one, block=head) for one in logs]
            searches.taken_back(stands)
    searches.want(of(*owners), head + confirmations, now + 1_000, 300)
    while (task := searches.next(now + 10_000)) is not None:
        searches.took(task, given(task, logs, 50))
    assert searches.found("bank") == by_owner(logs)


def by_owner(logs: Sequence[Log]) -> Mapping[Address, tuple[str, ...]]:
    found: dict[Address, set[str]] = {}
    for one in logs:
        found.setdefault(Address("0x" + one.topics[2][12:].hex()), set()).add(one.topics[1].hex())
    return {owner: tuple(sorted(keys)) for owner, keys in found.items()}


def test_it_searches_the_last_blocks_again_after_a_restart() -> None:
    """Nobody was there to see whether they were taken back."""
    searches = wanting(ALICE, confirmations=5)
    run_out(searches, [], 10_000)
    again = Searches(5)
    again.recall(searches.to_save())
    again.want(of(ALICE), 1_000, 0, 300)
    task = again.next(0)
    assert task is not None
    assert task.last == 995
    assert task.first <= 976
