"""The commands that look at what is now: positions, and the feeds under them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from watcher import __version__
from watcher.cli.app import AsJson, Chains, Clock, Injected, app, settings_for, waiting_for
from watcher.terminal import json_text, rendered, say

_CHECK_CODES = """Exit codes, by the worst found: 2 critical or liquidatable, else 3 something
could not be read or is not searched yet, else 1 a warning or a stale price, else 0."""

_FEEDS_CODES = """Exit codes: 3 something could not be read, else 1 a price is stale, else 0."""


@app.command(help_epilogue=_CHECK_CODES)
def check(
    *addresses: str,
    config: Path | None = None,
    chain: Chains = (),
    as_json: AsJson = False,
    now: Annotated[Clock, Injected] = time.time,
) -> int:
    """Read once and show every position, the worst first.

    Parameters
    ----------
    addresses
        Wallets to look at, in place of those of the configuration.
    config
        The configuration; ./watcher.toml where there is one. With addresses, none is needed.
    chain
        Look at this chain only; may be given several times.
    as_json
        One JSON document in place of the table.
    """
    import asyncio

    from watcher.check import as_document, as_table, look

    settings = settings_for(addresses, config, chain)
    with waiting_for(settings):
        report = asyncio.run(look(settings, now=now))
    if as_json:
        say(json_text(as_document(report, __version__)))
    else:
        say(rendered(lambda width: as_table(report, width)))
    return report.exit_code


@app.command(help_epilogue=_FEEDS_CODES)
def feeds(
    *addresses: str,
    config: Path | None = None,
    chain: Chains = (),
    tree: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    as_json: AsJson = False,
    now: Annotated[Clock, Injected] = time.time,
) -> int:
    """Read once and show what the prices under positions rest on, the stalest first.

    Parameters
    ----------
    addresses
        Wallets to look at, in place of those of the configuration.
    config
        The configuration; ./watcher.toml where there is one. With addresses, none is needed.
    chain
        Look at this chain only; may be given several times.
    tree
        Also show what each price is made of: feeds, rates, caps, and second sources.
    as_json
        One JSON document in place of the table.
    """
    import asyncio

    from watcher.check import as_feeds_document, as_feeds_table, feeds_under, look

    settings = settings_for(addresses, config, chain)
    with waiting_for(settings):
        found = feeds_under(asyncio.run(look(settings, now=now)))
    if as_json:
        say(json_text(as_feeds_document(found, __version__)))
    else:
        say(rendered(lambda width: as_feeds_table(found, width, trees=tree)))
    return found.exit_code
