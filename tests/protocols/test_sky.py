"""Sky's vaults: where they are found, what is said of them, and what one bad module costs the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.protocols.sky import OTHERS, OWN, Case, other_cases, own_cases, reader_of
from tests.tape import Tape
from watcher.config import Deployment
from watcher.domain.errors import ReadFailed
from watcher.domain.position import Because, Check, Position, State, Unreadable
from watcher.domain.source import ZERO_ADDRESS, Block, Holder
from watcher.oracles.morpho import price_of as oracle_price
from watcher.oracles.round import latest_round
from watcher.protocols.rounding import RAY, WAD, pow_half_up
from watcher.protocols.sky import calls
from watcher.protocols.sky.maths import price_of, spot_of
from watcher.reads import Request, Returned, Storage
from watcher.reads.abi import interface
from watcher.snapshot import Snapshot, Watched, take

OPEN, COMING, FELL, VOID, SHUT = "sky@0_open", "sky@2_next_price", "sky@4_fell", "sky@6_void", "sky@8_shut"
VECTOR = Path(__file__).parent.parent / "vectors" / "sky.json"


@dataclass(frozen=True)
class AtTape:
    """A tape as the engine reads a block, with some answers changed."""

    tape: Tape
    changed: Mapping[Request, str | None]
    endpoint: str = "tape"

    @property
    def block(self) -> Block:
        return self.tape.block

    async def read(self, requests: Sequence[Request]) -> Mapping[Request, Sequence[Returned]]:
        other = {one: [_answer(self.changed[one])] for one in requests if one in self.changed}
        return {**self.tape.answers([one for one in requests if one not in other]), **other}


def _answer(result: str | None) -> Returned:
    return Returned(result is not None, bytes.fromhex(result or ""))


async def look(name: str, changed: Mapping[Request, str | None] | None = None) -> Snapshot:
    """All owners of a tape as the daemon reads them."""
    tape = Tape.load(name)
    reader = reader_of(tape)
    deployment = Deployment(id="sky_tape", protocol="sky", chain="tape", title="Sky", reader=reader)
    holders = tuple(Holder.of(owner) for owner in tape.holders)
    return await take(AtTape(tape, changed or {}), [Watched(deployment=deployment, holders=holders)])


@pytest.mark.parametrize("name", OWN)
async def test_every_vault_is_verified_by_what_the_jug_and_the_vat_say_behind_a_drip(name: str) -> None:
    snapshot = await look(name)
    assert {position.check for position in snapshot.positions} == {Check.VERIFIED}
    assert len(snapshot.held) + len(snapshot.unreadable) == len(own_cases(name))
    assert {one.because for one in snapshot.unreadable} <= {Because.UNPRICEABLE}


async def test_it_takes_a_dozen_rounds_at_most_and_one_the_next_time() -> None:
    first = await look(OPEN)
    assert first.rounds <= 12
    tape = Tape.load(OPEN)
    deployment = Deployment(id="sky_tape", protocol="sky", chain="tape", title="Sky", reader=reader_of(tape))
    holders = tuple(Holder.of(owner) for owner in tape.holders)
    again = await take(
        AtTape(tape, {}), [Watched(deployment=deployment, holders=holders)], first.asked, known=first.known
    )
    assert again.rounds == 1
    assert again.positions == first.positions


def test_it_finds_numbered_vaults_staked_ones_and_urns_of_ones_own() -> None:
    keys = {case.account.holder.key for case in own_cases(OPEN)}
    staked = {key for key in keys if key.startswith("LSEV2-SKY-A/")}
    numbered = {key for key in keys if "/" in key} - staked
    assert staked
    assert len(numbered) > 10
    assert {"ETH-A", "WBTC-A"} <= {key for key in keys if "/" not in key}
    for case in own_cases(OPEN):
        holder = case.account.holder
        assert (holder.account == holder.wallet) == ("/" not in holder.key)
        assert (case.position.id.key, case.position.id.account) == (holder.key, holder.account)


def test_what_is_empty_is_not_watched() -> None:
    tape = Tape.load(OPEN)
    numbers = [n for owner in tape.holders for n in _numbered(tape, owner)]
    found = [case.account.holder.key.partition("/")[2] for case in own_cases(OPEN) if _is_numbered(case)]
    assert 0 < len(found) < len(numbers)
    assert set(found) < {str(number) for number in numbers}


def _numbered(tape: Tape, owner: Any) -> Sequence[int]:
    reader = reader_of(tape)
    ask = calls.cdps_of(reader.get_cdps, reader.cdp_manager, owner)
    data = tape.answers([ask])[ask][0].data
    return [
        int.from_bytes(data[128 + 32 * n : 160 + 32 * n], "big") for n in range(int.from_bytes(data[96:128], "big"))
    ]


def _is_numbered(case: Case) -> bool:
    key = case.account.holder.key
    return "/" in key and not key.startswith("LSEV2")


async def test_owners_whose_vaults_cannot_be_listed_are_unreadable_and_not_without_vaults() -> None:
    tape = Tape.load(OPEN)
    reader, owner = reader_of(tape), tape.holders[0]
    snapshot = await look(OPEN, {calls.cdps_of(reader.get_cdps, reader.cdp_manager, owner): None})
    assert [one.holder.wallet for one in snapshot.unreadable] == [owner]
    assert len({one.id.wallet for one in snapshot.positions}) > 10


def _shut_out(case: Case, what: str) -> Request:
    reader, ilk = case.reader, case.account.ilk
    return {
        "auctions": calls.stopped_of(case.ilk.clip),
        "fee": calls.jug_ilk(reader.jug, ilk),
        "price source": calls.spotter_ilk(reader.spotter, ilk),
        "penalty": calls.dog_ilk(reader.dog, ilk),
    }[what]


@pytest.mark.parametrize("what", ["auctions", "fee", "price source", "penalty"])
async def test_a_kind_that_cannot_be_read_costs_the_others_nothing(what: str) -> None:
    case = next(case for case in own_cases(OPEN) if case.ilk.name == "ETH-A")
    whole, snapshot = await look(OPEN), await look(OPEN, {_shut_out(case, what): None})
    assert {one.holder.key.partition("/")[0] for one in snapshot.unreadable} == {"ETH-A"}
    assert {one.because for one in snapshot.unreadable} == {Because.REVERTED}
    others = [one for one in whole.positions if not one.holder.key.startswith("ETH-A")]
    assert list(snapshot.positions) == others


async def test_an_oracle_of_another_layout_leaves_health_as_it_is_and_its_age_unknown() -> None:
    case = next(case for case in own_cases(OPEN) if case.ilk.name == "ETH-A")
    osm = case.ilk.pip.source
    changed: dict[Request, str | None] = {Storage(osm, 2, ""): "00" * 32}
    changed |= {calls.peek_of(osm): None, latest_round(osm): None, oracle_price(osm): None}
    snapshot = await look(OPEN, changed)
    mine = [one for one in snapshot.positions if one.holder.key.startswith("ETH-A")]
    assert mine
    assert {one.check for one in mine} == {Check.VERIFIED}
    assert all(one.legs[0].price.hidden for one in mine)
    assert {scenario.what for one in mine for scenario in one.scenarios} <= {"before the stability fee is taken"}


async def test_an_oracle_that_is_stopped_has_no_next_price() -> None:
    case = next(case for case in own_cases(COMING) if case.ilk.name == "ETH-A" and case.account.art)
    stopped = interface("maker_osm").function("stopped", int)(case.ilk.pip.source)
    for answer, expected in ((0, True), (1, False)):
        snapshot = await look(COMING, {stopped: f"{answer:064x}"})
        [one] = [one for one in snapshot.positions if one.holder == case.account.holder]
        assert ("at the oracle's next price" in {scenario.what for scenario in one.scenarios}) == expected


async def test_a_kind_that_the_registry_does_not_list_goes_by_its_own_name() -> None:
    case = next(case for case in own_cases(OPEN) if case.ilk.name == "ETH-A")
    snapshot = await look(OPEN, {calls.info_of(case.reader.ilk_registry, case.account.ilk): None})
    [symbol] = {one.legs[0].asset.symbol for one in snapshot.positions if one.holder.key.startswith("ETH-A")}
    assert symbol == "ETH-A"


def test_what_the_vat_has_no_price_for_is_unpriceable_and_alone_so() -> None:
    gone = [case for case in own_cases(VOID) if isinstance(case.reading, Unreadable)]
    assert {case.account.holder.key.partition("/")[0] for case in gone} == {"RWA001-A"}
    for case in gone:
        assert isinstance(case.reading, Unreadable)
        assert (case.reading.because, case.reading.id.key) == (Because.UNPRICEABLE, case.account.holder.key)


def test_a_vault_without_debt_cannot_be_liquidated() -> None:
    free = [case for case in own_cases(FELL) if case.account.art == 0]
    assert free
    for case in free:
        assert case.position.state is State.NO_DEBT
        assert not case.position.health.liquidatable
        assert (case.position.scenarios, case.position.notes) == ((), ())


def test_collateral_that_is_no_whole_number_of_base_units_is_explained_by_its_leg_all_the_same() -> None:
    """As what is left of an auction: the Vat counts WBTC with 18 decimals, and the token has 8."""
    case = next(case for case in own_cases(OPEN) if case.ilk.name == "WBTC-A" and case.account.art)
    odd = replace(case, account=replace(case.account, ink=12_345 * 10**10 + 9_999_999_999, art=10**17))
    assert odd.position.legs[0].amount == 12_345
    assert odd.position.legs_explain_health


def test_a_vault_at_the_price_that_it_has_is_the_vault_itself() -> None:
    """Though that price may make another spot: governance files some that no price makes."""
    for case in (case for name in OTHERS for case in other_cases(name)):
        if isinstance(case.reading, Position):
            same = {leg.priced_as: leg.price for leg in case.position.legs}
            assert case.held.reprice(same) == case.position, case.name


def test_debt_without_collateral_is_told_as_what_it_is() -> None:
    case = replace(own_cases(OPEN)[0], account=replace(own_cases(OPEN)[0].account, ink=0, art=10**18))
    assert case.position.state is State.DEBT_WITHOUT_COLLATERAL


def test_it_says_when_nothing_moves_any_more() -> None:
    for case in own_cases(SHUT):
        if isinstance(case.reading, Position):
            assert case.position.notes[0] == "the system is shut down: no fee is taken any more"


def test_it_tells_the_rules_of_a_kind() -> None:
    case = next(case for case in own_cases(OPEN) if case.ilk.name == "ETH-A")
    told = {term.what: term.value for term in case.position.terms}
    assert told == {
        "liquidation ratio": "145.00 %",
        "liquidation penalty": "13.00 %",
        "stability fee": "5.50 % a year",
        "minimum debt": "100",
        "debt ceiling": "100,000,000",
        "most in auction": "10,000,000",
        "price source": case.ilk.pip.source,
        "target price": "1",
        "liquidations": "open",
        "debt of all": told["debt of all"],
    }
    assert {term.what for term in case.position.terms if not term.set_by_rule} == {"debt of all"}


def test_staked_vaults_owe_usds_and_others_dai() -> None:
    tape = Tape.load(OPEN)
    owed = {
        (case.ilk.name, leg.asset.address) for case in own_cases(OPEN) for leg in case.position.legs if leg.amount < 0
    }
    for name, token in owed:
        assert token == tape.address("usds" if name == "LSEV2-SKY-A" else "dai")


def test_it_raises_where_the_market_was_read_without_a_kind() -> None:
    case = own_cases(OPEN)[0]
    with pytest.raises(ReadFailed, match="without the kind"):
        case.reader.positions(replace(case.market, ilks={}), case.account)


def test_all_modules_have_to_work_for_the_one_vat() -> None:
    tape = Tape.load(OPEN)
    reader = reader_of(tape)
    assert tape.play(reader.expects()) == []
    [*problems] = tape.play(replace(reader, vat=ZERO_ADDRESS).expects())
    assert len(problems) == 6
    assert problems[0] == f"spotter works for the Vat {reader.vat}, not for {ZERO_ADDRESS}"


@pytest.mark.parametrize("name", ["ETH-A", "LSEV2-SKY-A", "DIRECT-SPARK-MORPHO-DAI", "0x" + "00" * 31 + "01"])
def test_a_kind_is_found_again_by_its_name(name: str) -> None:
    assert calls.name_of(calls.ilk_named(name)) == name


@pytest.mark.parametrize(
    "ilk", [bytes(32), b"a/b".ljust(32, b"\0"), b"0xff".ljust(32, b"\0"), b"a\0b".ljust(32, b"\0")]
)
def test_what_spells_no_name_is_named_by_its_bytes(ilk: bytes) -> None:
    assert calls.name_of(ilk) == "0x" + ilk.hex()
    assert calls.ilk_named(calls.name_of(ilk)) == ilk


def test_it_reproduces_the_recorded_drip() -> None:
    vector = json.loads(VECTOR.read_text())
    elapsed = int(vector["timestamp"]) - int(vector["jug"]["rho"])
    power = pow_half_up(int(vector["jug"]["duty"]) + int(vector["jug"]["base"]), elapsed, RAY)
    rate = power * int(vector["ilk"]["rate"]) // RAY
    ink, art, spot = int(vector["urn"]["ink"]), int(vector["urn"]["art"]), int(vector["ilk"]["spot"])
    assert rate == int(vector["expected"]["rateAfterDrip"])
    assert (ink * spot < art * int(vector["ilk"]["rate"])) == vector["expected"]["unsafeStored"]
    assert (ink * spot < art * rate) == vector["expected"]["unsafeAfterDrip"]


@pytest.mark.parametrize("power", [lambda: pow_half_up(0, 0, RAY), lambda: pow_half_up(5, 0, RAY)])
def test_nothing_to_the_power_of_nothing_is_one(power: Callable[[], int]) -> None:
    assert power() == RAY
    assert pow_half_up(0, 3, RAY) == 0


@pytest.mark.parametrize("par", [RAY, RAY + 12_345_678_901_234_567, RAY // 3])
@pytest.mark.parametrize("mat", [RAY, 145 * RAY // 100, 7 * RAY // 3, 10**6 * RAY])
def test_the_price_behind_a_spot_is_the_smallest_that_makes_it(par: int, mat: int) -> None:
    for price in (1, 7, WAD // 3, 3000 * WAD + 1, 10**9 * WAD + 123):
        spot = spot_of(price, par, mat)
        found = price_of(spot, par, mat)
        assert spot_of(found, par, mat) >= spot
        assert spot == 0 or spot_of(found - 1, par, mat) < spot


def test_forty_kinds_are_read_as_one_is() -> None:
    """One vault of each of forty kinds that answer alike: forty positions, in no more rounds than one takes."""
    case = next(case for case in own_cases(OPEN) if case.ilk.name == "ETH-A")
    tape = Tape.load(OPEN)
    old = case.account.ilk.hex()
    kinds = [calls.ilk_named(f"KIND{n}-A") for n in range(40)]
    alike = [one for one in tape.content["calls"] if old in one["data"]]
    more = [{**one, "data": one["data"].replace(old, ilk.hex())} for ilk in kinds for one in alike]
    many = replace(tape, content={**tape.content, "calls": [*tape.content["calls"], *more]})
    accounts = [replace(case.account, ilk=ilk) for ilk in kinds]
    market = many.play(case.reader.market(accounts))
    found = [position for account in accounts for position in case.reader.positions(market, account)]
    assert len(market.prices) == 2 + 40
    assert {one.health for one in found if isinstance(one, Position)} == {case.position.health}
    assert len([one for one in found if isinstance(one, Position)]) == 40
