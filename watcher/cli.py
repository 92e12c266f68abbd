"""The commands. Thin: each loads settings, calls one module, prints, and returns an exit code.

Nothing heavy is imported before a command needs it, so that `--help` and a refused option come at once.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from watcher import __version__
from watcher.domain.errors import ConfigError, WatcherError
from watcher.terminal import be_printable, json_text, rendered, say

if TYPE_CHECKING:
    from rich.status import Status

    from watcher.config import Settings
    from watcher.wallets import Change

FAILED = 3
"""Exit code of whatever could not be done: wrong usage, wrong configuration, a bug."""
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
DEFAULT_CONFIG = Path("watcher.toml")

Clock = Callable[[], float]
_Injected = Parameter(parse=False)

_EXAMPLES = """Examples:

  watcher check 0x…                   all known markets; needs no file
  watcher check --chain base --json   wallets of ./watcher.toml, for machines
  watcher validate --online           is all that ./watcher.toml names there?
  watcher doctor                      is everything well that alerts depend on?
  watcher wallets add 0x… --label desk
  watcher history desk --since 7d --format csv
  watcher run --config /etc/watcher/watcher.toml

Exit codes: 3 for wrong usage or configuration; check --help tells its others.
With --traceback, or WATCHER_DEBUG=1, a bug says where it is."""
_CHECK_CODES = """Exit codes, by the worst found: 2 critical or liquidatable, else 3 something
could not be read, else 1 a warning or a stale price, else 0."""

_DOCTOR_CODES = """Exit codes: 0 all is well, 1 warnings only, 2 something that loses alerts, 3 no
usable configuration."""

app = App(
    name="watcher",
    help="Watches lending positions and says in time when one drifts towards liquidation. Holds no keys.",
    help_epilogue=_EXAMPLES,
    help_format="plaintext",
    version=__version__,
    version_format="plaintext",
    suppress_keyboard_interrupt=False,
)


@app.command(help_epilogue=_CHECK_CODES)
def check(
    *addresses: str,
    config: Path | None = None,
    chain: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    as_json: Annotated[bool, Parameter(name="--json", negative="", show_default=False)] = False,
    now: Annotated[Clock, _Injected] = time.time,
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

    settings = _settings_for(addresses, config, chain)
    with _waiting_for(settings):
        report = asyncio.run(look(settings, now=now))
    if as_json:
        say(json_text(as_document(report, __version__)))
    else:
        say(rendered(lambda width: as_table(report, width)))
    return report.exit_code


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
    as_json: Annotated[bool, Parameter(name="--json", negative="", show_default=False)] = False,
    now: Annotated[Clock, _Injected] = time.time,
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
    with _waiting_for(settings, "examining"):
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
    now: Annotated[Clock, _Injected] = time.time,
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


wallets = App(
    name="wallets",
    help="See and edit who is watched: the wallets file that the configuration names.",
    help_epilogue="",
    help_format="plaintext",
    version_flags=(),
)
app.command(wallets)


@wallets.command(name="list", help_epilogue="")
def list_wallets(*, config: Path = DEFAULT_CONFIG) -> int:
    """Show every wallet: where it is looked for, at which limits, and who is told.

    Parameters
    ----------
    config
        The configuration.
    """
    from watcher.config import describe_wallet, load

    settings = load(config, secrets=False)
    say("".join(f"{describe_wallet(settings, wallet)}\n" for wallet in settings.wallets))
    return 0


@wallets.command(name="add", help_epilogue="")
def add_wallet(
    address: str,
    /,
    *,
    label: str | None = None,
    chain: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    protocol: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    chat: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    warn: Decimal | None = None,
    critical: Decimal | None = None,
    target: Decimal | None = None,
    config: Path = DEFAULT_CONFIG,
) -> int:
    """Watch one more address.

    Parameters
    ----------
    address
        With its EIP-55 checksum.
    label
        What to call it.
    chain
        Look there only; may be given several times.
    protocol
        Look at this protocol or deployment only; may be given several times.
    chat
        Tell only this chat or webhook; may be given several times.
    warn
        Warn below this health.
    critical
        Critical below this health.
    target
        The health that advice aims at.
    config
        The configuration.
    """
    from watcher.wallets import Add

    given = {"warn": warn, "critical": critical, "target": target}
    limits = {key: limit for key, limit in given.items() if limit is not None}
    return _edit(config, Add(address=address, label=label, chains=chain, protocols=protocol, chats=chat, rules=limits))


@wallets.command(name="remove", help_epilogue="")
def remove_wallet(wallet: str, /, *, config: Path = DEFAULT_CONFIG) -> int:
    """Watch a wallet no longer.

    Parameters
    ----------
    wallet
        Its address or label.
    config
        The configuration.
    """
    from watcher.wallets import Remove

    return _edit(config, Remove(wallet))


def _edit(config: Path, change: Change) -> int:
    from watcher.wallets import edit_wallets

    edit = edit_wallets(config, change)
    edit.save()
    told = [f"{edit.path}:", *(f"  {line}" for line in edit.lines)]
    told.append("A running watcher takes it over within seconds; at once with: systemctl reload watcher")
    say("\n".join(told) + "\n")
    return 0


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


def _settings_for(addresses: Sequence[str], config: Path | None, chains: Sequence[str]) -> Settings:
    """From the file where one is named or lies here; addresses alone will do too. Raises `ConfigError`."""
    from watcher.config import for_addresses, load

    if config is not None or DEFAULT_CONFIG.exists():
        return load(config or DEFAULT_CONFIG, addresses=addresses, chains=chains, telegram=False)
    if not addresses:
        raise ConfigError("nothing to look at: name addresses, or a configuration with --config (no ./watcher.toml)")
    return for_addresses(addresses, chains=chains)


def _waiting_for(settings: Settings, doing: str = "reading") -> Status:
    from rich.console import Console

    return Console(stderr=True).status(f"{doing} {', '.join(spec.title for spec in settings.chains.values())} …")


def _tell_bug(bug: Exception, *, debug: bool) -> None:
    if debug:
        import traceback

        sys.stderr.write("".join(traceback.format_exception(bug)))
    words = " ".join(str(bug).split())
    more = "" if debug else "; --traceback or WATCHER_DEBUG=1 shows where"
    sys.stderr.write(f"bug: {type(bug).__name__}{f': {words}' if words else ''}{more}\n")
