"""Threads that nobody waits for.

asyncio looks names up in a pool of threads, and both the loop and the interpreter wait for the pool before they end.
A resolver that does not answer would so hold a stop up for half a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Detached(ThreadPoolExecutor):
    """A thread for each piece of work; what still runs when the process ends is left behind.

    For lookups and reads only. It is a `ThreadPoolExecutor` because the event loop takes nothing else.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as problem:  # noqa: BLE001 - whatever it is, it belongs to whoever waits for the result
                future.set_exception(problem)
            else:
                future.set_result(result)

        Thread(target=work, name="detached", daemon=True).start()
        return future
