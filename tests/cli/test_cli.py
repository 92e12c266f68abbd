"""The command line itself: what it refuses, how it fails, and what it does not load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import CRITICAL, SAFE, WARNED, Run
from tests.worlds.aave_v30 import AaveV30World
from watcher import __version__
from watcher.domain.errors import EndpointError

Write = Callable[..., Path]
DAY = 86_400
HEAVY = ("web3", "telegram", "sqlalchemy", "apscheduler", "aiohttp", "pydantic", "structlog", "httpx", "matplotlib")


def real(*argv: str, code: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, or Python code in one."""
    command = [sys.executable, *(["-c", code] if code else ["-m", "watcher"]), *argv]
    clean = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR", "WATCHER_DEBUG")}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={**clean, **environ})


@pytest.mark.parametrize(
    "argv", [(), ("--help",), ("check", "--help"), ("validate", "-h"), ("run", "--help"), ("history", "--help")]
)
def test_it_helps(run: Run, argv: tuple[str, ...]) -> None:
    ran = run(*argv)
    assert (ran.code, ran.err) == (0, "")
    assert "Usage: watcher" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_it_tells_its_version(run: Run) -> None:
    assert run("--version").out == f"{__version__}\n"


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (("chekc",), "chekc"),
        (("check", "--jsn"), "--jsn"),
        (("check", "--chain"), "--chain"),
        (("check", "--json", "maybe"), "maybe"),
        (("check", "0x12"), "0x12"),
        (("check", "--chain", "nowhere", SAFE), "nowhere"),
        (("check", "--config", "missing.toml"), "missing.toml"),
        (("validate", "--config", "missing.toml"), "missing.toml"),
        (("validate",), "watcher.toml"),
        (("run", "--config", "missing.toml"), "missing.toml"),
        (("run", "now"), "now"),
    ],
)
def test_bad_usage_exits_with_3_and_says_what_is_bad(folder: Path, run: Run, argv: tuple[str, ...], word: str) -> None:
    ran = run(*argv)
    assert (ran.code, ran.out) == (3, "")
    assert word in ran.err
    assert "Traceback" not in ran.err


def fail_with(monkeypatch: pytest.MonkeyPatch, problem: BaseException) -> None:
    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr("watcher.config.for_addresses", fail)


def test_a_bug_is_one_line_and_says_how_to_see_more(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, ValueError("two\nlines"))
    ran = run("check", SAFE)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "bug: ValueError: two lines; --traceback or WATCHER_DEBUG=1 shows where\n"


@pytest.mark.parametrize("by_option", [True, False])
def test_a_bug_shows_where_it_is_when_asked(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, by_option: bool
) -> None:
    fail_with(monkeypatch, ValueError("wrong"))
    if not by_option:
        monkeypatch.setenv("WATCHER_DEBUG", "1")
    ran = run("check", SAFE, *(["--traceback"] if by_option else []))
    assert ran.code == 3
    assert "Traceback (most recent call last)" in ran.err
    assert ran.err.endswith("bug: ValueError: wrong\n")


def test_what_we_raise_on_purpose_is_no_bug(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, EndpointError("somewhere", "is gone"))
    assert run("check", SAFE).err == "somewhere: is gone\n"


def test_an_interrupt_is_quiet(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, KeyboardInterrupt())
    ran = run("check", SAFE)
    assert (ran.code, ran.out, ran.err) == (130, "", "")


def test_run_is_the_daemon_with_its_file(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Path] = []

    def daemon(config: Path) -> int:
        started.append(config)
        return 7

    monkeypatch.setattr("watcher.daemon.run", daemon)
    assert run("run").code == 7
    assert run("run", "--config", "other.toml").code == 7
    assert started == [Path("watcher.toml"), Path("other.toml")]


def loaded_by(command: str) -> str:
    """Which heavy packages a process has loaded at the end of a command."""
    code = f"import sys; from watcher.cli import main; main(['{command}'])"
    return real(*HEAVY, code=f"{code}; print([name for name in sys.argv[1:] if name in sys.modules])").stdout


def test_help_loads_nothing_heavy() -> None:
    assert loaded_by("--help").endswith("\n[]\n")


def test_a_check_loads_no_more_than_it_needs(config: Write) -> None:
    config(users={"treasury": SAFE})
    assert loaded_by("check").endswith("\n['aiohttp', 'pydantic']\n")


def test_a_real_process_exits_by_the_worst_it_found(config: Write, market: AaveV30World) -> None:
    config(users={"treasury": SAFE, "desk": WARNED, "trading": CRITICAL}, max_age=DAY)
    clock = f"lambda: {market.chain.head().timestamp + 3}"
    ran = real("check", "--json", WARNED, code=f"import sys; from watcher.cli import main; sys.exit(main(now={clock}))")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert json.loads(ran.stdout)["exit_code"] == 1
    assert real("check", SAFE).returncode == 3  # by the real clock, the world's last block is long ago
    market.pass_time(int(time.time()) - market.chain.head().timestamp)
    market.touch_feeds()
    assert real("check", SAFE).returncode == 0
    assert real("check").returncode == 2
    assert real("check", "--jsn").returncode == 3


def test_a_reader_that_goes_away_changes_nothing(config: Write) -> None:
    config(users={"treasury": SAFE})
    with subprocess.Popen(
        [sys.executable, "-m", "watcher", "check"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 3


def test_a_terminal_without_our_signs_gets_what_it_can_show(config: Write) -> None:
    config(users={"treasury": SAFE})
    ran = real("validate", PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "? watcher.toml is valid" in ran.stdout
