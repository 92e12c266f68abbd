"""What the daemon does and what it waits for, in the line that systemd shows, and once in the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from watcher import systemd

FIRST_LOOK: Final = "first look"
LONGEST: Final = 300
"""Characters of one reason in the line."""

_log = structlog.get_logger("watcher.daemon")


@dataclass(slots=True)
class StatusLine:
    """`watching 3 wallets on base; waiting for ethereum (no endpoint answered: …)`.

    `wallets`: how many are watched. `missing`: by the name of a chain why it cannot be seen, empty where it is; and
    what else is waited for.
    """

    wallets: Callable[[], int]
    missing: Callable[[], Mapping[str, str]]
    _told: str = ""
    _complete: bool = False

    @property
    def text(self) -> str:
        missing = self.missing()
        count, seen = self.wallets(), ", ".join(name for name, why in missing.items() if not why)
        waits = ", ".join(f"{name} ({_short(why)})" for name, why in missing.items() if why)
        watching = f"watching {count} wallet{'s' if count != 1 else ''} on {seen}" if seen else ""
        waiting = f"waiting for {waits}" if waits else ""
        return "; ".join(filter(None, (watching, waiting))) or "between two configurations"

    def tell(self, *states: str) -> None:
        """Tells systemd of these states with the line, and the log when all that the start waited for is there."""
        self._told = self.text
        systemd.notify(*states, f"STATUS={self._told}")
        missing = self.missing()
        if not self._complete and missing and not any(missing.values()):
            self._complete = True
            _log.info("daemon.watching", status=self._told)

    async def look(self) -> None:
        """Tells the line if it has changed."""
        if self.text != self._told:
            self.tell()


def _short(why: str) -> str:
    line = " ".join(why.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
