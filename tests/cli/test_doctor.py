"""`watcher doctor`: the whole of it on a real chain, as people and as machines read it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SAFE, WARNED, Run
from tests.cli.test_validate import bot_api
from tests.worlds.aave_v30 import AaveV30World

Write = Callable[..., Path]
DOCS = Path(__file__).parents[2] / "docs" / "json.md"
KEY = "kEy0inPath7f3a"


@pytest.fixture(autouse=True)
def hundred_columns(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def second(market: AaveV30World) -> str:
    """Another endpoint, of another operator, for configurations: the same node by its name."""
    return f'[endpoints]\nlocal = ["{market.url.replace("127.0.0.1", "localhost")}?apikey={KEY}"]\n'


def keys_of(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in keys_of(inner)}
    return {key for inner in value for key in keys_of(inner)} if isinstance(value, list) else set()


def line_of(out: str, part: str) -> str:
    return next(line for line in out.splitlines() if re.match(rf"\S {part}\b", line))


def test_it_shows_in_a_hundred_columns_how_all_stands(
    config: Write, run: Run, second: str, market: AaveV30World, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.pass_time(
        int(time.time()) - market.chain.head().timestamp - 5
    )  # our clock is compared with those of servers
    market.touch_feeds()
    with bot_api() as api:
        monkeypatch.setenv("BOT", "1:right")
        bot = f'[telegram]\ntoken = "${{env:BOT}}"\napi = "{api}"\n[chats.me]\nid = 5\n'
        config(users={"treasury": SAFE, "desk": WARNED}, extra=bot + second)
        ran = run("doctor", later=int(time.time()) - market.chain.head().timestamp)
    assert ran.err == ""
    assert max(map(len, ran.out.splitlines())) <= 100
    assert "by hash ✓ · override ✓" in ran.out
    assert "batch 500 · " in ran.out
    assert ran.out.count(" well ") == 2
    assert line_of(ran.out, "positions").split(maxsplit=2)[2].strip() == "2 positions of 2 wallets"
    assert "2 under these positions: 2 fresh" in line_of(ran.out, "feeds")
    assert "the bot is @watcher_bot" in line_of(ran.out, "Telegram")
    assert line_of(ran.out, "watcher").startswith("! watcher")
    assert ran.out.rstrip().endswith("Works, with warnings (!).")
    assert ran.code == 1
    assert KEY not in ran.out


def test_it_names_a_second_source_that_is_not_available(
    config: Write, run: Run, market: AaveV30World, folder: Path
) -> None:
    weth, dai = market.tokens["WETH"].feed, market.tokens["DAI"].feed
    config(users={"treasury": SAFE})
    second = f'[[second_sources]]\nchain = "local"\nof = "{weth}"\nfeed = '
    with (folder / "local.toml").open("a") as file:
        file.write(f'{second}"{dai}"\n')
    assert line_of(run("doctor").out, "second sources").split() == ["✓", "second", "sources", "1", "answer"]
    with (folder / "local.toml").open("a") as file:
        file.write(f'{second}"{SAFE}"\n')
    told = " ".join(run("doctor").out.split())
    assert f"1 answer, and 1 do not: {SAFE} on Local" in told


def test_it_ends_with_2_where_alerts_would_be_lost(config: Write, run: Run) -> None:
    config(url="http://127.0.0.1:9")
    ran = run("doctor")
    assert ran.code == 2
    told = " ".join(ran.out.split())
    assert "✗ Local no endpoint can be used: BLIND, and nothing is known of positions here; name another one" in told
    assert "connection refused: not used" in told


def test_it_tells_stale_feeds_by_name(config: Write, run: Run, market: AaveV30World, second: str) -> None:
    config(extra=second)
    market.pass_time(2 * 3600)
    told = " ".join(run("doctor").out.split())
    assert "! feeds 2 under these positions: 2 stale: " in told
    assert "WETH / USD on Local (2 h / 1 h)" in told


def test_its_document_is_the_one_that_is_described(config: Write, run: Run, second: str) -> None:
    config(extra=second)
    ran = run("doctor", "--json")
    found: dict[str, Any] = json.loads(ran.out)
    assert ran.out.isascii()
    assert found["exit_code"] == ran.code
    [chain] = found["chains"]
    assert [one["wire"] for one in chain["endpoints"]] == ["http", "http"]
    assert [(one["batch"], one["lag"]) for one in chain["endpoints"]] == [(500, 0), (500, 0)]
    _, _, described = DOCS.read_text().partition("## `watcher doctor --json`")
    described = described.partition("\n## ")[0]
    words = set(re.findall(r"[a-z_0-9]+", described))
    assert keys_of(found) - words == set()
    assert KEY not in ran.out


def test_it_needs_a_configuration(run: Run, folder: Path) -> None:
    ran = run("doctor")
    assert (ran.code, ran.out) == (3, "")
    assert "watcher.toml" in ran.err
