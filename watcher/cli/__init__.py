"""The commands. Thin: each loads settings, calls one module, prints, and returns an exit code.

Nothing heavy is imported before a command needs it, so that `--help` and a refused option come at once.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from cyclopts import CycloptsError

from watcher.cli import care, looks, wallets
from watcher.cli.app import FAILED, INTERRUPTED, Clock, app
from watcher.domain.errors import WatcherError
from watcher.terminal import be_printable

__all__ = ["app", "care", "looks", "main", "wallets"]


def main(argv: Sequence[str] | None = None, *, now: Clock = time.time) -> int:
    """Run one command line; returns its exit code. `now` is the wall clock that blocks are compared with."""
    tokens = list(sys.argv[1:] if argv is None else argv)
    debug = "--traceback" in tokens or os.environ.get("WATCHER_DEBUG", "") not in ("", "0")
    be_printable()
    try:
        command, bound, injected = app.parse_args(
            [token for token in tokens if token != "--traceback"], exit_on_error=False, print_error=True
        )
        return command(*bound.args, **bound.kwargs, **dict.fromkeys(injected, now)) or 0
    except CycloptsError:  # printed by cyclopts already
        return FAILED
    except WatcherError as problem:
        sys.stderr.write(f"{problem}\n")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as bug:  # noqa: BLE001 - the user gets one line, and a way to more
        _tell_bug(bug, debug=debug)
        return FAILED


def _tell_bug(bug: Exception, *, debug: bool) -> None:
    if debug:
        import traceback

        sys.stderr.write("".join(traceback.format_exception(bug)))
    words = " ".join(str(bug).split())
    more = "" if debug else "; --traceback or WATCHER_DEBUG=1 shows where"
    sys.stderr.write(f"bug: {type(bug).__name__}{f': {words}' if words else ''}{more}\n")
