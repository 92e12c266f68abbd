"""Health under other prices is the protocol's own formula, and what moves is what was named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bot.seen import ask, cases, held, view
from watcher.alerts import figures
from watcher.bot.view import Misunderstood, View
from watcher.bot.whatif import read_shocks
from watcher.domain.price import FeedReading, Leaf, Price, Product, Rate
from watcher.domain.source import Address


def test_it_says_what_would_become_of_whom() -> None:
    assert ask("/whatif WETH -20% WBTC -10%", view(lost=["fund"])) == (
        "If WETH −20 %, WBTC −10 %\nWETH / USD: $2,000.00 → $1,600.00\nWBTC / USD: $40,000.00 → $36,000.00\n\n"
        "1 of 4 positions would be liquidatable.\n\n"
        "LIQUIDATABLE · main · Aave v3\nhealth 1.0416 → 0.8333\n\n"
        "staker · Aave v3\nhealth 1.4327 → 1.7909\n\n"
        "cold storage · Aave v3\nhealth 2.0482 → 1.8433\n\n"
        "cold wallet · Aave v3\nhealth 3.0964 → 2.9705\n\n"
        "2 others without debt, or not moved by it\n\n"
        "UNKNOWN · fund · Aave v3\n\n"
        "Ethereum: block 205, 12 s old"
    )


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["main", "desk", "staker", "cold wallet"]), st.integers(-999, 3000), st.integers(-999, 3000))
def test_it_computes_with_the_protocols_own_formula(label: str, weth: int, wsteth: int) -> None:
    case = cases()[label]
    line = f"/whatif WETH {weth / 10:+.1f}% wstETH {wsteth / 10:+.1f}%"
    moves = {"WETH": Fraction(weth, 1000), "wstETH": Fraction(wsteth, 1000)}
    prices = {
        leg.priced_as: leg.price.at(max(int(leg.price.low * (1 + moves[leg.asset.symbol])), 1))
        for leg in case.position.legs
        if leg.asset.symbol in moves
    }
    then = case.reprice(prices).health.factor
    told = ask(line, view(label, "main", "staker")).split(f"{label} · Aave v3\nhealth ")[1].splitlines()[0]
    assert told == f"{figures.health(case.position.health.factor)} → {figures.health(then)}"


def test_it_moves_every_asset_that_is_read_from_one_feed() -> None:
    shared = _sharing_one_feed()
    by_symbol, by_pair = ask("/whatif WETH -20%", shared), ask("/whatif weth/usd −20", shared)
    assert "staker · Aave v3\nhealth 1.2459 → 1.2459" in by_symbol  # long and short of the same feed
    assert by_symbol.splitlines()[2:] == by_pair.splitlines()[2:]
    assert ask("/whatif wstETH -20%", shared).splitlines()[2:] == by_symbol.splitlines()[2:]


@pytest.mark.parametrize("name", ["WETH", "weth", "WETH/USD", "weth / usd", "{address}"])
def test_it_knows_an_asset_by_symbol_address_or_pair(name: str) -> None:
    address = cases()["main"].position.legs[0].asset.address.lower()
    told = ask(f"/whatif {name.format(address=address)} -4.5%", view("main"))
    assert "WETH / USD: $2,000.00 → $1,910.00" in told
    assert "LIQUIDATABLE · main · Aave v3\nhealth 1.0416 → 0.9947" in told


def test_it_counts_those_that_are_lost_already() -> None:
    assert "1 of 1 position would be liquidatable." in ask("/whatif WETH -5", view("main"))
    assert "None would be liquidatable." in ask("/whatif WETH +5", view("main"))
    assert "No debt depends on it." in ask("/whatif WETH -5", view("saver"))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("ETH -20%", [("ETH", "-1/5")]),
        ("ETH −20 %", [("ETH", "-1/5")]),
        ("ETH – 20%", [("ETH", "-1/5")]),
        ("ETH -7,5", [("ETH", "-3/40")]),
        ("ETH +0.5% BTC / USD -1%", [("ETH", "1/200"), ("BTC / USD", "-1/100")]),
        ("a-b -1 1INCH +2", [("a-b", "-1/100"), ("1INCH", "1/50")]),
    ],
)
def test_it_reads_moves_as_people_write_them(text: str, read: list[tuple[str, str]]) -> None:
    assert [(shock.name, shock.move) for shock in read_shocks(text)] == [(name, Fraction(move)) for name, move in read]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/whatif", "Name what moves, and by how much."),
        ("/whatif WETH", "“WETH” is not a name and a move."),
        ("/whatif WETH down", "“WETH down” is not a name and a move."),
        ("/whatif WETH 20%", "Which way does WETH move? Write −20% or +20%."),
        ("/whatif WETH -100%", "WETH can fall by less than 100 %."),
        ("/whatif WETH +100001%", "WETH can rise by 100,000 % at most."),
        ("/whatif DOGE -5%", "No position here has DOGE. There are: WETH, USDC."),
        ("/whatif WETH -5% WETH/USD -6%", "WETH and WETH∕USD both move WETH / USD. Name one of them."),
        ("/whatif" + " WETH -5%" * 11, "That is 11 moves, and 10 is the most."),
    ],
)
def test_it_says_what_is_wrong_with_a_question(line: str, said: str) -> None:
    assert ask(line, view("main")) == f"{said}\nWrite /whatif ETH -20% WBTC -10%"


@given(st.text(max_size=80))
def test_it_reads_or_refuses_any_text(text: str) -> None:
    try:
        shocks = read_shocks(text)
    except Misunderstood:
        return
    assert all(-1 < shock.move <= 1000 for shock in shocks)


def test_it_moves_what_is_made_of_a_feed_with_it_and_alone_by_its_own_name() -> None:
    made = _made_of_one_feed()
    told = ask("/whatif WETH -20%", made)
    assert told.splitlines()[1] == "WETH / USD: $2,000.00 → $1,600.00"
    assert "→ $1,920" not in told, "wrapped ether is not named apart"
    assert ask("/whatif weth/usd -20%", made).splitlines()[2:] == told.splitlines()[2:]
    alone = ask("/whatif wstETH -20%", made)
    assert alone.splitlines()[1] == "wstETH: $2,400.00 → $1,920.00"
    both, one = (_healths(made, moves) for moves in ({"WETH": 1600, "wstETH": 1920}, {"wstETH": 1920}))
    assert f"→ {both}" in told
    assert f"→ {one}" in alone


def _healths(of: View, prices: dict[str, int]) -> str:
    [found] = of.found
    legs = {leg.asset.symbol: leg for leg in found.position.legs}
    moved = {legs[name].priced_as: legs[name].price.at(dollars * 10**8) for name, dollars in prices.items()}
    return figures.health(found.held.reprice(moved).health.factor)


def _made_of_one_feed() -> View:
    """As if wstETH were 1.2 times what the feed of WETH answers."""

    def made(reading: FeedReading) -> Price:
        rate = Rate(source=Address("0x" + "12" * 20), what="wstETH in WETH", value=12, decimals=1)
        return Price.of(Product(above=(Leaf(reading), rate), over=10))

    return _reading_wrapped_ether(made)


def _sharing_one_feed() -> View:
    """As if the market read wstETH from the feed of WETH."""
    return _reading_wrapped_ether(lambda reading: Price.of(Leaf(reading)))


def _reading_wrapped_ether(by: Callable[[FeedReading], Price]) -> View:
    case = cases()["staker"]
    [weth] = [leg for leg in case.position.legs if leg.asset.symbol == "WETH"]
    [reading] = weth.price.feeds
    prices = {leg.priced_as: by(reading) for leg in case.position.legs if leg.asset.symbol == "wstETH"}
    market = case.reader.repriced(case.market, prices)
    moved = held(replace(case, market=market))
    seen = view("staker")
    [sight] = seen.sights
    assert sight.snapshot is not None
    return replace(seen, sights=(replace(sight, snapshot=replace(sight.snapshot, held=(moved,))),))
