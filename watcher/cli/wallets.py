"""The commands that see and edit who is watched."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from watcher.cli.app import DEFAULT_CONFIG, Chains, app
from watcher.terminal import say

if TYPE_CHECKING:
    from watcher.wallets import Change

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
    chain: Chains = (),
    protocol: Chains = (),
    chat: Chains = (),
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
