"""All plans of a chain in lock-step: few rounds, nothing asked twice, and no failure that spreads or disappears."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.snapshot.ledger import (
    BANK,
    BLOCK,
    PRICE,
    Ledger,
    accrued,
    ask,
    health_said,
    ledger,
    shares_in,
    slot_of,
    wallet,
    watched,
)
from watcher.domain.errors import EndpointError, ReadFailed
from watcher.domain.position import Because, Check, Position, Refused, Repay, State
from watcher.domain.price import Opaque, Price
from watcher.domain.source import ZERO_ADDRESS, Address, Holder
from watcher.snapshot import take

COLD_ROUNDS = 3  # slot, shares, and then the market beside the verdicts
OTHER_BANK = Address("0x" + "Bb" * 20)
HUNDRED = {wallet(n): n + 20 for n in range(1, 101)}


def sent(at: Ledger) -> Counter[object]:
    return Counter(request for round_ in at.rounds for request in round_)


async def test_it_takes_as_many_rounds_for_a_hundred_wallets_as_for_one() -> None:
    one = await take(ledger(HUNDRED), [watched(wallet(1))])
    many = await take(ledger(HUNDRED), [watched(*HUNDRED)])
    assert (one.rounds, many.rounds) == (COLD_ROUNDS, COLD_ROUNDS)
    assert (len(one.held), len(many.held)) == (1, 100)


async def test_it_asks_everything_in_one_round_once_it_knows_what_to_ask() -> None:
    cold = await take(ledger(HUNDRED), [watched(*HUNDRED)])
    at = ledger({owner: amount + 1 for owner, amount in HUNDRED.items()})
    warm = await take(at, [watched(*HUNDRED)], cold.asked)
    assert (warm.rounds, len(at.rounds)) == (1, 1)
    assert set(at.rounds[0]) == cold.asked == warm.asked
    assert [position.collateral for position in warm.positions] == [20 * (amount + 1) for amount in HUNDRED.values()]


async def test_it_sends_equal_requests_once() -> None:
    """The price is the same call for both banks, the bundle for every wallet of one bank, and a wallet named twice."""
    at = ledger(HUNDRED)
    at.table |= ledger(HUNDRED, bank=OTHER_BANK).table
    snapshot = await take(at, [watched(*HUNDRED, wallet(1)), watched(*HUNDRED, bank=OTHER_BANK, name="other")])
    assert len(snapshot.held) == 201
    assert set(sent(at).values()) == {1}
    assert snapshot.asked == set(sent(at))
    assert all(len(set(round_)) == len(round_) for round_ in at.rounds)


async def test_it_asks_for_what_is_new_in_a_second_round_and_forgets_what_is_not_needed() -> None:
    known = await take(ledger(HUNDRED), [watched(wallet(1), wallet(2))])
    at = ledger(HUNDRED)
    changed = await take(at, [watched(wallet(1), wallet(3))], known.asked)
    assert changed.rounds == 3  # what wallet 3 needs after its slot could not be known
    assert {position.id.wallet for position in changed.positions} == {wallet(1), wallet(3)}
    assert slot_of(BANK, Holder.of(wallet(2))) not in changed.asked
    assert (await take(ledger(HUNDRED), [watched(wallet(1), wallet(3))], changed.asked)).rounds == 1
    assert set(sent(at).values()) == {1}


async def test_it_takes_a_moved_answer_at_its_word_and_not_at_the_last_one() -> None:
    """A wallet's slot is another than in the last snapshot: what was asked ahead for it is of no use."""
    cold = await take(ledger({wallet(1): 30}), [watched(wallet(1))])
    at = ledger({wallet(1): 30})
    at.table[slot_of(BANK, Holder.of(wallet(1)))] = 9
    at.table[shares_in(BANK, 9)] = 40
    at.table[health_said(BANK, Holder.of(wallet(1)))] = 800
    warm = await take(at, [watched(wallet(1))], cold.asked)
    assert warm.rounds == 2
    [position] = warm.positions
    assert (position.collateral, position.check) == (800, Check.VERIFIED)
    assert shares_in(BANK, 1) not in warm.asked


async def test_it_keeps_a_bundle_whole_and_apart() -> None:
    at = ledger({wallet(1): 30})
    await take(at, [watched(wallet(1))])
    assert accrued(BANK) in at.rounds[-1]
    assert ask(BANK, "index") not in sent(at)


@pytest.mark.parametrize(
    "missing", [slot_of(BANK, Holder.of(wallet(5))), shares_in(BANK, 5)], ids=lambda c: str(c.label)
)
async def test_it_reads_the_others_when_a_read_of_one_wallet_reverts(missing: object) -> None:
    at = ledger(HUNDRED)
    at.table = {call: answer for call, answer in at.table.items() if call != missing}
    snapshot = await take(at, [watched(*HUNDRED)])
    [lost] = snapshot.unreadable
    assert (lost.id.wallet, lost.because, lost.at) == (wallet(5), Because.REVERTED, BLOCK)
    assert "reverted without a reason" in lost.reason
    assert {position.check for position in snapshot.positions} == {Check.VERIFIED}
    assert len(snapshot.held) == 99
    assert snapshot.covered == {("bank", owner) for owner in HUNDRED if owner != wallet(5)}


