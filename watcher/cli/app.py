"""The command line as a whole, and what its commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from watcher import __version__
from watcher.domain.errors import ConfigError

if TYPE_CHECKING:
    from rich.status import Status

    from watcher.config import Settings

FAILED = 3
"""Exit code of whatever could not be done: wrong usage, wrong configuration, a bug."""
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
DEFAULT_CONFIG = Path("watcher.toml")

Clock = Callable[[], float]
Injected = Parameter(parse=False)
AsJson = Annotated[bool, Parameter(name="--json", negative="", show_default=False)]
Chains = Annotated[tuple[str, ...], Parameter(negative="", show_default=False)]

_EXAMPLES = """Examples:

  watcher check 0x…                   all known markets; needs no file
  watcher check --chain base --json   wallets of ./watcher.toml, for machines
  watcher feeds --tree                which prices these rest on, and how old
  watcher validate --online           is all that ./watcher.toml names there?
  watcher doctor                      is everything well that alerts depend on?
  watcher wallets add 0x… --label desk
  watcher history desk --since 7d --format csv
  watcher run --config /etc/watcher/watcher.toml

Exit codes: 3 for wrong usage or configuration; check --help tells its others.
With --traceback, or WATCHER_DEBUG=1, a bug says where it is."""
app = App(
    name="watcher",
    help="Watches lending positions and says in time when one drifts towards liquidation. Holds no keys.",
    help_epilogue=_EXAMPLES,
    help_format="plaintext",
    version=__version__,
    version_format="plaintext",
    suppress_keyboard_interrupt=False,
)


def settings_for(addresses: Sequence[str], config: Path | None, chains: Sequence[str]) -> Settings:
    """From the file where one is named or lies here; addresses alone will do too. Raises `ConfigError`."""
    from watcher.config import for_addresses, load

    if config is not None or DEFAULT_CONFIG.exists():
        return load(config or DEFAULT_CONFIG, addresses=addresses, chains=chains, telegram=False)
    if not addresses:
        raise ConfigError("nothing to look at: name addresses, or a configuration with --config (no ./watcher.toml)")
    return for_addresses(addresses, chains=chains)


def waiting_for(settings: Settings, doing: str = "reading") -> Status:
    from rich.console import Console

    return Console(stderr=True).status(f"{doing} {', '.join(spec.title for spec in settings.chains.values())} …")
