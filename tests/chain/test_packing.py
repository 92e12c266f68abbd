"""Which calls travel together."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.chain.conftest import SomeCall, call
from watcher.chain.multicall import answer_size, calldata_size
from watcher.chain.packing import Batch, Carried, Limits, pack
from watcher.reads import Bundle, Returned

requests = st.lists(st.tuples(st.integers(1, 9_000_000), st.sampled_from(["call", "isolated", "bundle"])), max_size=60)


def built(wanted: list[tuple[int, str]]) -> list[Carried]:
    made: list[Carried] = []
    for number, (gas, kind) in enumerate(wanted):
        one: SomeCall = call(number, gas=gas, isolated=kind == "isolated")
        made.append(Bundle((one, one)) if kind == "bundle" else one)
    return made


@given(requests, st.integers(1, 20), st.integers(1, 4000), st.integers(1, 4000))
def test_it_sends_every_request_once_and_shared_batches_within_the_limits(
    wanted: list[tuple[int, str]], calls: int, calldata: int, answer: int
) -> None:
    limits = Limits(gas=20_000_000, calls=calls, calldata=calldata, answer=answer)
    batches = pack(built(wanted), limits)
    assert sorted(map(str, (one for batch in batches for one in batch.requests))) == sorted(map(str, built(wanted)))
    for batch in batches:
        if len(batch.requests) > 1:
            assert not any(isinstance(one, Bundle) or one.isolated for one in batch.requests)
            assert batch.gas <= limits.gas
            assert len(batch.calls) <= calls
            assert sum(calldata_size(len(one.data)) for one in batch.calls) <= calldata
            assert sum(answer_size(len(one.outputs)) for one in batch.calls) <= answer


def test_it_needs_no_more_batches_than_the_limits_force() -> None:
    assert len(pack([call(n) for n in range(500)], Limits(gas=10**9))) == 1
    assert len(pack([call(n) for n in range(501)], Limits(gas=10**9))) == 2
    assert len(pack([call(n, gas=50_000) for n in range(400)], Limits(gas=10_000_000))) == 2


def test_it_keeps_answers_of_many_words_below_what_a_node_may_return() -> None:
    long = [replace(call(n), outputs=("uint256",) * 15) for n in range(200)]
    batches = pack(long, Limits(gas=10**9))
    assert [len(batch.calls) for batch in batches] == [148, 52]  # of 608 bytes each, where 90,000 are allowed


def test_it_keeps_apart_what_is_known_to_burn_its_neighbours_gas() -> None:
    batches = pack([call(1), call(2), call(3)], Limits(gas=10**9), alone={call(2)})
    assert batches == [Batch((call(2),)), Batch((call(1), call(3)))]


def test_it_deals_results_in_the_order_of_the_envelope() -> None:
    bundle = Bundle((call(2), call(3)))
    returned = [Returned(True, bytes([n])) for n in range(2)]
    assert Batch((bundle,)).deal(returned) == {bundle: tuple(returned)}
    assert Batch((call(1), call(4))).deal(returned) == {call(1): (returned[0],), call(4): (returned[1],)}


def test_it_does_not_divide_a_bundle() -> None:
    assert Batch((Bundle((call(1), call(2))),)).halves() is None
    assert Batch((call(1), call(2), call(3))).halves() == (Batch((call(1),)), Batch((call(2), call(3))))
