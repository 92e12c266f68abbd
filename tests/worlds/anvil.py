"""A private anvil process on loopback, gone when its `with` block or its parent ends."""

import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from .chain import Chain
from .node import HERE, anvil_binary
from .rpc import Rpc

GENESIS = 1_750_000_000  # June 2025; nothing here depends on the date of the run
GAS_LIMIT = 400_000_000

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_LISTENING = re.compile(rb"Listening on 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a chain begins. With `load_state`, `timestamp` must be the saved head's: anvil does not restore its clock."""

    chain_id: int = 31337
    timestamp: int = GENESIS
    load_state: Path | None = None
    kept_blocks: int | None = None  # forget the transactions of all but so many, where only the state matters

    def arguments(self) -> list[str]:
        fixed = [
            *("--host", "127.0.0.1", "--port", "0", "--chain-id", str(self.chain_id)),
            *("--timestamp", str(self.timestamp), "--accounts", "0"),
            *("--no-mining", "--order", "fifo", "--auto-impersonate"),
            *("--gas-price", "0", "--block-base-fee-per-gas", "0", "--gas-limit", str(GAS_LIMIT)),
            *("--hardfork", "cancun"),  # the newest one without a gas cap per transaction
            *("--max-persisted-states", "0"),  # anvil never deletes the states it persists: they fill a disk
        ]
        if self.kept_blocks is not None:
            fixed += ["--transaction-block-keeper", str(self.kept_blocks)]
        if self.load_state is not None:
            fixed += ["--load-state", str(self.load_state)]
        return fixed


class Anvil:
    """`with Anvil(Settings(chain_id=1)) as anvil:` and then `anvil.chain`, `anvil.url`.

    Start it from a thread that outlives it: on Linux the process dies with the thread that started it.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._process: subprocess.Popen[bytes] | None = None
        self._chain: Chain | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def chain(self) -> Chain:
        if self._chain is None:
            raise RuntimeError("anvil is not running: enter its `with` block first")
        return self._chain

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("anvil is not running: enter its `with` block first")
        return self._process.pid

    def __enter__(self) -> Self:
        command = [sys.executable, "-I", "-S", str(HERE / "leash.py"), str(os.getpid()), str(anvil_binary())]
        with tempfile.TemporaryFile() as log:
            self._process = subprocess.Popen(
                [*command, *self.settings.arguments()], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            try:
                self.port = self._listening_port(log)
                rpc = Rpc(self.port)
                rpc.request("anvil_setLoggingEnabled", False)
                self._chain = Chain(rpc)
            except BaseException:  # an interrupt too must not leave the process behind
                self._stop()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _listening_port(self, log: IO[bytes]) -> int:
        """anvil picks a free port itself and prints it: choosing one for it would race with others."""
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            exited = self._process.poll()
            said = os.pread(log.fileno(), 1 << 16, 0)
            if found := _LISTENING.search(said):
                return int(found[1])
            if exited is not None:
                raise RuntimeError(f"anvil exited with {exited}: {said.decode(errors='replace')[-2000:]}")
            time.sleep(0.005)
        raise RuntimeError(f"anvil did not listen within {_START_SECONDS:.0f} s")

    def _stop(self) -> None:
        if self._chain is not None:
            self._chain.rpc.close()
            self._chain = None
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
