"""The import contracts hold, and each of them is red when it is broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT = Path(sys.executable).with_name("lint-imports")

PURE = ("protocols", "oracles", "reads", "risk", "alerts", "domain")
TEMPTATIONS = ("web3", "aiohttp", "asyncio", "time", "sqlite3", "telegram")
IS_PURE = "the exact layers are pure"
ONE_WAY = "imports run one way"

BREACHES = [
    *((layer, temptation, IS_PURE) for layer, temptation in zip(PURE, TEMPTATIONS, strict=True)),
    ("domain", "web3", IS_PURE),
    ("alerts", "time", IS_PURE),
    ("risk", "datetime", IS_PURE),
    ("reads", "pathlib", IS_PURE),
    ("oracles", "os", IS_PURE),
    ("protocols", "asyncio", IS_PURE),
    ("protocols", "logging", IS_PURE),
    ("notify", "web3", "only chain/ knows web3"),
    ("domain", "pydantic", "the domain knows the standard library only"),
    ("domain", "watcher.reads", ONE_WAY),
    ("risk", "watcher.chain", ONE_WAY),
    ("store", "watcher.notify", ONE_WAY),
]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package and its contracts, to be broken."""
    shutil.copytree(ROOT / "watcher", tmp_path / "watcher", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def linted(folder: Path) -> tuple[int, str]:
    """The exit code of import-linter there, and what it says."""
    done = subprocess.run(
        [LINT, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_contract_holds(package: Path) -> None:
    code, said = linted(package)
    assert code == 0, said
    assert " 0 broken" in said


@pytest.mark.parametrize(("layer", "temptation", "contract"), BREACHES)
def test_it_notices_an_import_that_is_forbidden(package: Path, layer: str, temptation: str, contract: str) -> None:
    module = package / "watcher" / layer / "slip.py"
    module.write_text(f"import {temptation}\n")
    code, said = linted(package)
    assert code == 1, said
    assert f"watcher.{layer}.slip -> {temptation}" in said
    [broken] = [line for line in said.splitlines() if line.startswith(contract) and " BROKEN" in line]
    assert broken


def test_it_lets_no_new_module_live_outside_the_layers(package: Path) -> None:
    (package / "watcher" / "stray.py").write_text("import watcher.cli\n")
    code, said = linted(package)
    assert code == 1, said
    assert f"{ONE_WAY} BROKEN" in said
    assert "not listed as layers" in said
    assert "- watcher.stray" in said
