"""Incidents on a stage: a real sender and its living messages, a strict Bot API, and a clock that only a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.alerts.samples import BLOCK, COLD, DEPLOYMENT, MAIN, position, view
from tests.bot_api import BotApi
from tests.bot_api_rules import Accepted
from tests.notify.support import telegram
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.assess import assess
from watcher.alerts.message import Message
from watcher.alerts.policy import decide
from watcher.alerts.record import Key, Record, Rule
from watcher.alerts.rules import RuleBook, Rules
from watcher.alerts.sighting import View
from watcher.alerts.words import Telling, compose
from watcher.buttons import Seal
from watcher.config import Chat, Role, Settings, Wallet
from watcher.config.world import Deployment
from watcher.domain.source import Address
from watcher.notify.envelopes import Envelopes
from watcher.notify.living import Living, Look
from watcher.notify.sender import Sender
from watcher.notify.telegram import TelegramBot
from watcher.panel import Panel
from watcher.store import Store, StoreThread

START = 1_700_000_000
THIRD = Address("0x" + "03" * 20)
LABELS = {MAIN: "main", COLD: "cold", THIRD: "third"}
RULES = Rules(good_reads=1, stale=False)
NO_READER: Any = None
"""Nothing is read here."""


def key(wallet: Address = MAIN) -> Key:
    return Key(Rule.HEALTH, f"{DEPLOYMENT}/{wallet}")


class HandClock:
    """Moves when a test says so, and for whoever beside the worker waits for a turn."""

    def __init__(self) -> None:
        self._now = float(START)

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds

    async def sleep_until(self, moment: float) -> None:
        await asyncio.sleep(0.001)
        self._now = max(self._now, moment)

    async def wait(self, event: asyncio.Event, until: float) -> None:
        await event.wait()


@dataclass
class Scene:
    """Wallets in one market, told to `chats`; `raise_` and `look` are what a watch would do."""

    api: BotApi
    bot: TelegramBot
    path: Path
    clock: HandClock
    settings: Settings
    records: dict[Key, Record] = field(default_factory=dict)
    acks: dict[Key, Acknowledgement] = field(default_factory=dict)

    async def start(self) -> None:
        chats = self.settings.chats
        self.thread = StoreThread(Store.open(self.path))
        self.panel = Panel(Seal(b"key"), chats.get)
        self.sender = Sender(
            self.thread,
            {name: self.bot.chat(str(chat.id)) for name, chat in chats.items()},
            clock=self.clock,
            envelope=Envelopes(self.thread, lambda: self.panel).of,
        )
        self.living = Living(
            self.thread,
            self.sender,
            settings=lambda: self.settings,
            records=lambda: self.records,
            acks=lambda: self.acks,
            panel=lambda: self.panel,
            clock=self.clock,
        )
        self._running = asyncio.create_task(self.sender.run())

    async def stop(self) -> None:
        await self.sender.stop(1.0)
        await self._running
        await self.thread.close()

    async def told(self, *healths: tuple[Address, str], after: float = 12) -> None:
        """Time passes, a look sees these, and what the policy says of it is delivered to every chat."""
        self.clock.advance(after)
        now, messages = int(self.clock.now()), []
        sightings = assess(self._view(healths), self._book(), self.records)
        decision = decide(self.records, sightings, sightings, now, self.acks)
        if decision.notices:
            messages = [compose(chat, decision.notices, self._telling()) for chat in self.settings.chats]
        await self.thread.do(Store.commit, decision.records, messages)
        self.records |= {record.key: record for record in decision.records}
        await self.delivered()

    async def put(self, message: Message) -> None:
        await self.thread.do(Store.commit, [], [message])
        self.sender.wake()

    async def delivered(self) -> None:
        """Until the outbox is empty; time passes as its limits want it to."""
        async with asyncio.timeout(10):
            while (await self.thread.do(Store.backlog)).pending:
                self.sender.wake()
                await asyncio.sleep(0.002)
                if not self.sender.in_flight:
                    self.clock.advance(0.25)

    async def look(self, *healths: tuple[Address, str], after: float = 12, unseen: bool = False) -> None:
        """Time passes, a look sees these, and the living messages follow; `unseen`: it sees nothing."""
        self.clock.advance(after)
        sightings = [] if unseen else assess(self._view(healths), self._book(), ())
        telling = self._telling()
        look = Look(
            chain="ethereum",
            now=int(self.clock.now()),
            sightings={sighting.key: sighting for sighting in sightings},
            covers=lambda _: True,
            telling=lambda _: telling,
            told_to=lambda _, notice: notice,
        )
        self.living.seen(look)
        await self.living.renew()

    def shown(self, message_id: int = 1, chat: int = 5) -> Accepted:
        found = self.api.shown(chat, message_id)
        assert found is not None
        return found

    def labels(self, message_id: int = 1, chat: int = 5) -> list[list[str]]:
        markup = self.shown(message_id, chat).markup or {"inline_keyboard": []}
        return [[button["text"] for button in row] for row in markup["inline_keyboard"]]

    def _view(self, healths: Iterable[tuple[Address, str]]) -> View:
        now = int(self.clock.now())
        block = replace(BLOCK, number=BLOCK.number + (now - START) // 12, timestamp=now - 3)
        return view(*(position(health, wallet=wallet, block=block) for wallet, health in healths), block=block)

    def _book(self) -> RuleBook:
        return RuleBook(dict.fromkeys(LABELS, RULES))

    def _telling(self) -> Telling:
        return Telling(
            labels=LABELS,
            chains={"ethereum": "Ethereum"},
            explorers={},
            advice={},
            markets={DEPLOYMENT: "Aave v3 Ethereum"},
            now=int(self.clock.now()),
        )


@asynccontextmanager
async def scene(
    path: Path, chats: Mapping[str, int] | None = None, users: Collection[int] = ()
) -> AsyncIterator[Scene]:
    """One private chat, `me`, unless others are named."""
    numbers = chats or {"me": 5}
    clock = HandClock()
    settings = Settings(
        interval=12,
        state=path,
        chains={},
        deployments=(
            Deployment(id=DEPLOYMENT, protocol="aave_v3", chain="ethereum", title="Aave v3", reader=NO_READER),
        ),
        wallets=tuple(
            Wallet(
                label=name,
                address=address,
                chains=("ethereum",),
                protocols=("aave_v3",),
                chats=tuple(numbers),
                rules=RULES,
            )
            for address, name in LABELS.items()
        ),
        rules=Rules(),
        telegram=None,
        chats={name: Chat(name=name, id=number, users=tuple(users), role=Role.ACT) for name, number in numbers.items()},
    )
    async with BotApi(chats=numbers.values(), clock=clock.now) as api, telegram(api) as bot:
        staged = Scene(api, bot, path, clock, settings)
        await staged.start()
        try:
            yield staged
        finally:
            await staged.stop()
