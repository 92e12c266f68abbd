"""Calls, answers and plans.

A plan is a generator that yields the requests it is waiting for and is sent the answers to them:

    def price(oracle: Address, asset: Address) -> Plan[int]:
        ask = get_asset_price(oracle, asset)
        got = yield [ask]
        return got[ask]

It performs no I/O itself, so it can be driven by a chain, by recorded bytes, or by a test.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from watcher.domain.errors import CallReverted, NotDecodable, ReadFailed
from watcher.domain.source import Address, Block
from watcher.reads.codec import WORD, decode

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """One contract function with its arguments, and the type that its answer becomes.

    Two calls are equal when target, calldata and output types are, whoever built them: equal calls are sent once.
    """

    target: Address
    data: bytes
    outputs: tuple[str, ...]
    label: str = field(compare=False)
    parse: Callable[..., T_co] = field(compare=False, repr=False)
    gas: int = field(default=60_000, compare=False)
    """A guess at what it costs, by which batches are packed."""
    isolated: bool = False
    """Travels alone: a callee that may burn all the gas of its batch."""

    def __str__(self) -> str:
        return f"{self.label} on {self.target}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Calls in an `eth_call` of their own, in this order, each seeing what the ones before it changed.

    For "accrue first, then read": never merged with others and never reordered.
    """

    calls: tuple[Call[Any], ...]

    @property
    def gas(self) -> int:
        """What the whole bundle is guessed to cost."""
        return sum(call.gas for call in self.calls)


@dataclass(frozen=True, slots=True)
class Storage:
    """One word of a contract's storage, for what a contract keeps from anybody who is not on its list.

    An `eth_getStorageAt` of its own, which costs a request: a getter that anybody may call is always better. It says
    nothing about whether a contract lives there, nor about what its source calls the slot: check that it is laid out
    as you believe, by what its getters say of the same.
    """

    target: Address
    slot: int
    label: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.label} (storage slot {self.slot}) of {self.target}"


Request: TypeAlias = Call[Any] | Bundle | Storage


@dataclass(frozen=True, slots=True)
class Returned:
    """What came back for one call: return data, or the revert payload where `success` is false."""

    success: bool
    data: bytes


Outcome: TypeAlias = T | ReadFailed
"""A result, or why there is none. Failures are values, so that one of them does not lose the others."""


