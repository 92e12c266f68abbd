"""`watcher feeds`: what prices rest on, how old that is, and whose health hangs on it, on a real market."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.cli.conftest import CRITICAL, DEBTLESS, HEARTBEAT, SAFE, WARNED, Run
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.chain import named
from tests.worlds.deployment import ADMIN
from tests.worlds.own import own
from watcher.check import FeedReport, as_feeds_table, feeds_under, look
from watcher.config import load
from watcher.domain.source import Address

Write = Callable[..., Path]
DOCS = Path(__file__).parents[2] / "docs" / "json.md"
WAD = 10**18
RATE = 1_193_234_567_890_123_456
STAKER, LOOPER = (Address(named(who)) for who in ("staker of ether", "looper of ether"))
EVERYONE = {"treasury": SAFE, "a desk with quite a long name": WARNED, "trading": CRITICAL, "vault": DEBTLESS}


@pytest.fixture
def adapted(market: AaveV30World) -> AaveV30World:
    """wstETH by a capped ratio over ether, USDC by a stable's cap, and DAI by a contract that hides what it asks."""
    chain, tokens = market.chain, market.tokens
    rate = chain.deploy(ADMIN, own("AaveRate").creation(RATE))
    wsteth = chain.deploy(ADMIN, own("AaveRatioCap").creation(tokens["WETH"].feed, rate, 18, False))
    usdc = chain.deploy(ADMIN, own("AaveStableCap").creation(tokens["USDC"].feed, 1_04000000))
    dai = chain.deploy(ADMIN, own("Whatever").creation())
    chain.send(ADMIN, dai, "answer(bytes)", (1_00000000).to_bytes(32, "big"))
    cap = (RATE, chain.head().timestamp - 7 * 86_400, 968)
    chain.send(ADMIN, wsteth, "set(uint104,uint48,uint16)", *cap)
    assets = [tokens[symbol].address for symbol in ("wstETH", "USDC", "DAI")]
    chain.send(ADMIN, market.oracle, "setAssetSources(address[],address[])", assets, [wsteth, usdc, dai])
    market.supply(STAKER, "wstETH", 10 * WAD)
    market.supply(STAKER, "DAI", 500 * WAD)
    market.borrow(STAKER, "USDC", 9_000 * 10**6)
    market.supply(LOOPER, "wstETH", 10 * WAD)
    market.borrow(LOOPER, "WETH", 8 * WAD)
    market.touch_feeds()
    return market


def seen(config: Path, market: AaveV30World) -> FeedReport:
    now = market.chain.head().timestamp + 5
    return feeds_under(asyncio.run(look(load(config), now=lambda: now)))


