"""The action card: what would help, the first of it what the wallet can pay, and never a balance that is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.alerts.samples import USDC, WETH
from watcher.alerts import figures
from watcher.alerts.message import joined
from watcher.alerts.outlook import Advice, ways_back
from watcher.domain.position import Repay, TopUp
from watcher.risk.restore import Remedy

TARGET = Decimal("1.5")
REPAY = Remedy(action=Repay(USDC.address, 1240_520000), asset=USDC, health=TARGET, enough=True)
ADD = Remedy(action=TopUp(WETH.address, 61 * 10**16), asset=WETH, health=TARGET, enough=True)
SHORT = Remedy(action=Repay(USDC.address, 5_000000), asset=USDC, health=Decimal("1.2"), enough=False)
STEP = Remedy(action=Repay(USDC.address, 312_000000), asset=USDC, health=Decimal("1.19999"), enough=False)
UNKNOWN = None


def card(*remedies: Remedy, usdc: int | None, weth: int | None, eth: int = 0, step: Remedy | None = None) -> list[str]:
    balances = {USDC.address: usdc, WETH.address: weth}
    known = {token: balance for token, balance in balances.items() if balance is not None}
    advice = Advice(remedies=remedies, balances=known, unwrapped={WETH.address: eth}, step=step)
    return str(joined(ways_back(advice))).splitlines()


def test_it_puts_first_what_the_wallet_can_pay() -> None:
    assert card(REPAY, ADD, usdc=312_000000, weth=24 * 10**17) == [
        "· add 0.61 WETH (has 2.4)",
        "· repay 1240.52 USDC (has 312)",
    ]
    assert card(REPAY, ADD, usdc=1240_520000, weth=0) == [
        "· repay 1240.52 USDC (has 1,240.52)",
        "· add 0.61 WETH (has none)",
    ]


def test_one_unit_less_than_the_amount_is_not_enough() -> None:
    *_, verdict = card(REPAY, ADD, usdc=1240_519999, weth=61 * 10**16 - 1)
    assert verdict == "None of these is in the wallet in full."
    assert len(card(REPAY, ADD, usdc=1240_520000, weth=61 * 10**16 - 1)) == 2


def test_it_says_in_one_line_that_nothing_is_there_in_full_and_how_far_it_goes() -> None:
    assert card(REPAY, ADD, usdc=312_000000, weth=0, step=STEP) == [
        "· repay 1240.52 USDC (has 312)",
        "· add 0.61 WETH (has none)",
        "None of these is in the wallet in full; repaying its 312 USDC gives health 1.1999.",
    ]
    [_, verdict] = card(REPAY, usdc=312_000000, weth=UNKNOWN, step=STEP)
    assert verdict == "It is not in the wallet in full; repaying its 312 USDC gives health 1.1999."


def test_it_says_once_that_the_wallet_has_nothing() -> None:
    rows = ["· repay 1240.52 USDC", "· add 0.61 WETH"]
    assert card(REPAY, ADD, usdc=0, weth=0) == [*rows, "The wallet has none of these."]
    assert card(ADD, usdc=UNKNOWN, weth=0) == [rows[1], "The wallet has none of it."]


def test_what_is_not_known_is_not_nothing() -> None:
    rows = ["· repay 1240.52 USDC", "· add 0.61 WETH"]
    assert card(REPAY, ADD, usdc=UNKNOWN, weth=UNKNOWN) == [*rows, "What the wallet has of these is not known."]
    assert card(REPAY, ADD, usdc=UNKNOWN, weth=10**15, step=STEP) == [
        "· repay 1240.52 USDC (balance not known)",
        "· add 0.61 WETH (has 0.001)",
    ]
    assert card(REPAY, ADD, usdc=UNKNOWN, weth=0) == [
        "· repay 1240.52 USDC (balance not known)",
        "· add 0.61 WETH (has none)",
    ]


def test_it_names_the_coins_that_could_be_wrapped() -> None:
    assert card(REPAY, ADD, usdc=0, weth=10**17, eth=51 * 10**16) == [
        "· add 0.61 WETH (has 0.1, and 0.51 unwrapped)",
        "· repay 1240.52 USDC (has none)",
    ]
    assert card(REPAY, ADD, usdc=1300_000000, weth=0, eth=10**18)[0].startswith("· repay")  # needs no wrapping
    assert card(REPAY, ADD, usdc=0, weth=10**17, eth=51 * 10**16 - 1, step=STEP) == [
        "· repay 1240.52 USDC (has none)",
        "· add 0.61 WETH (has 0.1, and 0.5099 unwrapped)",
        "None of these is in the wallet in full; repaying its 312 USDC gives health 1.1999.",
    ]
    assert card(ADD, usdc=0, weth=UNKNOWN, eth=10**18) == ["· add 0.61 WETH (balance not known, and 1 unwrapped)"]


def test_it_offers_what_falls_short_only_where_nothing_reaches_the_target() -> None:
    assert card(SHORT, ADD, usdc=5_000000, weth=10**18) == ["· add 0.61 WETH (has 1)"]
    assert card(SHORT, usdc=6_000000, weth=0) == ["· repay 5 USDC (all of it, and still only 1.2000; has 6)"]
    assert card(usdc=5, weth=5) == []


@pytest.mark.parametrize(
    ("raw", "shown"),
    [(1_999_999_999, "1,999.9999"), (12_345_678_999_999, "12,345,678"), (1, "0.000001"), (999_999, "0.9999")],
)
def test_it_never_shows_more_than_there_is(raw: int, shown: str) -> None:
    assert figures.amount_down(raw, 6) == shown
