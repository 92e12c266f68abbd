"""How long what was found out about where wallets hold anything is believed: `[discovery]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from watcher.config.forms import duration
from watcher.config.refusal import Form, Problems, Right

DEFAULT_EVERY: Final = 300

Every = Annotated[int, Right('a duration from "10s" to "1d", such as "5m"', duration(10, 86_400))]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryForm(Form):
    """`[discovery]`."""

    every: Every = DEFAULT_EVERY


def read_discovery(table: Mapping[str, Any], problems: Problems) -> int:
    """For how many seconds."""
    return problems.fill_what_fits(DiscoveryForm, table, "discovery").every