async def test_it_does_not_believe_itself_alone_where_the_protocol_s_own_view_reverts() -> None:
    at = ledger(HUNDRED)
    del at.table[health_said(BANK, Holder.of(wallet(5)))]
    snapshot = await take(at, [watched(*HUNDRED)])
    assert [(lost.id.wallet, lost.because) for lost in snapshot.unreadable] == [(wallet(5), Because.REVERTED)]
    assert len(snapshot.held) == 99


async def test_it_can_read_nobody_where_the_market_cannot_be_read() -> None:
    """Its own bank's wallets, that is; those of another bank are read."""
    at = ledger(HUNDRED)
    at.table |= ledger(HUNDRED, bank=OTHER_BANK).table
    del at.table[ask(BANK, "index")]
    here, there = watched(*HUNDRED), watched(*HUNDRED, bank=OTHER_BANK, name="other")
    snapshot = await take(at, [here, there])
    assert {lost.id.wallet for lost in snapshot.unreadable} == set(HUNDRED)
    assert {lost.because for lost in snapshot.unreadable} == {Because.REVERTED}
    assert {position.id.deployment for position in snapshot.positions} == {"other"}
    assert {deployment for deployment, _ in snapshot.covered} == {"other"}


async def test_it_loses_only_the_account_that_the_protocol_s_maths_cannot_value() -> None:
    at = ledger(HUNDRED | {wallet(4): 13})
    snapshot = await take(at, [watched(*HUNDRED, fails=[wallet(3)])])
    found = {lost.id.wallet: (lost.because, lost.reason) for lost in snapshot.unreadable}
    assert found == {
        wallet(3): (Because.UNPRICEABLE, "no price for it"),
        wallet(4): (Because.UNPRICEABLE, "thirteen"),
    }
    assert len(snapshot.held) == 98
    assert not {wallet(3), wallet(4)} & {owner for _, owner in snapshot.covered}


async def test_it_covers_a_wallet_that_holds_nothing() -> None:
    """So that a position known from before is seen to be closed, and not to be lost."""
    at = ledger({wallet(1): 30, wallet(2): 0})
    snapshot = await take(at, [watched(wallet(1), wallet(2))])
    assert [position.id.wallet for position in snapshot.positions] == [wallet(1)]
    assert snapshot.covered == {("bank", wallet(1)), ("bank", wallet(2))}


async def test_it_does_not_ask_for_a_market_that_nobody_is_in() -> None:
    at = ledger({wallet(1): 0})
    snapshot = await take(at, [watched(wallet(1))])
    assert snapshot.rounds == 1
    assert PRICE not in sent(at)


async def test_it_does_not_cover_a_wallet_of_which_one_account_is_lost() -> None:
    first, second = (Holder(wallet=wallet(1), account=account) for account in (wallet(11), wallet(12)))
    at = ledger({wallet(11): 30, wallet(12): 30})
    del at.table[shares_in(BANK, 2)]
    snapshot = await take(at, [watched(first, second)])
    assert [position.id.account for position in snapshot.positions] == [wallet(11)]
    assert [lost.id.account for lost in snapshot.unreadable] == [wallet(12)]
    assert snapshot.covered == frozenset()


async def test_it_keeps_nothing_of_a_block_whose_endpoint_went_away() -> None:
    at = ledger(HUNDRED)
    at.broken_after = 2
    with pytest.raises(EndpointError, match="went away"):
        await take(at, [watched(*HUNDRED)])


async def test_it_shows_the_protocol_s_own_numbers_where_ours_differ() -> None:
    at = ledger({wallet(1): 30, wallet(2): 30, wallet(3): 30})
    at.table[health_said(BANK, Holder.of(wallet(1)))] = 99
    at.table[health_said(BANK, Holder.of(wallet(2)))] = 0  # publishes none
    snapshot = await take(at, [watched(wallet(1), wallet(2), wallet(3))])
    differs, unchecked, same = snapshot.positions
    assert (differs.check, differs.state, differs.collateral) == (Check.MISMATCH, State.LIQUIDATABLE, 99)
    assert differs.health.liquidatable
    assert (unchecked.check, unchecked.collateral) == (Check.UNCHECKED, 600)
    assert (same.check, same.notes) == (Check.VERIFIED, ())


async def test_it_reads_nothing_where_nothing_is_watched() -> None:
    at = ledger({})
    snapshot = await take(at, [])
    assert (snapshot.rounds, at.rounds, snapshot.positions) == (0, [], ())
    assert (await take(at, [watched()])).rounds == 0


async def test_it_answers_what_if_from_what_was_read() -> None:
    at = ledger({wallet(1): 30})
    [held] = (await take(at, [watched(wallet(1))])).held
    read = len(at.rounds)
    assert held.reprice({ZERO_ADDRESS: Price.of(Opaque(ZERO_ADDRESS, 5))}).collateral == 1500
    more = held.after(Repay(ZERO_ADDRESS, 10))
    assert isinstance(more, Position)
    assert more.collateral == 800
    assert held.after(Repay(ZERO_ADDRESS, 0)) == Refused("nothing to do")
    assert len(at.rounds) == read


async def test_it_says_where_a_what_if_has_no_answer() -> None:
    [held] = (await take(ledger({wallet(1): 3}), [watched(wallet(1))])).held
    with pytest.raises(ReadFailed, match=f"bank/{wallet(1)} has no value"):
        held.after(Repay(ZERO_ADDRESS, 10))  # thirteen shares
