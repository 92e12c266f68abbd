"""What happens, in order. Every step waits for what it should lead to, and fails loudly when that does not come."""

from __future__ import annotations

import asyncio
import re
import statistics
from collections import deque
from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from tests.demo.files import CHAIN, CHAT
from tests.demo.screen import Screen
from tests.demo.stage import Stage
from watcher.alerts.message import Text
from watcher.daemon import Daemon

PATIENCE: Final = 20.0
"""Seconds within which everything that is waited for has to happen."""

_POLL: Final = 0.02

_RED, _YELLOW, _GREEN = "red", "yellow", "green"


class DemoFailed(Exception):  # noqa: N818 - it is what happened, and nobody but main catches it
    """Something that the demo shows did not happen; the message says what."""


class Story:
    """The demo once everything runs. `inbox` is where messages arrive, once they have been delivered."""

    def __init__(
        self, *, stage: Stage, screen: Screen, daemon: Daemon, running: asyncio.Task[int], inbox: deque[Text]
    ) -> None:
        self.messages = 0
        self._stage = stage
        self._screen = screen
        self._daemon = daemon
        self._running = running
        self._inbox = inbox

    async def tell(self) -> None:
        await self._caught_up()
        await self._warning()
        await self._critical_and_what_to_do()
        await self._stale_price()
        await self._endpoint_down()
        if self._inbox:
            raise DemoFailed(f"a message that nothing should have caused:\n{self._inbox[0]}")

    def summary(self, seconds: float) -> str:
        """What it took, counted at the gate."""
        new_blocks = [look for look in _looks(self._stage.gate.requests) if "eth_call" in look]
        usual = statistics.mode(len(look) for look in new_blocks)
        return (
            f"{self.messages} messages, {self._stage.head.number} blocks, and {usual} HTTP requests for a look at a"
            f" new one, three wallets in it; {seconds:.0f} seconds."
        )

    # The steps

    async def _warning(self) -> None:
        await self._ether_to(3_100)
        await self._message("WARNING · treasury", _YELLOW)
        self._screen.say("The looper owes ether against ether: the same fall leaves it where it was, and unmentioned.")
        await self._screen.read(1)

    async def _critical_and_what_to_do(self) -> None:
        await self._ether_to(2_500)
        critical = await self._message("CRITICAL, was WARNING · treasury", _RED)
        amount = _first_repayment(critical)
        self._screen.step(f"The treasury does what it was told: repay {amount} USDC")
        await self._stage.repay("USDC", amount)
        health = self._stage.health_by_contract().quantize(Decimal("1e-9"), ROUND_FLOOR)
        self._screen.say(f"The contract itself now says {health}, one block of interest short of the target.")
        self._screen.say("Good news waits for two confirmed blocks.")
        await self._message("OK, was CRITICAL · treasury", _GREEN, after_blocks=2)

    async def _stale_price(self) -> None:
        self._screen.step("Seventy minutes pass, and BTC/USD, due every hour, is not updated")
        await self._stage.pass_time(70 * 60, silent="WBTC")
        await self._message("STALE PRICE · BTC", _YELLOW)
        self._screen.step("BTC/USD is updated again")
        await self._stage.touch("WBTC")
        await self._message("PRICE ALIVE · BTC", _GREEN, after_blocks=1)

    async def _endpoint_down(self) -> None:
        self._screen.step("The only endpoint goes down, and a minute passes")
        await self._stage.gate.close()
        await self._stage.pass_time(60)
        await self._message("BLIND · Local chain", _RED)
        self._screen.step("The endpoint is back")
        await self._stage.gate.open()
        await self._stage.mine()
        await self._message("SEEING AGAIN · Local chain", _GREEN)

    # How they are made

    async def _ether_to(self, dollars: int) -> None:
        self._screen.step(f"ETH/USD {self._stage.ether:,} → {dollars:,}")
        await self._stage.move_ether(dollars)

    async def _message(self, headline: str, colour: str, *, after_blocks: int = 0) -> Text:
        """The next message, which has to begin like this, `after_blocks` more blocks that the watcher has seen."""
        for _ in range(after_blocks):
            await self._caught_up()
            await self._stage.mine()
        await self._until(lambda: bool(self._inbox), f"no message “{headline}”")
        text = self._inbox.popleft()
        self.messages += 1
        self._screen.message(text, CHAT, colour)
        if not str(text).startswith(headline):
            raise DemoFailed(f"this message should have begun with “{headline}”")
        await self._screen.read(str(text).count("\n") + 1)
        return text

    async def _caught_up(self) -> None:
        head = self._stage.head.number

        def seen() -> bool:
            watch = self._daemon.watches.get(CHAIN)
            return watch is not None and watch.last is not None and watch.last.block.number >= head

        await self._until(seen, f"the watcher did not read block {head}")

    async def _until(self, happened: Callable[[], bool], otherwise: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not happened():
                    if self._running.done():
                        raise DemoFailed("the watcher ended by itself")
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            raise DemoFailed(f"{otherwise} within {PATIENCE:.0f} s") from None


def _first_repayment(alert: Text) -> Decimal:
    found = re.search(r"repay ([0-9.]+) USDC", str(alert))
    if found is None:
        raise DemoFailed("the critical alert names no amount of USDC to repay")
    return Decimal(found[1])


def _looks(requests: list[dict[str, Any]]) -> list[list[str]]:
    """The methods asked for in each look, which begins with asking for the newest block."""
    looks: list[list[str]] = []
    for request in requests:
        if request["method"] == "eth_getBlockByNumber" and request["params"][0] == "latest":
            looks.append([])
        if looks:
            looks[-1].append(request["method"])
    return looks
