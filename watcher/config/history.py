"""How long the past is kept: `[history]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from watcher.config.forms import duration
from watcher.config.refusal import Form, Problems, Right

OFF: Final = "off"
DEFAULT_KEEP: Final = 90 * 86_400

_duration = duration(86_400, 3650 * 86_400)


def _keep(value: object) -> int | None:
    return 0 if value == OFF else _duration(value)


Keep = Annotated[int, Right('a duration from "1d" to "3650d", such as "90d", or "off" to keep nothing', _keep)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryForm(Form):
    """`[history]`."""

    keep: Keep = DEFAULT_KEEP


def read_history(table: Mapping[str, Any], problems: Problems) -> int:
    """For how many seconds points are kept; 0 for not at all."""
    return problems.fill_what_fits(HistoryForm, table, "history").keep
