"""The wire that an endpoint's URL asks for."""

from __future__ import annotations

import time
from collections.abc import Callable

import aiohttp

from watcher.chain.lines import is_stream
from watcher.chain.spec import EndpointSpec
from watcher.chain.stream import Stream
from watcher.chain.transport import Transport
from watcher.chain.wire import Timeouts


def wire_to(
    spec: EndpointSpec,
    session: aiohttp.ClientSession,
    *,
    timeouts: Timeouts | None = None,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
) -> Stream | Transport:
    """Nothing is sent yet. `clock` is monotonic, `wall_clock` in Unix seconds."""
    if is_stream(spec):
        return Stream(spec, timeouts=timeouts, clock=clock)
    return Transport(spec, session, timeouts=timeouts, wall_clock=wall_clock)