@dataclass(frozen=True, slots=True)
class Memo(Generic[T_co]):
    """The name of something that stays true for long once it was found out: `what`, about which contract."""

    what: str
    about: Hashable


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out, and until when it is believed: Unix seconds of block time."""

    value: Any
    until: int


@dataclass(slots=True)
class Answers:
    """Everything answered so far at one block. `answers[call]` has the type that the call declares.

    Decodes on first use and remembers, so that a read shared by hundreds of wallets is decoded once. `known` is what
    earlier snapshots found out that lasts (see `lasting`), and grows.
    """

    at: Block
    returned: dict[Request, Sequence[Returned]] = field(default_factory=dict)
    known: dict[Memo[Any], Finding] = field(default_factory=dict)
    _decoded: dict[Call[Any], Any] = field(default_factory=dict)

    def __contains__(self, request: Request) -> bool:
        return request in self.returned

    def __getitem__(self, call: Call[T]) -> T:
        """The answer. Raises `CallReverted` or `NotDecodable`, which a plan lets pass to become `Unreadable`."""
        return sure(self.outcome(call))

    def outcome(self, call: Call[T]) -> Outcome[T]:
        """The answer, or the failure as a value for a plan that can go on without it."""
        if call not in self._decoded:
            self._decoded[call] = _decoded(call, self.returned[call][0])
        found: Outcome[T] = self._decoded[call]
        return found

    def bundle(self, bundle: Bundle) -> tuple[Outcome[Any], ...]:
        """The answers of a bundle, in its order."""
        returned = self.returned[bundle]
        return tuple(_decoded(call, one) for call, one in zip(bundle.calls, returned, strict=True))

    def word(self, storage: Storage) -> int:
        """What is stored there. Raises `NotDecodable` on anything but a word."""
        data = self.returned[storage][0].data
        if len(data) != WORD:
            raise NotDecodable(f"{storage}: {len(data)} bytes where a word has {WORD}")
        return int.from_bytes(data, "big")


def _decoded(call: Call[T], returned: Returned) -> Outcome[T]:
    if not returned.success:
        return CallReverted(str(call), returned.data)
    if not returned.data and call.outputs:
        return NotDecodable(f"{call} returned nothing: no contract lives there at this block")
    try:
        return call.parse(*decode(call.outputs, returned.data))
    except NotDecodable as problem:
        return NotDecodable(f"{call}: {problem}")


Plan: TypeAlias = Generator[Sequence[Request], Answers, T]
"""Who yields nothing is answered at once: with what is known so far, and at the cost of no round."""


def lasting(memo: Memo[T], plan: Callable[[], Plan[T]], *, lasts: int, afresh: bool = False) -> Plan[T]:
    """What `plan` finds out, which then is believed for `lasts` seconds of block time without asking again.

    For what never changes on chain, or seldom and at somebody's peril: an adapter's own structure, a token's name. It
    costs no round where it is known. `afresh` asks again all the same. A plan that fails is not remembered.
    """
    got = yield []
    found = got.known.get(memo)
    if found is not None and got.at.timestamp < found.until and not afresh:
        value: T = found.value
        return value
    value = yield from plan()
    got.known[memo] = Finding(value, got.at.timestamp + lasts)
    return value


def together(plans: Iterable[Plan[T]]) -> Plan[list[Outcome[T]]]:
    """Run plans side by side as one plan, their rounds joined. A plan that fails leaves the others intact.

    The rounds of the whole are those of its deepest member. Results keep the order of `plans`.
    """
    results: dict[int, Outcome[T]] = {}
    waiting: dict[int, tuple[Plan[T], Sequence[Request]]] = {}

    def advance(index: int, plan: Plan[T], got: Answers, *, begun: bool = True) -> None:
        try:
            requests = plan.send(got) if begun else next(plan)
            while not requests:  # who waits for nothing does not wait for the others' round
                requests = plan.send(got)
            waiting[index] = (plan, requests)
        except StopIteration as stop:
            results[index] = stop.value
        except ReadFailed as problem:
            results[index] = problem

    got = yield []
    for index, plan in enumerate(plans):
        advance(index, plan, got, begun=False)
    while waiting:
        got = yield [request for _, requests in waiting.values() for request in requests]
        for index, (plan, _) in list(waiting.items()):
            del waiting[index]
            advance(index, plan, got)
    return [results[index] for index in sorted(results)]


def both(first: Plan[T], second: Plan[U]) -> Plan[tuple[T, U]]:
    """Two plans of different results side by side. Raises the failure of either."""
    pair: list[Plan[Any]] = [first, second]
    one, other = yield from together(pair)
    return sure(one), sure(other)


def sure(outcome: Outcome[T]) -> T:
    """The result, or the failure raised: for parts without which the whole means nothing."""
    if isinstance(outcome, ReadFailed):
        raise outcome
    return outcome


def drive(
    plan: Plan[T],
    at: Block,
    answer: Callable[[Sequence[Request]], Mapping[Request, Sequence[Returned]]],
    known: dict[Memo[Any], Finding] | None = None,
) -> T:
    """Run a plan to its end with a plain function that answers: recorded bytes, or a test. `known` grows."""
    answers = Answers(at, known={} if known is None else known)
    try:
        requests = next(plan)
        while True:
            if missing := [request for request in requests if request not in answers]:
                answers.returned.update(answer(missing))
            requests = plan.send(answers)
    except StopIteration as stop:
        result: T = stop.value
        return result
