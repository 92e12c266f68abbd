"""What a way to reach an endpoint offers, be it HTTP, a WebSocket or a socket on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: until connected, and for the whole exchange."""

    connect: float = 5.0
    total: float = 10.0


class Wire(Protocol):
    """JSON-RPC to one endpoint, whose every failure is an `EndpointError` fit to show."""

    requests: int
    """How many were sent so far."""

    async def turn(self) -> None:
        """Wait until the endpoint's `rate` lets another request be sent."""

    async def ask(self, method: str, params: list[Any]) -> Any:
        """The `result` of one request, of whatever JSON type it is.

        Raises `ExecutionFailed` where the node reports how a call went, `EndpointError` or one of its kinds for
        everything else.
        """

    async def close(self) -> None:
        """Close the connections that are its own."""
