"""A daemon on a chain that nobody answers for: enough for whatever does not depend on what is seen there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.daemon.inside import Inbox
from tests.daemon.waiting import eventually
from watcher.config import load
from watcher.config.changes import FileChanges
from watcher.daemon import Daemon

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
OTHER_WALLET = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"  # both from EIP-55

_LOCAL = f"""
[chains.local]
id = 31337
title = "Local"
multicall3 = "{OTHER_WALLET}"
block_time = 12
max_age = 60
confirmations = 0
endpoints = ["http://127.0.0.1:1"]
[[deployments]]
id = "aave_local"
protocol = "aave_v3"
chain = "local"
title = "Aave v3 Local"
pool = "{OTHER_WALLET}"
provider = "{OTHER_WALLET}"
oracle = "{OTHER_WALLET}"
"""


def configure(folder: Path, more: str = "") -> Path:
    """A watcher.toml with one wallet in a file of its own, and `more` in it; everything on loopback."""
    (folder / "local.toml").write_text(_LOCAL)
    (folder / "wallets.toml").write_text(wallet(WALLET))
    path = folder / "watcher.toml"
    path.write_text(f'interval = "1h"\nprotocols_file = "local.toml"\nwallets_file = "wallets.toml"\n{more}')
    return path


def wallet(address: str) -> str:
    return f'[[wallets]]\naddress = "{address}"\nchains = ["local"]\n'


@asynccontextmanager
async def dark(config: Path, inbox: Inbox | None = None, now: Callable[[], float] = time.time) -> AsyncIterator[Daemon]:
    """Running until the end of the block. With an `inbox` that is where everything goes."""
    files = FileChanges(config)
    settings = load(config)
    channels = None if inbox is None else dict.fromkeys(settings.audience, inbox)
    daemon = Daemon(settings, reload=lambda: load(config), files=files, channels=channels, now=now)
    running = asyncio.create_task(daemon.run())
    try:
        await eventually(lambda: any(watch.progressed_at for watch in daemon.watches.values()) or running.done())
        yield daemon
    finally:
        daemon.stop()
        await running
