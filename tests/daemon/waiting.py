"""Waiting for what sets no event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 20.0


async def eventually(there: Callable[[], bool], *, within: float = PATIENCE) -> None:
    """Returns once it is so. Raises TimeoutError if it never is."""
    async with asyncio.timeout(within):
        while not there():  # noqa: ASYNC110 - a row in a database, a request at a server: neither sets an event
            await asyncio.sleep(0.002)
