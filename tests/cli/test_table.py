"""How the table looks: at any width, without colour, and with the worst that a contract can call itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.cli.conftest import CRITICAL, DEBTLESS, NOBODY, SAFE, WARNED, Run
from tests.worlds.aave_v30 import AaveV30World
from watcher.check import Report, as_table, look
from watcher.config import load
from watcher.domain.health import Health
from watcher.domain.position import Position, State, Verdict
from watcher.domain.source import Holder
from watcher.protocols.aave_v3 import AaveV3
from watcher.reads import Plan

Write = Callable[..., Path]
EVERYONE = {"treasury": SAFE, "a desk with quite a long name": WARNED, "trading": CRITICAL, "v": DEBTLESS, "n": NOBODY}
CONTROLS = "\u001b\u0007\u202e\u200b\ufeff"


def looked(config: Path, market: AaveV30World) -> Report:
    now = market.chain.head().timestamp + 5
    return asyncio.run(look(load(config), now=lambda: now))


def shown(report: Report, width: int = 120) -> str:
    console = Console(width=width, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        for part in as_table(report, width):
            console.print(part)
    return captured.get()


def altered(report: Report, alter: Callable[[Position], Position]) -> Report:
    [chain] = report.chains
    found = tuple(replace(one, position=alter(one.position)) for one in chain.findings)
    return replace(report, chains=(replace(chain, findings=found),))


@pytest.mark.parametrize("width", [60, 80, 111, 112, 120, 160])
def test_it_fits_its_terminal_and_leaves_nothing_out(config: Write, market: AaveV30World, width: int) -> None:
    report = looked(config(users=EVERYONE), market)
    out = shown(report, width)
    assert max(cell_len(line) for line in out.splitlines()) <= width
    words = " ".join(out.split())
    for fact in ("treasury", "trading", "$27,496.", "1.05", "critical", "warn", "no debt", "−66.8 %", "5 s old", "∞"):
        assert fact in words


def test_it_writes_no_colour_into_a_pipe(config: Write, run: Run) -> None:
    config(users=EVERYONE)
    assert "\u001b" not in run("check").out


def test_it_colours_a_terminal_unless_asked_not_to(config: Write, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    config(users=EVERYONE)
    monkeypatch.setenv("FORCE_COLOR", "1")
    red = "\u001b[1;31m"
    assert red in run("check").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert red not in run("check").out


def test_what_a_token_calls_itself_stays_words(config: Write, market: AaveV30World) -> None:
    name = f"[red]{CONTROLS}https://claim.example\nhealth 9.99"

    def renamed(position: Position) -> Position:
        legs = tuple(replace(leg, asset=replace(leg.asset, symbol=name)) for leg in position.legs)
        return replace(position, legs=legs, notes=("\u001b[1mx.com", f"{name} at much greater length than that"))

    out = shown(altered(looked(config(), market), renamed), 200)
    assert not set(CONTROLS) & set(out)
    assert "[red]https:∕∕claim·exam…" in out
    assert "\nhealth 9.99" not in out
    assert "[1mx·com" in out


def test_a_position_that_only_the_contract_can_explain_is_marked(
    config: Write, market: AaveV30World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def otherwise(reader: AaveV3, holder: Holder) -> Plan[Verdict | None]:
        found = yield from honest(reader, holder)
        assert found is not None
        assert found.debt is not None
        return replace(found, debt=found.debt + 1)

    honest = AaveV3.verdict
    monkeypatch.setattr(AaveV3, "verdict", otherwise)
    report = looked(config(), market)
    assert report.exit_code == 1
    [finding] = report.findings
    assert finding.liquidations == ()
    out = shown(report)
    assert "mismatch" in out
    assert "unknown" in out
    assert "our formula and the contract differ: the contract's numbers are shown" in " ".join(out.split())


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.LIQUIDATABLE_BUT_BLOCKED, "blocked now"),
        (State.DEBT_WITHOUT_COLLATERAL, "debt without"),
    ],
)
def test_it_has_a_word_for_every_state(config: Write, market: AaveV30World, state: State, words: str) -> None:
    bad = Health(backing=9, required=10)
    out = shown(altered(looked(config(), market), lambda one: replace(one, state=state, health=bad)))
    assert words in out
    assert "0.9000" in out


def test_a_price_behind_a_contract_that_hides_it_is_unknown(config: Write, market: AaveV30World) -> None:
    from watcher.domain.price import Opaque, Price

    def hidden(position: Position) -> Position:
        legs = [replace(leg, price=Price.of(Opaque(leg.asset.address, leg.price.low))) for leg in position.legs]
        return replace(position, legs=tuple(legs))

    report = altered(looked(config(), market), hidden)
    assert f"unknown: {market.tokens['WETH'].address[:6]}" in shown(report)
    assert report.exit_code == 0
