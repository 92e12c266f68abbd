"""The wheel carries its world and works without the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_it_reads_its_world_from_the_wheel_outside_the_checkout(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    program = (
        "import watcher; from watcher.config import load_world; from watcher.reads.abi import interface\n"
        "world = load_world(); interface('aave_v3_pool')\n"
        "print(watcher.__file__, len(world.chains), len(world.deployments), len(world.feeds['ethereum']))"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "installed")},
        check=True,
        capture_output=True,
        text=True,
    )
    where, chains, deployments, feeds = ran.stdout.split()
    assert where.startswith(str(tmp_path / "installed"))
    assert int(chains) >= 20
    assert int(deployments) >= 14
    assert int(feeds) >= 250
