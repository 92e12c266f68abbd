"""The commands that see to the watcher itself: run it, check what it rests on, and look back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from watcher import __version__
from watcher.cli.app import DEFAULT_CONFIG, FAILED, AsJson, Clock, Injected, app, waiting_for
from watcher.terminal import json_text, rendered, say

_DOCTOR_CODES = """Exit codes: 0 all is well, 1 warnings only, 2 something that loses alerts, 3 no
usable configuration."""


@app.command(help_epilogue="")
def validate(
    *, config: Path = DEFAULT_CONFIG, online: Annotated[bool, Parameter(negative="", show_default=False)] = False
) -> int:
    """Check the configuration, and with --online whatever it names.

    Parameters
    ----------
    config
        The configuration.
    online
        Also ask endpoints for their chain, contracts for their interface, and Telegram for the bot and its chats.
    """
    from watcher.config import describe, load

    settings = load(config)
    say("\n".join([f"✓ {config} is valid", *(f"  {line}" for line in describe(settings))]) + "\n")
    if not online:
        return 0
    import asyncio

    from watcher.validate import look_online

    well = asyncio.run(look_online(settings, lambda marks: say("".join(f"{mark}\n" for mark in marks))))
    return 0 if well else FAILED


@app.command(help_epilogue=_DOCTOR_CODES)
def doctor(
    *,
    config: Path = DEFAULT_CONFIG,
    as_json: AsJson = False,
    now: Annotated[Clock, Injected] = time.time,
) -> int:
    """Examine all that alerts depend on: endpoints, clock, database, and the ways to people.

    Parameters
    ----------
    config
        The configuration.
    as_json
        One JSON document in place of the tables.
    """
    import asyncio

    from watcher.config import load
    from watcher.doctor import as_document, as_table, examine

    settings = load(config)
    with waiting_for(settings, "examining"):
        diagnosis = asyncio.run(examine(settings, now))
    if as_json:
        say(json_text(as_document(diagnosis, __version__)))
    else:
        say(rendered(lambda width: as_table(diagnosis, width)))
    return diagnosis.exit_code


@app.command(help_epilogue="")
def run(*, config: Path = DEFAULT_CONFIG) -> int:
    """Watch until stopped; SIGHUP reads the configuration again.

    Parameters
    ----------
    config
        The configuration.
    """
    from watcher.daemon import run as watch

    return watch(config)


@app.command(help_epilogue="")
def history(
    wallet: str | None = None,
    /,
    *,
    since: str = "24h",
    as_: Annotated[Literal["table", "csv", "json"], Parameter(name="--format")] = "table",
    config: Path = DEFAULT_CONFIG,
    now: Annotated[Clock, Injected] = time.time,
) -> int:
    """Show what was kept of positions over time; beside a running watcher, too.

    Parameters
    ----------
    wallet
        A label, an address or a position; without it, of what there is a past.
    since
        How far back, such as 90m, 24h or 7d.
    as_
        Tables are rounded; csv and json are exact.
    config
        The configuration, which says where the database is.
    """
    from watcher.config import load
    from watcher.history import as_csv, as_document, as_table, look_back

    past = look_back(load(config, telegram=False, secrets=False), wallet, since, int(now()))
    if as_ == "table":
        say(rendered(lambda _: as_table(past)))
    else:
        say(as_csv(past) if as_ == "csv" else json_text(as_document(past, __version__)))
    return 0
