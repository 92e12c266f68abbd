"""What is made of what was found: which endpoint may be used, how a chain stands, and whose clock is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.chain.conftest import spec_of
from watcher.chain import ChainSpec, EndpointSpec
from watcher.chain.carrier import Carrier
from watcher.chain.probe import Probe
from watcher.doctor import ChainFinding, Diagnosis, Finding, Grade
from watcher.doctor.endpoints import judged
from watcher.doctor.machine import look_at_clock
from watcher.domain.source import Block

NOW = 1_760_000_000
ONE, OTHER = "rpc.one.example", "rpc.other.example"


def block(number: int, age: int = 5) -> Block:
    return Block(chain="ethereum", number=number, hash="0x" + f"{number:064x}", timestamp=NOW - age)


def sound(name: str, **different: Any) -> Probe:
    found = Probe(
        endpoint=name,
        wire="http",
        chain_id=1,
        head=block(1000),
        latency=0.05,
        ahead=0.4,
        by_hash=True,
        carriers=dict.fromkeys(Carrier, True),
        gas=50_000_000,
        calls=500,
        state={128: True, 10_000: False},
    )
    return replace(found, **different)


def chain(*probes: Probe, **more: Any) -> ChainFinding:
    spec: ChainSpec = replace(spec_of(*(EndpointSpec(name=one.endpoint, url="") for one in probes)), **more)
    return judged(spec, probes, NOW)


def test_it_finds_nothing_to_say_against_two_sound_ones() -> None:
    found = chain(sound(ONE), sound(OTHER, head=block(999, 17)))
    assert (found.grade, found.words) == (Grade.WELL, "can be seen")
    assert [(one.grade, one.words, one.lag) for one in found.endpoints] == [
        (Grade.WELL, "well", 0),
        (Grade.WELL, "well", 1),
    ]


@pytest.mark.parametrize(
    ("different", "words"),
    [
        ({"problem": "no connection: connection refused", "head": None}, "no connection: connection refused: not used"),
        ({"chain_id": 10}, "serves chain 10, not 1: not used; check its URL"),
        ({"known_block": False}, "has another block where our chain has its known one: not used; check its URL"),
        ({"head": None}, "shows no newest block"),
        ({"head": block(990, 61)}, "its newest block 990 is 61 s old, more than 60 s (head_age): not used"),
        ({"head": block(2000, -61)}, "its newest block 2,000 is dated 61 s ahead of this machine's clock; check both"),
        ({"head": block(997, 40)}, "3 blocks behind the best: not used until it has caught up"),
    ],
)
def test_it_names_what_keeps_an_endpoint_from_being_used(different: dict[str, Any], words: str) -> None:
    found = chain(sound(ONE), sound(OTHER, **different))
    assert found.endpoints[0].grade is Grade.WELL
    assert found.endpoints[1].grade is Grade.WRONG
    assert found.endpoints[1].words.startswith(words)
    assert (found.grade, found.words) == (Grade.WARNING, "1 of 2 endpoints can be used")
    alone = chain(sound(OTHER, **different))
    if "behind" not in words:
        assert alone.grade is Grade.WRONG
        assert alone.words.startswith("no endpoint can be used: BLIND")


@pytest.mark.parametrize(
    ("different", "words"),
    [
        ({"latency": 1.25}, "slow: 1.2 s for a header"),
        ({"carriers": dict.fromkeys(Carrier, False), "calls": None}, "no Multicall3, and no way to do without it"),
        ({"calls": 60}, "only 60 calls in one request: a look takes many"),
        ({"gas": 5_000_000}, "one call may spend 5 M gas: a look takes many requests"),
        ({"wire": "ws", "subscribes": False}, "a WebSocket that tells of no new heads"),
        ({"unsure": "limits our requests (HTTP 429)"}, "not everything was answered: limits our requests (HTTP 429)"),
    ],
)
def test_it_warns_of_what_can_be_lived_with(different: dict[str, Any], words: str) -> None:
    found = chain(sound(ONE), sound(OTHER, **different))
    assert found.endpoints[1].grade is Grade.WARNING
    assert found.endpoints[1].words.startswith(words)
    assert found.grade is Grade.NOTE


def test_it_wants_a_second_operator_and_as_many_as_have_to_agree() -> None:
    assert chain(sound(ONE), sound("eu.one.example")).words.startswith("one operator only: when it fails")
    found = chain(sound(ONE), sound(OTHER, chain_id=5), agreement=2)
    assert (found.grade, found.words) == (
        Grade.WARNING,
        "2 operators have to agree, and 1 can be asked: name more",
    )


def test_it_measures_no_one_by_a_head_of_another_chain_or_of_the_future() -> None:
    found = chain(sound(ONE), sound(OTHER, head=block(10**9)), sound("c.example", head=block(10**9, -61)))
    assert found.best == block(10**9)  # two that contradict each other: the higher one counts, and the other is told
    found = chain(sound(ONE), sound(OTHER, chain_id=10, head=block(10**9)), sound("c.example", head=block(10**9, -61)))
    assert found.best == block(1000)


@pytest.mark.parametrize(
    ("ahead", "heads", "grade", "words"),
    [
        ([0.4, -0.4], [5, 5], Grade.WELL, "within 1 s of 2 servers"),
        ([0.4, 500.0, 0.1], [5, 5, 5], Grade.WELL, "within 1 s of 3 servers"),
        ([10.0, 11.0], [5, 5], Grade.WARNING, "10 s behind, by the dates of 2 servers: old blocks look fresh"),
        ([-40.0, -41.0], [60, 60], Grade.WRONG, "40 s ahead, by the dates of 2 servers: sound blocks look old"),
        ([None], [-20], Grade.WARNING, "20 s behind, as blocks of the future show"),
        ([None], [5], Grade.NOTE, "no server told its time"),
    ],
)
def test_it_holds_our_clock_against_those_of_others(
    ahead: list[float | None], heads: list[int], grade: Grade, words: str
) -> None:
    pairs = zip(ahead, heads, strict=True)
    probes = [sound(f"{i}.example", ahead=by, head=block(1000, age)) for i, (by, age) in enumerate(pairs)]
    found = look_at_clock([chain(*probes)], NOW)
    assert found.grade is grade
    assert found.words.startswith(words)


@pytest.mark.parametrize(
    ("grades", "code"),
    [((), 0), ((Grade.WELL, Grade.NOTE), 0), ((Grade.NOTE, Grade.WARNING), 1), ((Grade.WRONG, Grade.WARNING), 2)],
)
def test_its_exit_code_is_that_of_the_worst(grades: tuple[Grade, ...], code: int) -> None:
    findings = tuple(Finding(part="a", grade=grade, words="") for grade in grades)
    assert Diagnosis(examined_at=NOW, chains=(), findings=findings).exit_code == code
