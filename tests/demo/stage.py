"""The scene: three users of a real market, the prices that happen to them, and the time that passes there."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tests.demo.gate import Gate
from tests.worlds.aave_v30 import AaveV30World
from tests.worlds.chain import Address, Tx, named
from tests.worlds.listings import ETH_CORRELATED, PRICE_DECIMALS

TREASURY: Final = named("demo treasury")
LOOPER: Final = named("demo looper")
SAVER: Final = named("demo saver")

OPENING_PRICE: Final = 3_500
"""Dollars for one ether, at which the positions are opened."""

_DOLLAR: Final = 10**PRICE_DECIMALS
_STETH_PER_WSTETH: Final = Decimal("1.2")
_LATENCY: Final = 2
"""Seconds by which the wall clock of the demo is ahead of the newest block."""


class Stage:
    """The world as the demo moves it. `now` is its wall clock: that of the chain, which moves only when told to."""

    def __init__(self, world: AaveV30World, gate: Gate) -> None:
        self.world = world
        self.gate = gate
        self.ether = OPENING_PRICE
        self.head = world.chain.head()

    def now(self) -> float:
        """Unix seconds. Asks nobody: it goes on when the node cannot be reached."""
        return self.head.timestamp + _LATENCY

    async def move_ether(self, dollars: int) -> None:
        """A new price of ether, staked or not: in one block."""
        async with self.gate.held():
            self.world.set_prices(ether_prices(dollars))
            self._arrive()
        self.ether = dollars

    async def mine(self) -> None:
        """A block in which nothing happens."""
        async with self.gate.held():
            self.world.chain.mine()
            self._arrive()

    async def pass_time(self, seconds: int, *, silent: str | None = None) -> None:
        """Let time pass; every feed but the `silent` one confirms its price at the end of it."""
        async with self.gate.held():
            self.world.pass_time(seconds)
            self.world.touch_feeds(*(symbol for symbol in self.world.tokens if symbol != silent))
            self._arrive()

    async def touch(self, symbol: str) -> None:
        """A new round of one feed, at the same price."""
        async with self.gate.held():
            self.world.touch_feeds(symbol)
            self._arrive()

    async def repay(self, symbol: str, amount: Decimal) -> None:
        """The treasury pays back so many tokens."""
        async with self.gate.held():
            self.world.repay(TREASURY, symbol, int(amount.scaleb(self.world.tokens[symbol].decimals)))
            self._arrive()

    def health_by_contract(self) -> Decimal:
        """What the pool itself says of the treasury."""
        return Decimal(self.world.account_data(TREASURY)[5]).scaleb(-18)

    def _arrive(self) -> None:
        self.head = self.world.chain.head()


def open_positions(world: AaveV30World) -> None:
    """Two collaterals against dollars, a loop in e-mode, and savings without a debt: by real transactions."""
    world.set_prices({**ether_prices(OPENING_PRICE), "WBTC": 96_500 * _DOLLAR, "USDC": _DOLLAR, "DAI": _DOLLAR})
    supplies: list[Tx] = [
        *world.supplying(TREASURY, "WETH", 60 * 10**18),
        *world.supplying(TREASURY, "WBTC", 5 * 10**7),
        world.entering_emode(LOOPER, ETH_CORRELATED.number),
        *world.supplying(LOOPER, "wstETH", 100 * 10**18),
        *world.supplying(SAVER, "DAI", 40_000 * 10**18),
    ]
    borrows = [
        world.borrowing(TREASURY, "USDC", 150_000 * 10**6),
        world.borrowing(LOOPER, "WETH", 95 * 10**18),
    ]
    world.chain.send_all(supplies)
    world.chain.send_all(borrows)
    world.touch_feeds()


def ether_prices(dollars: int) -> dict[str, int]:
    """Answers of the two feeds that follow ether."""
    return {"WETH": dollars * _DOLLAR, "wstETH": int(dollars * _STETH_PER_WSTETH * _DOLLAR)}


LABELS: Final[dict[str, Address]] = {"treasury": TREASURY, "looper": LOOPER, "saver": SAVER}
