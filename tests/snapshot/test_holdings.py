"""What wallets have of the tokens that would help them: read with the rest, and never at the cost of the rest."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.snapshot.ledger import BANK, Ledger, health_said, ledger, wallet, watched
from watcher.domain.position import Check
from watcher.domain.source import ZERO_ADDRESS, Address, Holder
from watcher.reads.tokens import MOST, balance_of, coins_of
from watcher.snapshot import Watched, Wrapping, take

COIN = ZERO_ADDRESS  # what the ledger's bank lends, and takes as collateral
TARGET = Decimal(5)
LOW, HIGH = 20, 30  # shares: a health of 4, and of 6


def aiming(at: Watched, target: Decimal = TARGET) -> Watched:
    """The same wallets, each with this target."""
    return replace(at, targets={holder.wallet: target for holder in at.holders})


def purse(number: int) -> tuple[Address, Address]:
    return wallet(number), COIN


def seen(shares: dict[int, int], balances: dict[int, int]) -> Ledger:
    at = ledger({wallet(number): amount for number, amount in shares.items()})
    at.table |= {balance_of(purse(number)): balance for number, balance in balances.items()}
    return at


async def test_it_reads_what_wallets_have_that_are_below_their_target_and_of_no_others() -> None:
    at = seen({1: LOW, 2: HIGH, 3: LOW}, {1: 700, 2: 800, 3: 0})
    snapshot = await take(at, [aiming(watched(wallet(1), wallet(2), wallet(3)))])
    assert snapshot.holdings == {purse(1): 700, purse(3): 0}
    assert balance_of(purse(2)) not in snapshot.asked


async def test_it_reads_nothing_for_those_to_whom_nothing_is_advised() -> None:
    at = seen({1: LOW, 2: LOW}, {1: 700, 2: 700})
    at.table[health_said(BANK, Holder.of(wallet(1)))] = 399  # the contract's number: our formula is not to be trusted
    here = watched(wallet(1), wallet(2))
    snapshot = await take(at, [replace(here, targets={wallet(1): TARGET})])
    assert snapshot.positions[0].check is Check.MISMATCH
    assert snapshot.holdings == {}


async def test_it_reads_them_in_the_one_round_of_a_look_that_knows_what_to_ask() -> None:
    many = dict.fromkeys(range(1, 41), LOW)
    here = aiming(watched(*map(wallet, many)))
    cold = await take(seen(many, dict.fromkeys(many, 700)), [here])
    at = seen(many, dict.fromkeys(many, 701))
    warm = await take(at, [here], cold.asked)
    assert (cold.rounds, warm.rounds, len(at.rounds)) == (4, 1, 1)
    assert set(at.rounds[0]) == cold.asked == warm.asked
    assert warm.holdings == {purse(number): 701 for number in many}


async def test_it_stops_asking_when_all_is_well_again() -> None:
    here = aiming(watched(wallet(1)))
    low = await take(seen({1: LOW}, {1: 700}), [here])
    high = await take(seen({1: HIGH}, {1: 700}), [here], low.asked)
    assert high.holdings == {}
    assert balance_of(purse(1)) not in high.asked


async def test_it_asks_once_where_a_wallet_has_positions_in_several_markets() -> None:
    other = Address("0x" + "Bb" * 20)
    at = seen({1: LOW}, {1: 700})
    at.table |= ledger({wallet(1): LOW}, bank=other).table
    snapshot = await take(at, [aiming(watched(wallet(1))), aiming(watched(wallet(1), bank=other, name="other"))])
    assert len(snapshot.held) == 2
    assert snapshot.holdings == {purse(1): 700}
    assert [request for round_ in at.rounds for request in round_].count(balance_of(purse(1))) == 1


@pytest.mark.parametrize("told", [None, MOST + 1, 2**256 - 1], ids=["reverts", "too much", "far too much"])
async def test_a_token_that_tells_nothing_or_nonsense_leaves_its_balance_unknown_and_all_else_as_it_is(
    told: int | None,
) -> None:
    at = seen({1: LOW, 2: LOW}, {2: 700} if told is None else {1: told, 2: 700})
    snapshot = await take(at, [aiming(watched(wallet(1), wallet(2)))])
    assert snapshot.holdings == {purse(2): 700}
    assert [position.check for position in snapshot.positions] == [Check.VERIFIED] * 2
    assert snapshot.unreadable == ()


async def test_it_believes_the_largest_balance_that_a_market_could_take() -> None:
    assert (await take(seen({1: LOW}, {1: MOST}), [aiming(watched(wallet(1)))])).holdings == {purse(1): MOST}


async def test_no_position_waits_for_an_endpoint_that_fails_only_when_asked_for_balances() -> None:
    at = seen({1: LOW}, {1: 700})
    at.broken_after = 3
    snapshot = await take(at, [aiming(watched(wallet(1)))])
    assert len(at.rounds) == 4
    assert [position.check for position in snapshot.positions] == [Check.VERIFIED]
    assert snapshot.holdings == {}
    again = await take(seen({1: LOW}, {1: 700}), [aiming(watched(wallet(1)))], snapshot.asked)
    assert (again.rounds, again.holdings) == (1, {purse(1): 700})


async def test_it_reads_the_coins_too_where_they_could_be_wrapped_into_what_would_help() -> None:
    teller = Address("0x" + "Ca" * 20)
    at = seen({1: LOW, 2: HIGH, 3: LOW}, {1: 700, 2: 800})
    at.table |= {coins_of(wallet(number), teller): 50 + number for number in (1, 2, 3)}
    here = aiming(watched(wallet(1), wallet(2), wallet(3)))
    wrapping = replace(here, wrapping=Wrapping(token=COIN, teller=teller))
    cold = await take(at, [wrapping])
    assert (cold.holdings, cold.unwrapped) == ({purse(1): 700}, {purse(1): 51, purse(3): 53})
    warm = await take(at, [wrapping], cold.asked)
    assert (warm.rounds, warm.unwrapped) == (1, cold.unwrapped)
    elsewhere = replace(here, wrapping=Wrapping(token=BANK, teller=teller))
    assert (await take(at, [elsewhere])).unwrapped == {}
