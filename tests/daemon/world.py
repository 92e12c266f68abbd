"""A real market on a local chain with a few accounts in it, and the configuration that watches them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.cache import open_world
from tests.worlds.chain import named
from tests.worlds.listings import LISTINGS

TOKEN = "1:stand-in"
WAD = 10**18
_HEARTBEAT = 86_400
_SUPPLIED = {"WETH": 10 * 10**18, "USDC": 35_000 * 10**6}
_LISTED = {listing.symbol: listing for listing in LISTINGS}


@dataclass(slots=True)
class Market:
    """A world and who is watched in it: addresses by label."""

    world: AaveV30World
    accounts: dict[str, str] = field(default_factory=dict)

    def borrower(self, label: str, health: str, *, collateral: str = "WETH", debt: str = "USDC") -> str:
        """An account worth some 35,000 dollars with a debt, at about this health (the market lends down to 1.04)."""
        address = named(label)
        self.world.supply(address, collateral, _SUPPLIED[collateral])
        value = Decimal(self.world.account_data(address)[0]) * _LISTED[collateral].threshold / 10_000
        owed = value / Decimal(health) / self.world.answer(debt)
        self.world.borrow(address, debt, int(owed * 10 ** _LISTED[debt].decimals))
        self.accounts[label] = address
        return address

    def move(self, symbol: str, per_cent: int) -> None:
        """A new price, in per cent of the present one."""
        self.world.set_price(symbol, self.world.answer(symbol) * per_cent // 100)

    @property
    def now(self) -> int:
        """The time of the newest block."""
        return self.world.chain.head().timestamp

    def health(self, label: str) -> Decimal:
        """What the contract itself says."""
        return Decimal(self.world.account_data(self.accounts[label])[5]) / WAD


@contextmanager
def market(*, at: int | None = None) -> Iterator[Market]:
    """A market of its own for a test; its newest block is from `at`, by default ten minutes ago."""
    with open_world(AaveV30World) as world:
        at = int(time.time()) - 600 if at is None else at
        world.pass_time(at - world.chain.head().timestamp - 100)
        world.touch_feeds()
        yield Market(world)


def configure(
    folder: Path,
    market: Market,
    *,
    labels: Iterable[str] | None = None,
    endpoints: Iterable[str] | None = None,
    api: str | None = None,
    chats: Mapping[str, int] | None = None,
    told: Mapping[str, str] | None = None,
    interval: str = "1s",
    max_age: int = 86_400,
    confirmations: int = 0,
    rules: str = "",
    prices: str = "jump = 10",
    chain: str = "",
) -> Path:
    """Writes `watcher.toml` and what belongs to it; returns its path. Everything it names is on loopback.

    Each wallet is told to all `chats`, or to the one that `told` names for its label. `chain`: more lines of the
    chain's table. `prices`: what they may do; here they leap, and most tests are not about that. Looks are rarely
    nearer than ten seconds, so that each finds out where wallets hold anything.
    """
    (folder / "local.toml").write_text(_local(market, endpoints or [market.world.url], max_age, confirmations, chain))
    parts = [
        f'interval = "{interval}"\nmin_interval = "{interval}"\nprotocols_file = "local.toml"\nstate = "watcher.db"\n',
        f"[prices]\n{prices}\n",
        '[discovery]\nevery = "10s"\n',
        f"[rules]\n{rules}\n",
    ]
    if api is not None:
        parts.append(f'[telegram]\ntoken = "${{file:token}}"\napi = "{api.removesuffix("/bot")}"\n')
        parts += [f"[chats.{name}]\nid = {number}\n" for name, number in (chats or {"desk": 5}).items()]
    for label in market.accounts if labels is None else labels:
        parts.append(
            f'[[wallets]]\naddress = "{market.accounts[label]}"\nlabel = "{label}"\nchains = ["local"]\n'
            + (f"chats = {[told[label]] if told else list(chats or ['desk'])}\n" if api is not None else "")
        )
    token = folder / "token"
    if not token.exists():
        set_token(folder, TOKEN)
    path = folder / "watcher.toml"
    path.write_text("\n".join(parts))
    return path


def set_token(folder: Path, token: str) -> None:
    (folder / "token").touch(mode=0o600)
    (folder / "token").write_text(token)


def _local(market: Market, endpoints: Iterable[str], max_age: int, confirmations: int, chain: str) -> str:
    world = market.world
    listed = ", ".join(f'"{url}"' for url in endpoints)
    feeds = "".join(
        f'[[feeds]]\nchain = "local"\naddress = "{token.feed}"\npair = "{symbol} / USD"\n'
        f"heartbeat = {_HEARTBEAT}\ndeviation = 0.5\n"
        for symbol, token in world.tokens.items()
    )
    return f"""
[chains.local]
id = 31337
title = "Local"
multicall3 = "{world.multicall3}"
wrapped = "{world.tokens["WETH"].address}"
block_time = 12
max_age = {max_age}
confirmations = {confirmations}
endpoints = [{listed}]
{chain}

[[deployments]]
id = "aave_local"
protocol = "aave_v3"
chain = "local"
title = "Aave v3 Local"
pool = "{world.pool}"
provider = "{world.provider}"
oracle = "{world.oracle}"

{feeds}"""
