"""The JSON document: its shape, and that its numbers are the contract's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import CRITICAL, DEBTLESS, HEARTBEAT, NOBODY, SAFE, Run
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.boundary import flip
from watcher.check.prices import decimal

Write = Callable[..., Path]
DOCS = Path(__file__).parents[2] / "docs" / "json.md"
WAD = 10**18
NUMBERS = {
    "set_by_rule",
    *("format", "checked_at", "exit_code", "id", "number", "timestamp", "age", "max_age", "decimals", "updated_at"),
    *("heartbeat", "next_update", "readable", "current", "inclusive", "liquidatable"),
}
"""What is not a string: everything else may grow beyond 2**53, or is words."""


def document(run: Run, **options: int) -> dict[str, Any]:
    ran = run("check", "--json", **options)
    found: dict[str, Any] = json.loads(ran.out)
    assert found["exit_code"] == ran.code
    assert ran.out.isascii()
    return found


def every(value: object) -> Iterator[tuple[str, object]]:
    """Each key with its value, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from every(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from every(inner)


def test_it_is_what_the_contract_says(config: Write, run: Run, market: AaveV30World) -> None:
    config(users={"treasury": SAFE, "trading": CRITICAL, "vault": DEBTLESS, "nobody": NOBODY})
    found = document(run)
    head = market.chain.head()
    assert [one["wallet"]["label"] for one in found["positions"]] == ["trading", "treasury", "vault"]
    for one in found["positions"]:
        collateral, debt, _, _, _, factor = market.account_data(one["wallet"]["address"])
        assert (one["collateral"], one["debt"]) == (str(collateral), str(debt))
        assert one["block"] == {"number": head.number, "hash": head.hash, "timestamp": head.timestamp}
        assert one["check"] == "verified"
        if debt:
            assert (one["health"]["backing"], one["health"]["required"]) == (str(factor), str(WAD))
    vault = found["positions"][2]
    assert (vault["health"]["factor"], vault["state"], vault["level"]) == ("Infinity", "no_debt", "ok")
    assert found["without_position"] == [{"address": NOBODY, "label": "nobody"}]
    assert found["unreadable"] == []


def test_its_liquidation_price_is_the_one_at_which_the_contract_changes_its_mind(
    config: Write, run: Run, market: AaveV30World
) -> None:
    config(users={"trading": CRITICAL})
    low, high = flip(market, CRITICAL, "WETH", 3_000 * 10**8, 3_500 * 10**8)
    market.set_price("WETH", high)
    [position] = document(run)["positions"]
    assert position["level"] == "critical"
    nearest = position["liquidations"][0]
    assert (nearest["of"], nearest["now"], nearest["at"]) == ("WETH", str(high), str(low))
    assert nearest["distance"] == decimal(Fraction(low - high, high), 9)


def test_it_carries_legs_and_feeds(config: Write, run: Run, market: AaveV30World) -> None:
    market.pass_time(600)
    config(users={"treasury": SAFE})
    [position] = document(run)["positions"]
    weth, usdc = position["legs"]
    assert (weth["asset"]["symbol"], weth["asset"]["decimals"], weth["backing"]) == ("WETH", 18, "0.825")
    assert (usdc["asset"]["symbol"], usdc["required"]) == ("USDC", "1")
    assert int(weth["amount"]) >= 10 * WAD
    assert int(usdc["amount"]) <= -9_600 * 10**6
    feed = next(feed for feed in position["feeds"] if feed["address"] == market.tokens["WETH"].feed)
    assert weth["price"]["source"] == feed["address"]
    assert (feed["age"], feed["heartbeat"], feed["freshness"]) == (600, HEARTBEAT, "fresh")
    assert feed["pair"] == "WETH / USD"


def test_it_carries_what_second_sources_say_and_which_say_nothing(
    config: Write, run: Run, market: AaveV30World, folder: Path
) -> None:
    weth, dai = market.tokens["WETH"].feed, market.tokens["DAI"].feed
    config(users={"treasury": SAFE})
    second = f'[[second_sources]]\nchain = "local"\nof = "{weth}"\nfeed = '
    with (folder / "local.toml").open("a") as file:
        file.write(f'{second}"{dai}"\n{second}"{SAFE}"\n')
    [position] = document(run)["positions"]
    feed = next(feed for feed in position["feeds"] if feed["address"] == weth)
    [heard], [unheard] = feed["second_sources"], feed["unheard"]
    assert (heard["address"], heard["kind"], heard["value"]) == (dai, "chainlink", str(market.answer("DAI")))
    assert unheard["address"] == SAFE
    assert "answers nothing" in unheard["why"]
    assert [leg["price"]["unheard"] for leg in position["legs"]] == [[], []]


def test_no_number_in_it_is_too_large_for_a_double(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE, "trading": CRITICAL, "vault": DEBTLESS})
    found = document(run)
    numbers = [(key, value) for key, value in every(found) if isinstance(value, int | float)]
    assert {key for key, _ in numbers} == NUMBERS
    assert all(isinstance(value, int) and abs(value) < 2**53 for _, value in numbers)


