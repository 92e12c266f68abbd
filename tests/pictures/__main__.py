"""`python -m tests.pictures`: a day of the real daemon, and docs/pictures/ of the messages that it led to."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from structlog.testing import capture_logs

from tests.pictures.day import spend
from tests.pictures.shot import FOLDER, keep
from tests.pictures.telephone import drawn


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="watcher-pictures-") as folder, capture_logs():
        shots = asyncio.run(spend(Path(folder)))
    FOLDER.mkdir(exist_ok=True)
    for shot in shots:
        png = drawn(shot)
        shot.path.write_bytes(png)
        print(f"{shot.path.name:20} {len(png):>8,} bytes")
    keep(shots)


if __name__ == "__main__":
    main()
