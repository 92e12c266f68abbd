"""Everything watched on one chain, read at one block through one endpoint.

All plans advance in lock-step: a round is the union of what they all wait for, sent in as few batches as fit. What the
last snapshot asked is asked in the first round, so that a chain where nothing changed its shape costs one round.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Protocol

from watcher.chain import ChainSpec
from watcher.config import Deployment, Settings
from watcher.domain.errors import CallReverted, EndpointError, NotDecodable, ReadFailed
from watcher.domain.health import Health
from watcher.domain.position import (
    Action,
    Because,
    Check,
    Position,
    PositionId,
    Refused,
    State,
    Unreadable,
    Verdict,
)
from watcher.domain.price import Price
from watcher.domain.sequencer import Sequencer
from watcher.domain.source import Address, Block, Holder
from watcher.oracles.sequencer import sequencer_by
from watcher.protocols.reader import AnyReader, PriceMissing
from watcher.reads import Answers, Call, Finding, Memo, Outcome, Plan, Request, Returned, both, lasting, sure, together
from watcher.reads.call import T
from watcher.reads.tokens import Holdings, Purse, balance_of, coins_of, told
from watcher.risk.restore import tokens_for


class AtBlock(Protocol):
    """One block at one endpoint, as `watcher.chain` pins it."""

    @property
    def block(self) -> Block:
        """The block that every answer is of."""

    @property
    def endpoint(self) -> str:
        """Who is asked, as it may be shown: without the secrets of its URL."""

    async def read(self, requests: Sequence[Request]) -> Mapping[Request, Sequence[Returned]]:
        """What each request returned, or how it failed. Raises `EndpointError` where there is no answer to all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping:
    """The token that a chain's own coin can be wrapped into, and the contract that tells who has how many coins."""

    token: Address
    teller: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One deployment and who is watched in it.

    `holders` are the owners that are looked for: wallets, and smart wallets of theirs. Where they hold anything is
    found out anew after `discovered_for` seconds of block time; `found` are the keys that logs have told of, by owner.
    `targets`: the health below which a wallet is told what would help, and so what it has of that is read too; with
    its coins, where that is the token which `wrapping` makes of them.
    """

    deployment: Deployment
    holders: tuple[Holder, ...]
    targets: Mapping[Address, Decimal] = field(default_factory=dict)
    wrapping: Wrapping | None = None
    discovered_for: int = 0
    found: Mapping[Address, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A position with the state it was made from, so that a what-if is the same function over other state."""

    position: Position
    reader: AnyReader
    market: Any
    account: Any

    def reprice(self, prices: Mapping[Address, Price]) -> Position:
        """The position under other prices. Raises `ReadFailed` where the protocol could then not value it."""
        return self._of(self.reader.repriced(self.market, prices), self.account)

    def after(self, action: Action) -> Position | Refused:
        """The position after an action, or why the protocol would refuse it."""
        account = self.reader.after(self.market, self.account, action)
        return account if isinstance(account, Refused) else self._of(self.market, account)

    def of_account(self, account: Any) -> Position:
        """The position of another state of its account. Raises `ReadFailed` where the market was not read for it."""
        return self._of(self.market, account)

    def _of(self, market: Any, account: Any) -> Position:
        for found in self.reader.positions(market, account):
            if isinstance(found, Position) and found.id == self.position.id:
                return found
        raise ReadFailed(f"{self.position.id} has no value under these assumptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one chain looked like at one block.

    `covered` are the (deployment, wallet) pairs that were read without failure: a position known from before that is
    absent there has been closed. `asked` is what the plans needed, for the next snapshot's first round. `holdings` are
    the balances of wallets with a position below its target, of the tokens that would help it, `unwrapped` the
    coins that would become such a token; what is absent there is not known. `sequencer` is None where no feed tells.
    `known` is what was found out that lasts, for the next snapshot.
    """

    block: Block
    endpoint: str
    held: tuple[Held, ...]
    unreadable: tuple[Unreadable, ...]
    covered: frozenset[tuple[str, Address]]
    asked: frozenset[Request]
    rounds: int
    holdings: Holdings = field(default_factory=dict)
    unwrapped: Holdings = field(default_factory=dict)
    sequencer: Sequencer | None = None
    known: Mapping[Memo[Any], Finding] = field(default_factory=dict, repr=False)

    @property
    def positions(self) -> tuple[Position, ...]:
        return tuple(held.position for held in self.held)


def watched_on(chain: str, settings: Settings) -> list[Watched]:
    """Who is watched where on one chain, and what health they aim at there."""
    here = [deployment for deployment in settings.deployments if deployment.chain == chain]
    spec = settings.chains[chain]
    wrapping = Wrapping(token=spec.wrapped, teller=spec.multicall3) if spec.wrapped else None
    who = {one.id: [wallet for wallet in settings.wallets if wallet.watches(one)] for one in here}
    return [
        Watched(
            deployment=deployment,
            holders=tuple(Holder.of(wallet.address) for wallet in who[deployment.id]),
            targets={wallet.address: wallet.rules_at(deployment.id).target for wallet in who[deployment.id]},
            wrapping=wrapping,
        )
        for deployment in here
    ]


def too_old(spec: ChainSpec, block: Block, now: int) -> str:
    """Why a block is no view of the present, by the wall clock; empty where it is one."""
    age = block.age(now)
    if age > spec.max_age:
        return f"its newest block {block.number:,} is {age:,} s old, more than {spec.max_age} s (head_age)"
    if age < -spec.max_age:
        return f"its newest block {block.number:,} is dated {-age:,} s ahead of this machine's clock; check both"
    return ""


async def take(
    at: AtBlock,
    watched: Sequence[Watched],
    warm: Collection[Request] = (),
    *,
    sequencer_feed: Address | None = None,
    known: Mapping[Memo[Any], Finding] | None = None,
) -> Snapshot:
    """Read everything watched at one block. Raises `EndpointError`; a plan that fails becomes `Unreadable`.

    `known` is what earlier snapshots found out that lasts.
    """
    surveys, answers = together(_survey(one, at.block) for one in watched), Answers(at.block, known=dict(known or {}))
    (outcomes, sequencer), asked, rounds = await run(both(surveys, sequencer_by(sequencer_feed)), at, warm, answers)
    found = [reading for outcome in outcomes for reading in sure(outcome)]  # a survey keeps its failures as readings
    held = tuple(reading for reading in found if isinstance(reading, Held))
    purses = frozenset(_purses(held, watched))
    tokens = {purse: balance_of(purse) for purse in purses}
    tellers = {one.wrapping.token: one.wrapping.teller for one in watched if one.wrapping}
    coins = {(wallet, token): coins_of(wallet, tellers[token]) for wallet, token in purses if token in tellers}
    (holdings, unwrapped), further = await _opened(tokens, coins, at, answers)
    unreadable = tuple(reading for reading in found if isinstance(reading, Unreadable))
    blank = {(one.id.deployment, one.id.wallet) for one in unreadable}
    everyone = {(one.deployment.id, holder.wallet) for one in watched for holder in one.holders}
    return Snapshot(
        block=at.block,
        endpoint=at.endpoint,
        held=held,
        unreadable=unreadable,
        covered=frozenset(everyone - blank),
        asked=asked.union(tokens.values(), coins.values()),
        rounds=rounds + further,
        holdings=holdings,
        unwrapped=unwrapped,
        sequencer=sequencer,
        known=answers.known,
    )


async def run(
    plan: Plan[T], at: AtBlock, warm: Collection[Request] = (), known: Answers | None = None
) -> tuple[T, frozenset[Request], int]:
    """Drive a plan at one block: its result, everything that it asked, and in how many rounds.

    `warm` is asked along with the first round; what is `known` of this block is not asked again, and grows. Raises
    `EndpointError`, and the `ReadFailed` that the plan lets pass.
    """
    answers, asked, rounds = Answers(at.block) if known is None else known, set[Request](), 0
    ahead = list(warm)
    try:
        requests = next(plan)
        while True:
            asked.update(requests)
            missing = [request for request in dict.fromkeys([*requests, *ahead]) if request not in answers]
            if any(request not in answers for request in requests):
                answers.returned.update(await at.read(missing))
                rounds, ahead = rounds + 1, []
            requests = plan.send(answers)
    except StopIteration as stop:
        return stop.value, frozenset(asked), rounds


def _purses(held: Sequence[Held], watched: Sequence[Watched]) -> Iterator[Purse]:
    """The balances that decide what a wallet can do about a position below its target."""
    targets = {(one.deployment.id, wallet): target for one in watched for wallet, target in one.targets.items()}
    for one in held:
        wallet, target = one.position.id.wallet, targets.get((one.position.id.deployment, one.position.id.wallet))
        if target is not None and one.position.check is not Check.MISMATCH:
            yield from ((wallet, token) for token in tokens_for(one.position, target))


async def _opened(
    tokens: Mapping[Purse, Call[int]], coins: Mapping[Purse, Call[int]], at: AtBlock, known: Answers
) -> tuple[tuple[Holdings, Holdings], int]:
    """The balances, and in how many rounds. They come with the first one if the last snapshot asked for them too.

    An endpoint that fails only here leaves them unknown: no alert waits for advice.
    """
    try:
        balances, _, rounds = await run(both(told(tokens), told(coins)), at, known=known)
    except EndpointError:
        return ({}, {}), 0
    return balances, rounds


def _survey(watched: Watched, block: Block) -> Plan[list[Held | Unreadable]]:
    """One deployment for all its holders: their accounts, then what those share and the protocol's own view."""
    reader, deployment = watched.deployment.reader, watched.deployment

    def unreadable(holder: Holder, problem: ReadFailed) -> Unreadable:
        where = PositionId(deployment=deployment.id, wallet=holder.wallet, account=holder.account, key=holder.key)
        return Unreadable(
            id=where,
            holder=holder,
            at=block,
            market=deployment.title,
            because=_because(problem),
            reason=str(problem),
        )

    where = yield from together(_discovered(watched, owner) for owner in watched.holders)
    owners = list(zip(watched.holders, where, strict=True))
    lost = [unreadable(owner, outcome) for owner, outcome in owners if isinstance(outcome, ReadFailed)]
    holders = [holder for _, found in owners if not isinstance(found, ReadFailed) for holder in found]
    outcomes = yield from together(reader.account(holder) for holder in holders)
    asked = list(zip(holders, outcomes, strict=True))
    lost += [unreadable(holder, outcome) for holder, outcome in asked if isinstance(outcome, ReadFailed)]
    present = [(h, account) for h, account in asked if account is not None and not isinstance(account, ReadFailed)]
    if not present:
        return [*lost]
    try:
        market, verdicts = yield from both(
            reader.market([account for _, account in present]),
            together(reader.verdict(holder) for holder, _ in present),
        )
    except ReadFailed as problem:
        return [*lost, *(unreadable(holder, problem) for holder, _ in present)]
    readings: list[Held | Unreadable] = [*lost]
    for (holder, account), verdict in zip(present, verdicts, strict=True):
        try:
            readings += _valued(reader, market, account, verdict)
        except ReadFailed as problem:
            readings.append(unreadable(holder, problem))
    return readings


def _discovered(watched: Watched, owner: Holder) -> Plan[Sequence[Holder]]:
    """Where an owner holds anything in one deployment, by what was found out not too long ago."""
    reader, found = watched.deployment.reader, watched.found.get(owner.account, ())
    memo: Memo[Sequence[Holder]] = Memo("holders", (watched.deployment.id, owner, tuple(found)))
    return (yield from lasting(memo, lambda: reader.discover(owner, found), lasts=watched.discovered_for))


def _valued(reader: AnyReader, market: Any, account: Any, verdict: Outcome[Verdict | None]) -> list[Held | Unreadable]:
    """The positions of one account beside the protocol's own view. Raises `ReadFailed` where either has no answer.

    A protocol that cannot value the account now would refuse to liquidate it too, so ours alone is not believed.
    """
    return [
        found
        if isinstance(found, Unreadable)
        else Held(position=_checked(found, sure(verdict)), reader=reader, market=market, account=account)
        for found in reader.positions(market, account)
    ]


def _because(problem: ReadFailed) -> Because:
    if isinstance(problem, PriceMissing):
        return Because.UNPRICEABLE
    if isinstance(problem, CallReverted):
        return Because.REVERTED
    return Because.UNDECODABLE if isinstance(problem, NotDecodable) else Because.MISMATCH


def _checked(position: Position, verdict: Verdict | None) -> Position:
    """The position beside the protocol's own view. Where they differ the protocol's numbers count, and it is said."""
    if verdict is None:
        return position
    if verdict.agrees_with(position) and position.legs_explain_health:
        return replace(position, check=Check.VERIFIED)
    health = verdict.health or _contradicted(position.health, liquidatable=verdict.liquidatable)
    return replace(
        position,
        health=health,
        collateral=position.collateral if verdict.collateral is None else verdict.collateral,
        debt=position.debt if verdict.debt is None else verdict.debt,
        state=_state(health, position.state),
        check=Check.MISMATCH,
        notes=(*position.notes, _NUMBERS_DIFFER if verdict.health else _VERDICTS_DIFFER),
    )


_NUMBERS_DIFFER = "our formula and the contract differ: the contract's numbers are shown"
_VERDICTS_DIFFER = "our formula and the contract differ on whether it can be liquidated: the worse of the two is shown"


def _contradicted(ours: Health, *, liquidatable: bool) -> Health:
    """Our health, where the contract tells no number but only that it would liquidate: then at the edge of it."""
    if liquidatable == ours.liquidatable or not liquidatable:
        return ours
    return replace(ours, backing=ours.required - (0 if ours.inclusive else 1))


def _state(health: Health, ours: State) -> State:
    if health.required == 0:
        return State.NO_DEBT
    if not health.liquidatable:
        return State.HEALTHY
    return ours if ours in (State.LIQUIDATABLE_BUT_BLOCKED, State.DEBT_WITHOUT_COLLATERAL) else State.LIQUIDATABLE
