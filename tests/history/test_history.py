"""`watcher history`: what is shown of the past, to people and to machines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.chain import named
from watcher.cli import main
from watcher.store import Store
from watcher.store.history import DAY, LegPoint, Point, keep_points

NOW = 1_795_203_000  # 2026-11-20 19:30:00 UTC
DESK, TREASURY, GONE = (named(who) for who in ("desk", "treasury", "gone"))
WORLD = """
[chains.local]
id = 31337
title = "Local"
multicall3 = "0xcA11bde05977b3631167028862bE2a173976CA11"
block_time = 12
max_age = 120
confirmations = 1
endpoints = ["http://127.0.0.1:9"]

[[deployments]]
id = "aave_v3_local"
protocol = "aave_v3"
chain = "local"
title = "Aave v3 Local"
pool = "0x87870Bca3F3fD6335C3F4ce8392D69350B4fA4E2"
provider = "0x0a16f2FCC0D44FaE41cc54e079281D84A363bECD"
oracle = "0x54586bE62E3c3580375aE3723C145253060Ca0C2"
"""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is started, with a configuration of two wallets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "local.toml").write_text(WORLD)
    wallets = "".join(
        f'[[wallets]]\nlabel = "{label}"\naddress = "{address}"\nchains = ["local"]\n'
        for label, address in (("treasury", TREASURY), ("desk", DESK))
    )
    (tmp_path / "watcher.toml").write_text(f'protocols_file = "local.toml"\n{wallets}')
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_it(*argv: str) -> Ran:
        code = main(["history", *argv], now=lambda: NOW)
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run_it


@pytest.fixture
def daemon(folder: Path) -> Iterator[Store]:
    """The database as a running daemon has it open."""
    opened = Store.open(folder / "watcher.db")
    yield opened
    opened.close()


@pytest.fixture
def past(daemon: Store) -> Store:
    """Three points of the treasury, one of them old; one of the desk; one of a wallet that is watched no longer."""
    old = point(TREASURY, NOW - 3 * DAY, "1.2")
    keep_points(daemon, [old, point(TREASURY, NOW - 120, "1.0758"), point(TREASURY, NOW - 60, "1.07")])
    keep_points(daemon, [replace(point(DESK, NOW - 60, "Infinity"), debt=Decimal(0)), point(GONE, NOW - 9 * DAY, "2")])
    return daemon


def point(wallet: str, at: int, health: str) -> Point:
    return Point(
        position=f"aave_v3_local/{wallet}",
        at=at,
        block=21_034_551,
        health=Decimal(health),
        collateral=Decimal("198250.00000001"),
        debt=Decimal(150_000),
        numeraire="USD",
        legs=(
            LegPoint(symbol="WETH", amount=Decimal("60.000000000000000001"), price=Decimal("2500.12345678")),
            LegPoint(symbol="USDC", amount=Decimal("-150000.5"), price=Decimal("0.9999")),
        ),
    )


def test_it_lists_of_what_there_is_a_past_watched_wallets_first(past: Store, run: Run) -> None:
    ran = run()
    assert (ran.code, ran.err) == (0, "")
    assert [line.split() for line in ran.out.splitlines()[2:]] == [
        ["treasury", "aave_v3_local", "2026-11-17", "19:30:00", "2026-11-20", "19:29:00", "3"],
        ["desk", "aave_v3_local", "2026-11-20", "19:29:00", "2026-11-20", "19:29:00", "1"],
        [f"{GONE[:6]}…{GONE[-4:]}", "aave_v3_local", "2026-11-11", "19:30:00", "2026-11-11", "19:30:00", "1"],
    ]


def test_it_shows_the_points_of_the_last_day_in_a_table(past: Store, run: Run) -> None:
    ran = run("treasury")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"treasury {TREASURY} · aave_v3_local"
    assert lines[1].split() == ["time,", "UTC", "block", "health", "collateral", "debt", "prices"]
    assert lines[3].split() == [
        *(
            "2026-11-20",
            "19:28:00",
            "21034551",
            "1.0758",
            "$198,250.00",
            "$150,000.00",
            "WETH",
            "$2,500.12,",
            "USDC",
            "$0.9999",
        )
    ]
    assert len(lines) == 3 + 2
    assert max(map(len, lines)) <= 100


def test_it_goes_as_far_back_as_asked(past: Store, run: Run) -> None:
    assert run("treasury", "--since", "7d").out.count("21034551") == 3
    assert run("treasury", "--since", "90s").out.count("21034551") == 1


def test_it_says_where_nothing_is_within_that_time_what_there_is(past: Store, run: Run) -> None:
    assert "nothing since 2026-11-19 19:30:00 UTC; the last of 1 point is from 2026-11-11 19:30:00" in run(GONE).out


def test_it_shows_health_without_end(past: Store, run: Run) -> None:
    assert "∞" in run("desk").out


@pytest.mark.parametrize(
    "name", ["treasury", "TREASURY", "trea", TREASURY, TREASURY.lower(), f"aave_v3_local/{TREASURY}"]
)
def test_it_takes_a_label_an_address_a_position_or_the_beginning_of_one(past: Store, run: Run, name: str) -> None:
    assert run(name).out.startswith(f"treasury {TREASURY}")


def test_it_exports_csv_with_every_digit(past: Store, run: Run) -> None:
    [first, second] = csv.DictReader(io.StringIO(run("treasury", "--format", "csv").out))
    assert first == {
        "position": f"aave_v3_local/{TREASURY}",
        "wallet": TREASURY,
        "label": "treasury",
        "time": "2026-11-20T19:28:00Z",
        "unix": "1795202880",
        "block": "21034551",
        "health": "1.0758",
        "collateral": "198250.00000001",
        "debt": "150000",
        "numeraire": "USD",
        "symbol_1": "WETH",
        "amount_1": "60.000000000000000001",
        "price_1": "2500.12345678",
        "symbol_2": "USDC",
        "amount_2": "-150000.5",
        "price_2": "0.9999",
    }
    assert second["unix"] == "1795202940"


def test_it_lists_in_csv_too(past: Store, run: Run) -> None:
    first = next(csv.DictReader(io.StringIO(run("--format", "csv").out)))
    assert (first["label"], first["first_unix"], first["last"], first["points"]) == (
        *("treasury", str(NOW - 3 * DAY), "2026-11-20T19:29:00Z", "3"),
    )


def test_it_writes_no_formula_into_a_spreadsheet_and_no_control_character_anywhere(daemon: Store, run: Run) -> None:
    hostile = [
        LegPoint(symbol=each, amount=Decimal(1), price=Decimal(1)) for each in ('=HYPERLINK("x")', "A\x1b[2J\u202eB")
    ]
    keep_points(daemon, [replace(point(DESK, NOW, "1.5"), legs=tuple(hostile))])
    row = next(csv.DictReader(io.StringIO(run("desk", "--format", "csv").out)))
    assert row["symbol_1"].startswith("'=HYPERLINK")
    for form in ("table", "csv", "json"):
        said = run("desk", "--format", form).out
        assert "\x1b" not in said
        assert "\u202e" not in said


def test_it_exports_json_with_every_digit(past: Store, run: Run) -> None:
    document: dict[str, Any] = json.loads(run("treasury", "--format", "json").out)
    assert document["format"] == 1
    assert document["since"] == {"unix": NOW - DAY, "time": "2026-11-19T19:30:00Z"}
    [position] = document["positions"]
    assert position["id"] == f"aave_v3_local/{TREASURY}"
    assert position["wallet"] == {"address": TREASURY, "label": "treasury"}
    assert position["kept"]["points"] == 3
    assert position["points"][0] == {
        "unix": NOW - 120,
        "time": "2026-11-20T19:28:00Z",
        "block": 21_034_551,
        "health": "1.0758",
        "collateral": "198250.00000001",
        "debt": "150000",
        "numeraire": "USD",
        "legs": [
            {"symbol": "WETH", "amount": "60.000000000000000001", "price": "2500.12345678"},
            {"symbol": "USDC", "amount": "-150000.5", "price": "0.9999"},
        ],
    }


def test_it_lists_in_json_without_points(past: Store, run: Run) -> None:
    document: dict[str, Any] = json.loads(run("--format", "json").out)
    assert document["since"] is None
    assert ["points" in each for each in document["positions"]] == [False] * 3
    assert document["positions"][2]["wallet"]["label"] is None


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (("nobody",), f'nothing is known of "nobody"; there are: treasury, desk, {GONE}\n'),
        (("0x",), '"0x" may be '),
        (("desk", "--since", "24"), '--since: "24" is not a duration from "1m" to "3650d", such as "24h" or "7d"\n'),
        (("desk", "--since", "1s"), '--since: "1s" is not a duration'),
    ],
)
def test_it_refuses_what_it_cannot_show_and_says_what_would_be_right(
    past: Store, run: Run, argv: tuple[str, ...], problem: str
) -> None:
    ran = run(*argv)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith(problem)


def test_it_says_that_nothing_has_been_kept_yet(daemon: Store, run: Run) -> None:
    assert run().out == "Nothing has been kept yet.\n"
    assert run("desk").err == (
        "desk is watched, but nothing has been kept of it yet:"
        " `watcher run` keeps a point a minute of every position that it sees\n"
    )
    assert run("x").err.startswith('"x" is not known: nothing has been kept yet')


def test_it_says_why_nothing_is_kept_where_it_is_switched_off(folder: Path, daemon: Store, run: Run) -> None:
    path = folder / "watcher.toml"
    path.write_text(f'{path.read_text()}[history]\nkeep = "off"\n')
    assert run("desk").err == 'desk is watched, but nothing has been kept of it yet: [history] says keep = "off"\n'


def test_it_says_that_there_is_no_database(run: Run) -> None:
    ran = run()
    assert (ran.code, ran.out) == (3, "")
    assert "watcher.db does not exist: there is no state to show until `watcher run` has made it" in ran.err


def test_it_leaves_the_database_as_it_is(folder: Path, past: Store, run: Run) -> None:
    before = {path.name: path.stat().st_size for path in folder.iterdir()}
    run("treasury")
    assert {path.name: path.stat().st_size for path in folder.iterdir()} == before
