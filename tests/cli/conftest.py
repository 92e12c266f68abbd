"""A real market on a local chain, and the configuration of somebody who watches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.cache import open_world
from tests.worlds.chain import named
from watcher.cli import main
from watcher.domain.source import Address

HEARTBEAT = 3600
MAX_AGE = 120
DOLLAR, ETHER = 10**6, 10**18

SAFE, WARNED, CRITICAL, IDLE, DEBTLESS, NOBODY = (
    Address(named(who)) for who in ("safe", "warned", "critical", "idle collateral", "debtless", "nobody")
)


@dataclass(frozen=True)
class Ran:
    """What one command line came to."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(scope="package")
def open_market() -> Iterator[AaveV30World]:
    """WETH at 3,512.41 dollars: health of 3, 1.25 and 1.05, one wallet with no debt, and nobody with nothing."""
    with open_world(AaveV30World) as world:
        for user, debt in ((SAFE, 9_600), (WARNED, 23_000), (CRITICAL, 27_500)):
            world.supply(user, "WETH", 10 * ETHER)
            world.borrow(user, "USDC", debt * DOLLAR)
        world.supply(DEBTLESS, "wstETH", 2 * ETHER)
        world.touch_feeds()
        yield world


@pytest.fixture
def market(open_market: AaveV30World) -> Iterator[AaveV30World]:
    """The market, for one test to do with as it likes."""
    with open_market.chain.undone():
        yield open_market


@pytest.fixture
def run(market: AaveV30World, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process, twelve seconds after the head of the chain."""

    def run_it(*argv: object, later: int = 12) -> Ran:
        now = market.chain.head().timestamp + later
        code = main([str(each) for each in argv], now=lambda: now)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run_it


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is started: a folder without a watcher.toml."""
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "WATCHER_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def world_toml(
    market: AaveV30World,
    *,
    url: str = "",
    chain_id: int = 31337,
    max_age: int = MAX_AGE,
    heartbeat: int = HEARTBEAT,
    without_feed: str = "",
    pool: str = "",
    oracle: str = "",
    sequencer_feed: str = "",
) -> str:
    """A protocols file for the local chain."""
    feeds = "".join(
        f'[[feeds]]\nchain = "local"\naddress = "{token.feed}"\npair = "{symbol} / USD"\nheartbeat = {heartbeat}\n'
        for symbol, token in market.tokens.items()
        if symbol != without_feed
    )
    return f"""
[chains.local]
id = {chain_id}
title = "Local"
multicall3 = "{market.multicall3}"
block_time = 12
max_age = {max_age}
confirmations = 1
endpoints = ["{url or market.url}"]
{f'sequencer_feed = "{sequencer_feed}"' if sequencer_feed else ""}

[[deployments]]
id = "aave_v3_local"
protocol = "aave_v3"
chain = "local"
title = "Aave v3 Local"
pool = "{pool or market.pool}"
provider = "{market.provider}"
oracle = "{oracle or market.oracle}"
{feeds}"""


def wallets_toml(**wallets: str) -> str:
    lines = "".join(
        f'[[wallets]]\nlabel = "{label}"\naddress = "{address}"\nchains = ["local"]\n'
        for label, address in wallets.items()
    )
    return f'protocols_file = "local.toml"\n{lines}'


@pytest.fixture
def config(folder: Path, market: AaveV30World) -> Callable[..., Path]:
    """Writes local.toml and watcher.toml (by keyword, what is different about them) and says where the latter is."""

    def write(*, extra: str = "", users: dict[str, str] | None = None, **world: Any) -> Path:
        (folder / "local.toml").write_text(world_toml(market, **world))
        path = folder / "watcher.toml"
        path.write_text(wallets_toml(**(users if users is not None else {"treasury": SAFE})) + extra)
        return path

    return write
