"""Ways to read Morpho markets in tests: from a tape, with what the contract itself said of each position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from tests.tape import Tape
from watcher.domain.position import Action, Position, Refused
from watcher.domain.price import Price
from watcher.domain.source import Address, Holder, Id32
from watcher.oracles.round import decimals_of, description_of, latest_round
from watcher.protocols.morpho_blue import MorphoBlue
from watcher.protocols.morpho_blue.maths import Account, Markets
from watcher.protocols.reader import Place
from watcher.reads import Finding, Memo, sure, together

TAPES = tuple(f"morpho_blue@{number}" for number in range(8))


@dataclass(frozen=True)
class Case:
    """One account in one market, and what the contract said of it, where it was asked."""

    name: str
    reader: MorphoBlue
    markets: Markets
    account: Account
    verdict: Mapping[str, Any]

    @property
    def position(self) -> Position:
        return self.under(self.markets)

    def under(self, markets: Markets) -> Position:
        [position] = self.reader.positions(markets, self.account)
        assert isinstance(position, Position), position
        return position

    def reprice(self, prices: Mapping[Address, Price]) -> Position:
        return self.under(self.reader.repriced(self.markets, prices))

    def after(self, action: Action) -> Position | Refused:
        account = self.reader.after(self.markets, self.account, action)
        if isinstance(account, Refused):
            return account
        [position] = self.reader.positions(self.markets, account)
        assert isinstance(position, Position)
        return position


def reader_of(tape: Tape) -> MorphoBlue:
    """Everything that was recorded is configured: the logs are not on tapes."""
    ids = tuple(Id32(market["id"]) for market in tape.content["addresses"]["markets"].values())
    place = Place(deployment="morpho_tape", title="Morpho Blue", feeds={})
    return MorphoBlue(place=place, morpho=tape.address("morpho"), since=0, markets=ids)


def tape_of(name: str) -> Tape:
    """The recording. Its oracles are stand-ins that answer `price()` alone: what they are asked beside that, fails."""
    tape = Tape.load(name)
    oracles = [Address(market["oracle"]) for market in tape.content["addresses"]["markets"].values()]
    asked = [getter(oracle) for oracle in oracles for getter in (latest_round, decimals_of, description_of)]
    failing = [{"to": call.target, "data": f"0x{call.data.hex()}", "result": None} for call in asked]
    return Tape(name, {**tape.content, "calls": [*tape.content["calls"], *failing]})


@cache
def cases_of(name: str) -> tuple[Case, ...]:
    """Every account of a tape in every market where it has anything."""
    tape = tape_of(name)
    return cases_in(tape, reader_of(tape), {})


def cases_in(tape: Tape, reader: MorphoBlue, known: dict[Memo[Any], Finding]) -> tuple[Case, ...]:
    """The same as a reader finds them; `known` grows."""
    keys = tape.content.get("found", {})
    where = together(reader.discover(Holder.of(wallet), keys.get(wallet, ())) for wallet in tape.holders)
    holders = [holder for each in tape.play(where, known=known) for holder in sure(each)]
    read = tape.play(together(map(reader.account, holders)), known=known)
    accounts = [cast(Account, sure(one)) for one in read]
    markets = tape.play(reader.market(accounts), known=known)
    said = {(one["holder"], one["market"]): one for one in tape.content["verdicts"]}
    return tuple(
        Case(
            f"{tape.name}:{one.holder.account}:{one.holder.key}",
            reader,
            markets,
            one,
            said.get((one.holder.account, one.holder.key), {}),
        )
        for one in accounts
    )
