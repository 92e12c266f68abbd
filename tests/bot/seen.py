"""What a chat sees: accounts of a real market, replayed from a tape, under labels of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache

from tests.protocols.aave import Case, tape_cases
from watcher.alerts.message import Level, Text
from watcher.alerts.mute import Mute
from watcher.alerts.record import Key, Record
from watcher.alerts.rules import Rules
from watcher.bot.commands import answer
from watcher.bot.hands import Hands
from watcher.bot.proposals import Proposals
from watcher.bot.reply import Reply
from watcher.bot.view import Found, Sight, View
from watcher.buttons import Seal
from watcher.chain.spec import ChainSpec
from watcher.config import Wallet
from watcher.domain.errors import ConfigError
from watcher.domain.position import Because, Check, Unreadable
from watcher.domain.source import Address
from watcher.handling import Handling
from watcher.panel import Panel
from watcher.snapshot import Held, Snapshot
from watcher.store import Backlog
from watcher.wallets import Change, Edit

BY = 7
"""The user who asks."""
SEAL = Seal.of_bot("1:stand-in")
TAPE = "aave_v37@01_open"
LABELS = {
    "0x376185": "main",
    "0x756B8c": "cold storage",
    "0x1C578c": "cold wallet",
    "0x37f7e0": "staker",
    "0x5496F7": "fund",
    "0x3dc8d5": "desk",
    "0x071F9f": "saver",
}
"""By how their addresses begin; the other accounts of the tape are nobody's."""

SPEC = ChainSpec(
    name="tape",
    id=1,
    title="Ethereum",
    multicall3=Address("0xcA11bde05977b3631167028862bE2a173976CA11"),
    block_time=Decimal(12),
    max_age=180,
    confirmations=2,
    explorer="https://etherscan.io",
    endpoints=(),
)
PURSE = {"USDC": 312_500000, "WETH": 10**17}
"""What the wallet "main" has; of the others it is not known."""
IDLE = Backlog(pending=0, oldest=None, refused=0, held=0, dead=0)


@cache
def cases() -> dict[str, Case]:
    """The accounts by label."""
    known = {case.position.id.wallet[:8]: case for case in tape_cases(TAPE)}
    return {label: known[start] for start, label in LABELS.items()}


def wallet(label: str, rules: Rules | None = None) -> Wallet:
    return Wallet(
        label=label,
        address=cases()[label].position.id.wallet,
        chains=(SPEC.name,),
        protocols=("aave_v3",),
        chats=("me",),
        rules=rules or Rules(),
    )


def held(case: Case) -> Held:
    return Held(
        position=replace(case.position, check=Check.VERIFIED),
        reader=case.reader,
        market=case.market,
        account=case.account,
    )


def snapshot(labels: Sequence[str], lost: Sequence[str] = ()) -> Snapshot:
    """These accounts as they were read, but for those that could not be."""
    return Snapshot(
        block=cases()["main"].position.at,
        endpoint="node.example",
        held=tuple(held(cases()[label]) for label in labels if label not in lost),
        unreadable=tuple(_unreadable(cases()[label]) for label in lost),
        covered=frozenset(),
        asked=frozenset(),
        rounds=1,
        holdings={
            (cases()["main"].position.id.wallet, leg.asset.address): PURSE[leg.asset.symbol]
            for leg in cases()["main"].position.legs
        },
    )


def _unreadable(case: Case) -> Unreadable:
    position = case.position
    return Unreadable(
        id=position.id,
        holder=position.holder,
        at=position.at,
        market=position.market,
        because=Because.REVERTED,
        reason="getUserAccountData on 0x8787…4E2 reverted without a reason",
    )


def view(
    *labels: str, lost: Sequence[str] = (), age: int = 12, blind_since: int | None = None, spec: ChainSpec = SPEC
) -> View:
    """A view of these wallets (all by default), so many seconds after the block."""
    labels = labels or tuple(LABELS.values())
    now = cases()["main"].position.at.timestamp + age
    return View(
        chat="me",
        wallets=tuple(wallet(label) for label in labels),
        sights=(Sight(spec=spec, snapshot=snapshot(labels, lost), blind_since=blind_since),),
        now=now,
        started_at=now - 4000,
        backlog=IDLE,
    )


class Untouched(Handling):
    """Takes note of whatever is to be changed, and changes nothing."""

    def __init__(self, stands: Sequence[Record] = ()) -> None:
        self.done: list[tuple[object, ...]] = []
        self.stands = stands

    async def acknowledge(self, keys: Iterable[Key], by: int) -> list[Record]:
        return self._those(keys, "acknowledge", by)

    async def snooze(self, keys: Iterable[Key], seconds: int, by: int) -> list[Record]:
        return self._those(keys, "snooze", seconds, by)

    async def until_worse(self, keys: Iterable[Key], by: int) -> list[Record]:
        return self._those(keys, "until worse", by)

    def record(self, key: Key) -> Record | None:
        return next((record for record in self.stands if record.key == key), None)

    async def mute(self, chat: str, wallet: Address | None, level: Level, seconds: int, by: int) -> Mute:
        self.done.append(("mute", chat, wallet, level, seconds, by))
        return Mute(chat=chat, wallet=wallet, level=level, until=view().now + seconds, by=by)

    async def unmute(self, chat: str, wallet: Address | None) -> list[Mute]:
        self.done.append(("unmute", chat, wallet))
        return [Mute(chat=chat, wallet=wallet, level=Level.WARN, until=0)]

    async def edit(self, change: Change) -> Edit:
        self.done.append(("edit", change))
        raise ConfigError("watcher.toml: nothing is edited here")

    async def chart(self, chat: str, found: Found, seconds: int) -> tuple[bytes, Text]:
        return b"a picture", Text(f"{found.name} over {seconds} s")

    async def last_day(self, of: View) -> View:
        return of

    def _those(self, keys: Iterable[Key], *what: object) -> list[Record]:
        keys = list(keys)
        self.done.append((*what, keys))
        return [record for record in self.stands if record.key in keys]


def hands(
    of: Untouched | None = None, *, edit: Callable[[Change], Awaitable[Edit]] | None = None, now: float = 0.0
) -> Hands:
    of = of or Untouched()
    return Hands(
        handling=of,
        alert=nothing,
        edit=edit or of.edit,
        chart=of.chart,
        last_day=of.last_day,
        proposals=Proposals(lambda: now),
        seal=SEAL,
        panel=Panel(SEAL, lambda _: None),
        refresh=nothing,
    )


async def nothing(_: int) -> None:
    """No alert was ever delivered."""


def ask(line: str, of: View, having: Hands | None = None) -> str:
    """What a command is answered, as plain text."""
    return str(asyncio.run(reply(line, of, having)).body)


async def reply(line: str, of: View, having: Hands | None = None) -> Reply:
    """The same with its buttons."""
    command, *arguments = line.removeprefix("/").split()
    return await answer(command, arguments, of, having or hands(), BY)