def shown(found: FeedReport, width: int = 120, *, trees: bool = False) -> str:
    console = Console(width=width, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        for part in as_feeds_table(found, width, trees=trees):
            console.print(part)
    return captured.get()


def document(run: Run) -> dict[str, Any]:
    ran = run("feeds", "--json")
    found: dict[str, Any] = json.loads(ran.out)
    assert (found["exit_code"], ran.out.isascii()) == (ran.code, True)
    return found


@pytest.mark.parametrize("width", [60, 80, 111, 112, 120, 160])
@pytest.mark.parametrize("trees", [False, True])
def test_it_fits_its_terminal_and_leaves_nothing_out(
    config: Write, adapted: AaveV30World, width: int, trees: bool
) -> None:
    adapted.pass_time(600)
    out = shown(seen(config(users={**EVERYONE, "staker": STAKER, "looper": LOOPER}), adapted), width, trees=trees)
    assert max(cell_len(line) for line in out.splitlines()) <= width
    words = " ".join(out.split())
    facts = ["WETH / USD", "10 min", "1 h", "published", "in 50 min", "unknown source", "no debt"]
    facts += ["treasury −0.0302"] if width >= 80 else []
    facts += ["cap not active", "$4,191.", "at most", "fixed"] if trees and width >= 80 else []
    for fact in facts:
        assert fact in words, fact


def test_it_exits_by_the_worst(config: Write, run: Run, market: AaveV30World) -> None:
    config(users={"treasury": SAFE})
    assert run("feeds").code == 0
    market.pass_time(2 * HEARTBEAT)
    market.touch_feeds("USDC")
    ran = run("feeds")
    assert ran.code == 1
    assert "STALE" in ran.out
    assert ran.out.index("WETH / USD") < ran.out.index("USDC / USD"), "the stale one comes first"
    assert "due" in ran.out
    config(users={"treasury": SAFE}, url="http://127.0.0.1:9")
    ran = run("feeds")
    assert ran.code == 3
    assert "connection refused" in ran.out


def test_it_needs_no_configuration_of_wallets(config: Write, run: Run) -> None:
    config(users={})
    assert "WETH / USD" in run("feeds", SAFE, "--chain", "local").out


def test_it_says_that_a_heartbeat_was_learned(config: Write, run: Run, market: AaveV30World) -> None:
    config(users={"treasury": SAFE}, without_feed="WETH")
    for _ in range(12):
        market.pass_time(600)
        market.touch_feeds()
    weth = market.tokens["WETH"].feed
    [feed] = [one["feed"] for one in document(run)["sources"] if one["address"] == weth]
    assert (feed["heartbeat_from"], feed["heartbeat"]) == ("learned", 612), "each round is a block of its own"
    assert "learned" in run("feeds").out
    assert " learned" in run("check").out


def test_a_stale_feed_below_an_adapter_is_stale(config: Write, run: Run, adapted: AaveV30World) -> None:
    config(users={"staker": STAKER})
    adapted.pass_time(2 * HEARTBEAT)
    adapted.touch_feeds("USDC")
    ran = run("feeds", "--tree")
    assert ran.code == 1
    assert "stale: 2 h / 1 h" in ran.out


def test_it_tells_when_a_cap_is_active(config: Write, run: Run, adapted: AaveV30World) -> None:
    config(users={"staker": STAKER})
    assert "CAP ACTIVE" not in run("feeds", "--tree").out
    adapted.set_price("USDC", 1_10000000)
    assert "CAP ACTIVE" in run("feeds", "--tree").out
    caps = [one for one in every(document(run)) if one.get("node") == "cap"]
    assert {one["active"] for one in caps} == {True, False}


def test_its_sensitivities_are_the_contracts(config: Write, run: Run, adapted: AaveV30World) -> None:
    config(users={"staker": STAKER, "looper": LOOPER})
    hangs = {
        (one["feed"]["pair"], each["id"].split("/")[1]): each["per_percent"]
        for one in document(run)["sources"]
        if one["feed"]
        for each in one["dependents"]
    }
    before = {who: adapted.account_data(who)[5] for who in (STAKER, LOOPER)}
    for symbol in ("WETH", "USDC"):
        with adapted.chain.undone():
            adapted.set_price(symbol, adapted.answer(symbol) * 99 // 100)
            for who in before:
                if (f"{symbol} / USD", who) in hangs:
                    moved = (adapted.account_data(who)[5] - before[who]) / WAD
                    assert abs(float(hangs[f"{symbol} / USD", who]) - moved) < 1e-6  # interest of two blocks apart
    assert {pair for pair, _ in hangs} == {"WETH / USD", "USDC / USD"}


def every(value: object) -> Iterator[dict[str, Any]]:
    """Each table in it, however deep."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from every(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from every(inner)


def test_every_key_of_it_is_documented(config: Write, run: Run, adapted: AaveV30World) -> None:
    config(users={"staker": STAKER, "vault": DEBTLESS, "treasury": SAFE})
    documented = set(re.findall(r"\w+", DOCS.read_text()))
    assert {key for one in every(document(run)) for key in one} - documented == set()
    checked = json.loads(run("check", "--json").out)
    assert {key for one in every(checked) for key in one} - documented == set()
    kinds = {leg["price"]["kind"] for one in checked["positions"] for leg in one["legs"]}
    assert kinds == {"feed", "composed", "opaque"}


def test_a_check_points_to_it_where_ages_are_not_known(config: Write, run: Run, adapted: AaveV30World) -> None:
    hint = "watcher feeds --tree"
    config(users={"treasury": SAFE})
    assert hint not in run("check").out
    config(users={"staker": STAKER})
    assert hint in run("check").out


def test_it_names_what_moves_a_looper(config: Write, run: Run, adapted: AaveV30World) -> None:
    config(users={"looper": LOOPER})
    [position] = json.loads(run("check", "--json").out)["positions"]
    assert not [one for one in position["liquidations"] if one["of"] == "WETH / USD"], "it moves both sides alike"
    [rate] = [one for one in position["liquidations"] if one["now"] == str(RATE)]
    assert rate["unit"]["decimals"] == 18
