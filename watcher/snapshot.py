"""Everything watched on one chain, read at one block through one endpoint.

All plans advance in lock-step: a round is the union of what they all wait for, sent in as few batches as fit. What the
last snapshot asked is asked in the first round, so that a chain where nothing changed its shape costs one round.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from watcher.chain import ChainSpec
from watcher.config import Settings, Wallet
from watcher.domain.errors import EndpointError
from watcher.domain.position import Check, Position, Unreadable
from watcher.domain.searched import Unsearched
from watcher.domain.sequencer import Sequencer
from watcher.domain.source import Address, Block, Holder
from watcher.oracles.sequencer import sequencer_by
from watcher.protocols.owners import Registries
from watcher.reads import Answers, Call, Finding, Memo, Plan, Request, Returned, both, sure, together
from watcher.reads.call import T
from watcher.reads.tokens import Holdings, Purse, balance_of, coins_of, told
from watcher.risk.restore import tokens_for
from watcher.searches import Searches
from watcher.survey import HOLDERS, Held, Watched, Wrapping, noting, survey

__all__ = ["AtBlock", "Held", "Snapshot", "Watched", "Wrapping", "run", "take", "too_old", "watched_on"]


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
class Snapshot:
    """What one chain looked like at one block.

    `covered` are the (deployment, wallet) pairs that were read without failure: a position known from before that is
    absent there has been closed. `asked` is what the plans needed, for the next snapshot's first round. `holdings` are
    the balances of wallets with a position below its target, of the tokens that would help it, `unwrapped` the
    coins that would become such a token; what is absent there is not known. `sequencer` is None where no feed tells.
    `known` is what was found out that lasts, for the next snapshot. `owners` are, by deployment, all that were looked
    for; `unsearched` tells of whom more may be held than was found; `sought` is since when (block time) it is known
    where a wallet holds anything in a deployment.
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
    owners: Mapping[str, tuple[Holder, ...]] = field(default_factory=dict, repr=False)
    unsearched: tuple[Unsearched, ...] = ()
    sought: Mapping[tuple[str, Address], int] = field(default_factory=dict, repr=False)

    @property
    def positions(self) -> tuple[Position, ...]:
        return tuple(held.position for held in self.held)


def watched_on(chain: str, settings: Settings, searches: Searches | None = None) -> list[Watched]:
    """Who is watched where on one chain, what health they aim at there, and what was found of them in logs."""
    here = [deployment for deployment in settings.deployments if deployment.chain == chain]
    spec = settings.chains[chain]
    wrapping = Wrapping(token=spec.wrapped, teller=spec.multicall3) if spec.wrapped else None
    registries = Registries(proxies=spec.proxy_registry, dsas=spec.dsa_list)
    who = {one.id: [wallet for wallet in settings.wallets if wallet.watches(one)] for one in here}
    return [
        Watched(
            deployment=deployment,
            holders=tuple(holder for wallet in who[deployment.id] for holder in _holders(wallet)),
            targets={wallet.address: wallet.rules_at(deployment.id).target for wallet in who[deployment.id]},
            wrapping=wrapping,
            discovered_for=settings.discovery,
            found=searches.found(deployment.id) if searches else {},
            searched=searches.searched(deployment.id) if searches else {},
            searched_to=searches.target if searches else None,
            registries=registries,
        )
        for deployment in here
    ]


def _holders(wallet: Wallet) -> Iterator[Holder]:
    """A wallet, and the smart wallets that its user names as its own."""
    yield Holder.of(wallet.address)
    yield from (Holder(wallet=wallet.address, account=account) for account in wallet.accounts)


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
    surveys, answers = (
        together(survey(one, at.block) for one in watched),
        Answers(at.block, known=_lasting(known, at.block)),
    )
    asked = set[Request]()
    plan = both(surveys, noting(sequencer_by(sequencer_feed), asked))
    (outcomes, sequencer), _, rounds = await run(plan, at, warm, answers)
    surveyed = {one.deployment.id: sure(outcome) for one, outcome in zip(watched, outcomes, strict=True)}
    found = [reading for one in surveyed.values() for reading in one.readings]  # failures too: a survey raises none
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
        asked=frozenset(asked).union(tokens.values(), coins.values(), *(one.asked for one in surveyed.values())),
        rounds=rounds + further,
        holdings=holdings,
        unwrapped=unwrapped,
        sequencer=sequencer,
        known=answers.known,
        owners={name: one.owners for name, one in surveyed.items()},
        unsearched=tuple(each for one in surveyed.values() for each in one.unsearched),
        sought={(name, wallet): at for name, one in surveyed.items() for wallet, at in one.sought.items()},
    )


def _lasting(known: Mapping[Memo[Any], Finding] | None, block: Block) -> dict[Memo[Any], Finding]:
    """What is still of use of what was found out: where somebody holds anything is found out anew, under other names
    each time that logs tell more."""
    kept = known or {}
    return {memo: one for memo, one in kept.items() if memo.what != HOLDERS or one.until > block.timestamp}


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
