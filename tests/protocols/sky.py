"""Sky's vaults in tests, from tapes of its own contracts: every vault with what a what-if needs, and what `bark` did.

`sky@*` are replayed as they were read, from discovery on: numbered vaults, staked ones and urns of their own, priced by
OSMs. `maker_dss@*` were recorded by others, without registry, CDP manager and OSM: their vaults are known by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from tests.tape import TAPES, Tape
from watcher.domain.position import Position, Unreadable, Verdict
from watcher.domain.source import ZERO_ADDRESS, Address, Holder
from watcher.oracles.morpho import price_of
from watcher.oracles.round import latest_round
from watcher.protocols.reader import Place
from watcher.protocols.sky import Sky, calls
from watcher.protocols.sky.maths import Account, Ilk, Market
from watcher.reads import Call, Outcome, together
from watcher.snapshot import Held

OWN = sorted(path.name.removesuffix(".json.gz") for path in TAPES.glob("sky@*.json.gz"))
OTHERS = sorted(path.name.removesuffix(".json.gz") for path in TAPES.glob("maker_dss@*.json.gz"))
PLACE = Place(deployment="sky_tape", title="Sky", feeds={})


@dataclass(frozen=True)
class Case:
    """One vault at one block, and what the tape says that `bark` did with it."""

    name: str
    reader: Sky
    market: Market
    account: Account
    seen: Mapping[str, Any]
    verdict: Outcome[Verdict | None] = None

    @property
    def ilk(self) -> Ilk:
        found = self.market.ilks[self.account.ilk]
        assert isinstance(found, Ilk), found
        return found

    @property
    def reading(self) -> Position | Unreadable:
        [found] = self.reader.positions(self.market, self.account)
        return found

    @property
    def position(self) -> Position:
        found = self.reading
        assert isinstance(found, Position), found
        return found

    @property
    def held(self) -> Held:
        return Held(position=self.position, reader=self.reader, market=self.market, account=self.account)


@cache
def own_cases(name: str) -> tuple[Case, ...]:
    """Every vault that we find on a tape of ours, in the order of its verdicts."""
    tape = Tape.load(name)
    reader = reader_of(tape)
    found = tape.play(together(reader.discover(Holder.of(owner), ()) for owner in tape.holders))
    holders = [holder for one in found for holder in sure(one)]
    seen = {(one["urn"], one["key"]): one for one in tape.content["verdicts"]}
    assert [(holder.account, holder.key) for holder in holders] == list(seen)
    accounts = [sure(one) for one in tape.play(together(reader.account(holder) for holder in holders))]
    market = tape.play(reader.market(accounts))
    verdicts = tape.play(together(reader.verdict(holder) for holder in holders))
    return tuple(
        Case(f"{name}:{one.holder.key}", reader, market, one, seen[one.holder.account, one.holder.key], verdict)
        for one, verdict in zip(accounts, verdicts, strict=True)
    )


def reader_of(tape: Tape) -> Sky:
    fields = ("vat", "spotter", "jug", "dog", "cdp_manager", "get_cdps", "ilk_registry", "lockstake", "dai")
    return Sky(place=PLACE, **{field: tape.address(field) for field in fields})


@cache
def other_cases(name: str) -> tuple[Case, ...]:
    """Every vault of a tape of others'."""
    tape = _completed(Tape.load(name))
    reader = Sky(
        place=PLACE,
        vat=tape.address("vat"),
        spotter=tape.address("spot"),
        jug=tape.address("jug"),
        dog=tape.address("dog"),
        cdp_manager=ZERO_ADDRESS,
        get_cdps=ZERO_ADDRESS,
        ilk_registry=REGISTRY,
        lockstake=ENGINE,
        dai=DAI,
    )
    seen = tape.content["verdicts"]
    urns = [Address(to_checksum_address(one["holder"])) for one in seen]
    holders = [Holder(wallet=urn, account=urn, key=one["ilk_name"]) for urn, one in zip(urns, seen, strict=True)]
    read = tape.play(together(reader.account(holder) for holder in holders))
    accounts = [account for account in read if isinstance(account, Account)]
    assert [one for one in read if one not in accounts] == [None], "one urn has nothing in it"
    market = tape.play(reader.market(accounts))
    return tuple(
        Case(f"{name}:{one.holder.key}:{one.holder.account}", reader, market, one, told)
        for one, told in zip(read, seen, strict=True)
        if isinstance(one, Account)
    )


REGISTRY, ENGINE, DAI = (Address(to_checksum_address("0x" + digits * 20)) for digits in ("a1", "a2", "a3"))


def _completed(tape: Tape) -> Tape:
    """With what a registry and a staking engine would have answered, which were not there."""
    added: list[dict[str, Any]] = [
        _told(calls.engine_ilk(ENGINE), ["bytes32"], [b"staked".ljust(32, b"\0")]),
        _told(calls.engine_usds(ENGINE), ["address"], [DAI]),
    ]
    for name, one in tape.content["addresses"]["ilks"].items():
        info = (name, name, 1, 18, one["gem"], one["pip"], one["join"], one["clip"])
        kinds = ["string", "string", "uint256", "uint256", *["address"] * 4]
        added.append(_told(calls.info_of(REGISTRY, bytes.fromhex(one["ilk"][2:])), kinds, info))
        added += [_refused(getter(Address(to_checksum_address(one["pip"])))) for getter in (latest_round, price_of)]
    return replace(tape, content={**tape.content, "calls": [*tape.content["calls"], *added]})


def _told(call: Call[Any], kinds: Sequence[str], values: Iterable[Any]) -> dict[str, str]:
    return {"to": call.target, "data": "0x" + call.data.hex(), "result": "0x" + encode(kinds, list(values)).hex()}


def _refused(call: Call[Any]) -> dict[str, Any]:
    return {"to": call.target, "data": "0x" + call.data.hex(), "result": None}


def sure(outcome: Any) -> Any:
    assert not isinstance(outcome, Exception), outcome
    assert outcome is not None
    return outcome