def test_what_could_not_be_read_is_in_it(config: Write, run: Run, market: AaveV30World) -> None:
    config(users={"treasury": SAFE})
    market.set_round(market.tokens["WETH"].aggregator, 0, market.chain.next_timestamp())
    found = document(run)
    assert found["exit_code"] == 3
    [lost] = found["unreadable"]
    assert (lost["wallet"]["label"], lost["because"], lost["chain"]) == ("treasury", "unpriceable", "local")
    assert "no price for WETH" in lost["reason"]
    assert found["without_position"] == []


def test_a_chain_that_could_not_be_read_is_in_it(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE}, url="http://127.0.0.1:9")
    [chain] = document(run)["chains"]
    assert (chain["readable"], chain["block"], chain["endpoint"]) == (False, None, None)
    assert "connection refused" in chain["problem"]


def test_a_wallet_is_without_position_only_where_its_chain_was_read(config: Write, run: Run) -> None:
    nobody = [{"address": NOBODY, "label": "nobody"}]
    config(users={"nobody": NOBODY}, url="http://127.0.0.1:9")
    found = document(run)
    assert (found["without_position"], found["not_known"]) == ([], nobody)
    config(users={"nobody": NOBODY})
    found = document(run)
    assert (found["without_position"], found["not_known"]) == (nobody, [])


def test_numbers_of_an_old_block_are_not_called_current(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE})
    found = document(run, later=500)
    assert found["exit_code"] == 3
    assert (found["chains"][0]["readable"], found["chains"][0]["block"]["age"]) == (False, 500)
    assert [one["current"] for one in found["positions"]] == [False]
    assert document(run)["positions"][0]["current"] is True


def test_every_key_of_it_is_documented(config: Write, run: Run, market: AaveV30World) -> None:
    config(users={"treasury": SAFE, "vault": DEBTLESS, "nobody": NOBODY})
    market.set_round(market.tokens["wstETH"].aggregator, 0, market.chain.next_timestamp())
    found = document(run)
    assert found["positions"]
    assert found["unreadable"]
    documented = set(re.findall(r"\w+", DOCS.read_text()))
    assert {key for key, _ in every(found)} - documented == set()


@pytest.mark.parametrize(
    ("fraction", "places", "written"),
    [
        (Fraction(33, 40), 18, "0.825"),
        (Fraction(-1, 3), 4, "-0.3333"),
        (Fraction(0), 18, "0"),
        (Fraction(1), 18, "1"),
        (Fraction(100), 0, "100"),
    ],
)
def test_it_writes_fractions_as_decimals(fraction: Fraction, places: int, written: str) -> None:
    assert decimal(fraction, places) == written
