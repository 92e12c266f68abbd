"""The promises that are held by short tests: run once more, and what they measured written into the table."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.long.measured import write_promise
from tests.long.progress import ROOT

SHORT = {
    "A1": "tests/alerts/test_policy_paths.py",
    "A2": "tests/alerts/test_policy_paths.py",
    "A4": "tests/daemon/test_blindness.py",
    "A5": "tests/notify/test_promises.py",
    "A6": "tests/notify/test_promises.py",
    "B3": "tests/notify/test_fault_table.py",
    "B5": "tests/notify/test_promises.py",
    "B6": "tests/notify/test_promises.py",
    "B7": "tests/daemon/test_two_pollers.py",
    "B8": "tests/notify/test_keeper.py",
    "D1": "tests/risk/test_incidents.py",
    "D2": "tests/risk/test_calm.py",
    "D3": "tests/alerts/test_suspect.py",
    "F3": "tests/test_hostile_names.py",
    "F4": "tests/bot/test_access.py",
}
"""Where each is measured: there a test gives its figures to pytest, under the name of the promise."""

pytestmark = pytest.mark.long


def test_it_keeps_the_promises_that_short_tests_hold(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    files = sorted(set(SHORT.values()))
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "not long", f"--junitxml={report}", "-o", "junit_family=xunit1", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5_000:]
    measured: dict[str, list[str]] = defaultdict(list)
    for found in ElementTree.parse(report).iter("property"):
        measured[found.attrib["name"]].append(found.attrib["value"])
    assert measured.keys() >= SHORT.keys()
    assert float(measured["seconds of A5"][0]) <= 5.0
    for name, file in SHORT.items():
        write_promise(name, "; ".join(dict.fromkeys(measured[name])), file)
