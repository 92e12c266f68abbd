"""The laws of plans: values in, requests out, answers back, and one that fails leaves the others alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count, islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.domain.errors import CallReverted, NotDecodable, ReadFailed
from watcher.domain.source import Address, Block
from watcher.reads import (
    Answers,
    Bundle,
    Call,
    Finding,
    Memo,
    Outcome,
    Plan,
    Request,
    Returned,
    Storage,
    both,
    drive,
    lasting,
    sure,
    together,
)

BLOCK = Block(chain="test", number=1, hash="0x", timestamp=1)
TARGET = Address("0x" + "aa" * 20)


def ask(number: int) -> Call[int]:
    return Call(target=TARGET, data=number.to_bytes(4, "big"), outputs=("uint256",), label=f"ask{number}", parse=int)


def word(number: int) -> Returned:
    return Returned(True, number.to_bytes(32, "big"))


class Node:
    """Answers each call with its own number, and remembers the rounds."""

    def __init__(self, wrong: Mapping[int, Returned] | None = None) -> None:
        self.wrong = wrong or {}
        self.rounds: list[list[Request]] = []

    def __call__(self, requests: Sequence[Request]) -> Mapping[Request, Sequence[Returned]]:
        self.rounds.append(list(requests))
        return {request: self.returned(request) for request in requests}

    def returned(self, request: Request) -> Sequence[Returned]:
        match request:
            case Bundle():
                return [self.one(call) for call in request.calls]
            case Storage():
                return [self.wrong.get(request.slot, word(request.slot))]
            case Call():
                return [self.one(request)]

    def one(self, call: Call[Any]) -> Returned:
        number = int.from_bytes(call.data, "big")
        return self.wrong.get(number, word(number))


def chain_of(*numbers: int) -> Plan[int]:
    """One read after the other; the sum."""
    total = 0
    for number in numbers:
        call = ask(number)
        got = yield [call]
        total += got[call]
    return total


def test_it_returns_what_the_plan_returns_and_asks_in_rounds() -> None:
    node = Node()
    assert drive(chain_of(1, 2, 3), BLOCK, node) == 6
    assert node.rounds == [[ask(1)], [ask(2)], [ask(3)]]


def test_it_needs_no_answers_for_a_plan_that_asks_nothing() -> None:
    node = Node()
    assert drive(chain_of(), BLOCK, node) == 0
    assert node.rounds == []


@given(st.lists(st.integers(0, 5), max_size=8))
def test_it_keeps_the_order_and_takes_the_rounds_of_the_deepest(depths: list[int]) -> None:
    node, fresh = Node(), count()
    members = [list(islice(fresh, depth)) for depth in depths]
    assert drive(together(chain_of(*numbers) for numbers in members), BLOCK, node) == [sum(one) for one in members]
    assert len(node.rounds) == max((len(numbers) for numbers in members), default=0)


@given(st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=4), min_size=1, max_size=8), st.integers(0, 20))
def test_it_leaves_the_others_intact_when_one_fails(members: list[list[int]], broken: int) -> None:
    node = Node({broken: Returned(False, b"")})
    found = drive(together(chain_of(*numbers) for numbers in members), BLOCK, node)
    for numbers, outcome in zip(members, found, strict=True):
        if broken in numbers:
            assert isinstance(outcome, CallReverted)
        else:
            assert outcome == sum(numbers)


def test_it_joins_plans_of_plans() -> None:
    node = Node()
    nested = together([together([chain_of(1), chain_of(2, 3)]), together([chain_of(4, 5, 6)])])
    assert drive(nested, BLOCK, node) == [[1, 5], [15]]
    assert len(node.rounds) == 3


def test_it_does_not_swallow_a_bug() -> None:
    def buggy() -> Plan[int]:
        yield [ask(1)]
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        drive(together([buggy(), chain_of(1)]), BLOCK, Node())


def test_it_asks_again_for_nothing_that_was_answered() -> None:
    def twice() -> Plan[int]:
        first = yield [ask(1), ask(1)]
        again = yield [ask(1), ask(2)]
        return first[ask(1)] + again[ask(2)]

    node = Node()
    assert drive(twice(), BLOCK, node) == 3
    assert node.rounds[1] == [ask(2)]


def test_it_runs_both_side_by_side() -> None:
    node = Node()
    assert drive(both(chain_of(1, 2), chain_of(3)), BLOCK, node) == (3, 3)
    assert len(node.rounds) == 2


@pytest.mark.parametrize("broken", [1, 2])
def test_it_raises_the_failure_of_either(broken: int) -> None:
    with pytest.raises(CallReverted, match=f"ask{broken}"):
        drive(both(chain_of(1), chain_of(2)), BLOCK, Node({broken: Returned(False, b"")}))


def test_it_hands_a_plan_the_block_it_reads_at() -> None:
    def block() -> Plan[Block]:
        got = yield [ask(1)]
        return got.at

    assert drive(block(), BLOCK, Node()) == BLOCK


# --- Answers ----------------------------------------------------------------------------------------------------------


def answered(returned: Returned, call: Call[int] | None = None) -> Outcome[int]:
    call = call or ask(1)
    return Answers(BLOCK, {call: [returned]}).outcome(call)


def test_it_tells_a_revert_with_its_reason() -> None:
    payload = bytes.fromhex("08c379a0") + (32).to_bytes(32, "big") + (4).to_bytes(32, "big") + b"oops".ljust(32, b"\0")
    outcome = answered(Returned(False, payload))
    assert isinstance(outcome, CallReverted)
    assert (str(outcome), outcome.data) == (f"ask1 on {TARGET} reverted: 'oops'", payload)
    assert str(answered(Returned(False, b""))).endswith("reverted without a reason")


def test_it_takes_an_empty_answer_for_a_missing_contract() -> None:
    outcome = answered(Returned(True, b""))
    assert isinstance(outcome, NotDecodable)
    assert "no contract lives there" in str(outcome)


def test_it_says_which_call_could_not_be_decoded() -> None:
    outcome = answered(Returned(True, b"\x01"))
    assert isinstance(outcome, NotDecodable)
    assert str(outcome).startswith(f"ask1 on {TARGET}: 1 bytes returned")


def test_it_takes_a_parser_that_refuses_for_a_failed_read() -> None:
    def refuse(_: int) -> int:
        raise NotDecodable("a price of 0")

    call = Call(target=TARGET, data=b"", outputs=("uint256",), label="price", parse=refuse)
    assert str(answered(word(0), call)) == f"price on {TARGET}: a price of 0"


def test_it_decodes_once_however_many_ask() -> None:
    parsed: list[int] = []

    def parse(value: int) -> int:
        parsed.append(value)
        return value

    call = Call(target=TARGET, data=b"", outputs=("uint256",), label="", parse=parse)
    answers = Answers(BLOCK, {call: [word(7)]})
    assert [answers[call], answers[call], answers.outcome(call)] == [7, 7, 7]
    assert parsed == [7]


def test_it_raises_a_failure_where_a_value_was_wanted() -> None:
    assert sure(7) == 7
    with pytest.raises(ReadFailed, match="gone"):
        sure(ReadFailed("gone"))


# --- Requests ---------------------------------------------------------------------------------------------------------


def test_it_holds_calls_equal_whoever_built_them() -> None:
    one = ask(1)
    other = Call(target=TARGET, data=one.data, outputs=("uint256",), label="else", parse=abs, gas=1)
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    "other",
    [
        Call(target=Address("0x" + "bb" * 20), data=ask(1).data, outputs=("uint256",), label="", parse=int),
        Call(target=TARGET, data=ask(2).data, outputs=("uint256",), label="", parse=int),
        Call(target=TARGET, data=ask(1).data, outputs=("int256",), label="", parse=int),
        Call(target=TARGET, data=ask(1).data, outputs=("uint256",), label="", parse=int, isolated=True),
    ],
)
def test_it_tells_calls_apart_by_target_calldata_types_and_isolation(other: Call[int]) -> None:
    assert ask(1) != other


def test_it_answers_a_bundle_in_its_order_with_failures_as_values() -> None:
    bundle = Bundle((ask(1), ask(2), ask(3)))

    def plan() -> Plan[tuple[Outcome[Any], ...]]:
        got = yield [bundle]
        return got.bundle(bundle)

    first, second, third = drive(plan(), BLOCK, Node({2: Returned(False, b"")}))
    assert (first, third) == (1, 3)
    assert isinstance(second, CallReverted)
    assert bundle.gas == 3 * 60_000


def test_it_asks_once_for_what_lasts_and_again_when_it_is_over() -> None:
    """What is known costs neither a request nor a round; `afresh` asks all the same; what fails is not remembered."""

    def found(afresh: bool = False) -> Plan[int]:
        return (yield from lasting(Memo("sum", 1), lambda: chain_of(1, 2), lasts=60, afresh=afresh))

    known: dict[Memo[Any], Finding] = {}

    def asked(at: Block, *, afresh: bool = False) -> int:
        node = Node()
        assert drive(found(afresh), at, node, known) == 3
        return len(node.rounds)

    later, over = replace(BLOCK, timestamp=BLOCK.timestamp + 59), replace(BLOCK, timestamp=BLOCK.timestamp + 60)
    assert [asked(BLOCK), asked(later), asked(later, afresh=True)] == [2, 0, 2]
    assert [asked(over), asked(replace(BLOCK, timestamp=BLOCK.timestamp + 119))] == [0, 2]


def stored(slot: int) -> Plan[int]:
    ask = Storage(TARGET, slot, "price")
    got = yield [ask]
    return got.word(ask)


def test_it_reads_words_of_storage_beside_calls() -> None:
    assert drive(both(stored(7), chain_of(1)), BLOCK, Node()) == (7, 1)
    assert Storage(TARGET, 7, "one name") == Storage(TARGET, 7, "another")
    assert Storage(TARGET, 7, "price") != Storage(TARGET, 8, "price")


def test_it_takes_nothing_but_a_word_for_a_word_of_storage() -> None:
    for data in (b"", bytes(31), bytes(33)):
        with pytest.raises(NotDecodable, match=rf"price \(storage slot 7\) of {TARGET}: {len(data)} bytes"):
            drive(stored(7), BLOCK, Node({7: Returned(True, data)}))
