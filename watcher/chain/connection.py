"""One open line with many requests on their way: each answer goes to whoever asked for it, or ends the connection."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import count
from typing import Any, Final

from watcher.chain.answer import OF_ANOTHER, must_be_an_answer, parsed, request, result_of
from watcher.chain.errors import TimedOut
from watcher.chain.lines import CLOSED, Line
from watcher.chain.redaction import Redactor
from watcher.chain.spec import EndpointSpec
from watcher.domain.errors import EndpointError

_MOST_NOTICES: Final = 64  # that nobody has taken yet
_MOST_GIVEN_UP: Final = 256


class Connection:
    """JSON-RPC over one line, until it ends; `problem` then says why.

    Anything that cannot belong here ends it, and everything under way with it: an answer to what was not asked or has
    been answered, words that are not JSON-RPC, and what is told unasked unless that is what the connection is for
    (`notices`). An answer that comes after we stopped waiting for it is none of these.
    """

    def __init__(self, endpoint: EndpointSpec, line: Line, *, notices: bool = False) -> None:
        self.problem: str | None = None
        self.answered = False
        self._name = endpoint.name
        self._redactor = Redactor(endpoint)
        self._line = line
        self._ids = count(1)
        self._under_way: dict[int, asyncio.Future[dict[str, Any] | None]] = {}
        self._given_up: set[int] = set()
        self._heard = 0
        self._takes_notices = notices
        self._notices: deque[dict[str, Any]] = deque()
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read(), name=f"read {endpoint.name}")

    async def ask(self, method: str, params: list[Any], *, within: float, spent: float = 0.0) -> Any:
        """As `Wire.ask`, in so many seconds, of which some may be spent already."""
        self._must_be_open()
        number, heard = next(self._ids), self._heard
        self._under_way[number] = arrival = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(max(0.0, within - spent)):
                await self._line.send(request(number, method, params))
                answer = await arrival
        except TimeoutError:
            if heard == self._heard:
                self._reading.cancel()  # not a word in all that time: nobody is there any more
            answer = _LATE
        finally:
            del self._under_way[number]
            if arrival.cancelled() or not arrival.done():
                self._given_up.add(number)
        if answer is _LATE:
            raise TimedOut(self._name, f"no complete answer within {within:g} s")
        if answer is None:
            raise self._lost()
        return result_of(self._name, answer, number, self._redactor)

    async def notice(self) -> dict[str, Any]:
        """What is told next without having been asked. Raises `EndpointError` when the connection ends."""
        while not self._notices:
            self._must_be_open()
            self._news.clear()
            await self._news.wait()
        return self._notices.popleft()

    async def close(self) -> None:
        """End it, and wait until nothing of it is left."""
        if self.problem is None:
            self._reading.cancel()
        await asyncio.wait({self._reading})

    def _must_be_open(self) -> None:
        if self.problem is not None:
            raise self._lost()

    def _lost(self) -> EndpointError:
        return EndpointError(self._name, self.problem or CLOSED)

    async def _read(self) -> None:
        problem = CLOSED
        try:
            while (message := await self._line.receive()) is not None:
                self._heard += 1
                self._take(parsed(self._name, message))
        except EndpointError as nonsense:
            problem = nonsense.problem
        finally:
            self.problem = problem
            for arrival in self._under_way.values():
                if not arrival.done():
                    arrival.set_result(None)
            self._news.set()
            await self._line.close()

    def _take(self, said: dict[str, Any]) -> None:
        if "method" in said:
            self._take_notice(said)
            return
        must_be_an_answer(self._name, said, self._redactor)
        number = said["id"]
        arrival = self._under_way.get(number) if type(number) is int else None
        if arrival is not None and not arrival.done():
            self.answered = True
            arrival.set_result(said)
        elif type(number) is int and number in self._given_up:
            self._given_up.discard(number)
        else:
            raise EndpointError(self._name, OF_ANOTHER)
        if len(self._given_up) > _MOST_GIVEN_UP:
            raise EndpointError(self._name, "too many requests without an answer")

    def _take_notice(self, said: dict[str, Any]) -> None:
        if not self._takes_notices or "id" in said:
            raise EndpointError(self._name, "a message that nobody asked for")
        if len(self._notices) >= _MOST_NOTICES:
            raise EndpointError(self._name, "more messages at a time than any chain has news")
        self._notices.append(said)
        self._news.set()


_LATE: Final[dict[str, Any]] = {}
