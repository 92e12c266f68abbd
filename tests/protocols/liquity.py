"""Troves on tapes of Liquity's own contracts, beside what those say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_utils.address import to_checksum_address

from tests.tape import TAPES, Tape
from watcher.domain.position import Position, Verdict
from watcher.domain.source import Address, Holder
from watcher.protocols.liquity import LiquityV1, LiquityV2, v1, v2
from watcher.protocols.liquity.troves import Trove
from watcher.protocols.reader import Place
from watcher.snapshot import Held

TRIED = (
    *("chainlink_feed.latestRoundData", "chainlink_feed.latestAnswer", "morpho_oracle.price"),
    *("liquity_v1.getMultipleSortedTroves", "liquity_v2.getMultipleSortedTroves"),  # recorded in one page, from the top
)
FIRST = tuple(sorted(path.name.removesuffix(".json.gz") for path in TAPES.glob("liquity_v1@*")))
SECOND = tuple(sorted(path.name.removesuffix(".json.gz") for path in TAPES.glob("liquity_v2@*")))


@dataclass(frozen=True)
class Case:
    """One trove of one tape: what we make of it, and what the tape saw."""

    name: str
    reader: LiquityV1 | LiquityV2
    market: v1.Market | v2.Market
    trove: Trove | None
    verdict: Verdict | None
    seen: Mapping[str, Any]

    @property
    def position(self) -> Position:
        assert self.trove is not None
        [position] = self.reader.positions(self.market, self.trove)  # type: ignore[arg-type]
        assert isinstance(position, Position)
        return position

    @property
    def held(self) -> Held:
        return Held(position=self.position, reader=self.reader, market=self.market, account=self.trove)


def reader_of(tape: Tape) -> LiquityV1 | LiquityV2:
    place, where = Place(deployment="tape", title="Liquity", feeds={}), tape.content["addresses"]

    def address(name: str) -> Address:
        return Address(to_checksum_address(where[name]))

    if "troveManager" in where:
        return LiquityV1(
            place=place,
            trove_manager=address("troveManager"),
            debt_token=address("lusdToken"),
            lens=address("multiTroveGetter"),
        )
    return LiquityV2(
        place=place,
        registry=address("AddressesRegistry"),
        nft=address("TroveNFT"),
        debt_token=address("boldToken"),
        collateral=address("collToken"),
        collateral_symbol="WETH",
        lens=address("MultiTroveGetter"),
        index=0,
        since=0,
    )


@cache
def cases(name: str) -> tuple[Case, ...]:
    """Every trove of a tape that it has a verdict on."""
    tape = Tape.load(name)
    reader: Any = reader_of(tape)
    market = tape.play(reader.market([]), tried=TRIED)
    return tuple(_cases(name, tape, reader, market))


def _cases(name: str, tape: Tape, reader: Any, market: Any) -> Iterator[Case]:
    for seen in tape.content["verdicts"]:
        owner = Address(to_checksum_address(seen["holder"]))
        holder = Holder(wallet=owner, account=owner, key=seen.get("trove_id", ""))
        trove = tape.play(reader.account(holder))
        verdict = tape.play(reader.verdict(holder), tried=TRIED) if trove is not None else None
        yield Case(f"{name}:{holder.key or owner}", reader, market, trove, verdict, seen)


def everything() -> Iterator[Case]:
    for name in (*FIRST, *SECOND):
        yield from cases(name)
