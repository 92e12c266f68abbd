"""What v2 and v3 answer alike: account data and balances; and the two contracts of a market that name each other."""

from __future__ import annotations

from dataclasses import dataclass

from watcher.domain.errors import ReadFailed
from watcher.domain.position import Verdict
from watcher.domain.source import Address
from watcher.protocols.aave.maths import health_of
from watcher.reads import Call, Outcome, Plan
from watcher.reads.abi import interface


@dataclass(frozen=True, slots=True)
class AccountData:
    """`getUserAccountData`: values in base units, thresholds in basis points, health factor as WAD."""

    collateral: int
    debt: int
    available: int
    threshold: int
    ltv: int
    health_factor: int


_TOKEN = interface("aave_v3_token")
scaled_balance = _TOKEN.function("scaledBalanceOf", int, gas=25_000)
balance_of = _TOKEN.function("balanceOf", int)
symbol_of = _TOKEN.function("symbol", str)


def as_addresses(whole: tuple[Address, ...]) -> tuple[Address, ...]:
    """A list of addresses, as `getReservesList` answers it."""
    return whole


def verdict_by(ask: Call[AccountData]) -> Plan[Verdict | None]:
    """The contract's own view, by its account data."""
    data = (yield [ask])[ask]
    return Verdict.valued(health_of(data.health_factor), data.collateral, data.debt)


def check_pool(pool: Address, ask: Call[Address]) -> Plan[None]:
    """Raises `ReadFailed` where the provider, asked for its pool, names another one than is configured."""
    found = (yield [ask])[ask]
    if found != pool:
        raise ReadFailed(f"provider {ask.target} says that the pool is {found}, configured is {pool}")


def pair_problems(back: Call[Address], forth: Call[Address]) -> Plan[list[str]]:
    """What is wrong where pool and provider do not name each other: `back` asks the pool, `forth` the provider."""
    pool, provider = back.target, forth.target
    got = yield [back, forth]
    answers: list[Outcome[Address]] = [got.outcome(back), got.outcome(forth)]
    problems = [str(answer) for answer in answers if isinstance(answer, ReadFailed)]
    if problems:
        return problems
    if got[back] != provider:
        problems.append(f"pool {pool} belongs to provider {got[back]}, configured is {provider}")
    if got[forth] != pool:
        problems.append(f"provider {provider} has pool {got[forth]}, configured is {pool}")
    return problems
