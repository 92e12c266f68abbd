"""What a chat sees: accounts of a real market, replayed from a tape, under labels of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache

from tests.protocols.aave import Case, tape_cases
from watcher.alerts.rules import Rules
from watcher.bot.answers import answer
from watcher.bot.view import Sight, View
from watcher.chain.spec import ChainSpec
from watcher.config import Wallet
from watcher.domain.position import Because, Check, Unreadable
from watcher.domain.source import Address
from watcher.snapshot import Held, Snapshot
from watcher.store import Backlog

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
        wallets=tuple(wallet(label) for label in labels),
        sights=(Sight(spec=spec, snapshot=snapshot(labels, lost), blind_since=blind_since),),
        now=now,
        started_at=now - 4000,
        backlog=IDLE,
    )


def ask(line: str, of: View) -> str:
    """What a command is answered, as plain text."""
    command, *arguments = line.removeprefix("/").split()
    return str(answer(command, arguments, of))
