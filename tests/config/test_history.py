"""`[history]`: for how long, or not at all."""

from __future__ import annotations

import pytest

from tests.config.conftest import WALLET, Load, Refuse
from watcher.config import describe

DAY = 86_400
ONE = f'[[wallets]]\naddress = "{WALLET}"\n'


@pytest.mark.parametrize(
    ("text", "seconds", "told"),
    [
        ("", 90 * DAY, "history: kept for 90d"),
        ("[history]\n", 90 * DAY, "history: kept for 90d"),
        ('[history]\nkeep = "1d"\n', DAY, "history: kept for 1d"),
        ('[history]\nkeep = "3650d"\n', 3650 * DAY, "history: kept for 3650d"),
        ('[history]\nkeep = "off"\n', 0, "history: none is kept"),
    ],
)
def test_it_keeps_history_for_as_long_as_asked(load_text: Load, text: str, seconds: int, told: str) -> None:
    settings = load_text(text + ONE)
    assert settings.history == seconds
    assert told in describe(settings)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (
            '"23h"',
            'history.keep: "23h" is not a duration from "1d" to "3650d", such as "90d", or "off" to keep nothing',
        ),
        ('"3651d"', 'history.keep: "3651d" is not a duration from'),
        ('"no"', 'history.keep: "no" is not a duration from'),
        ("90", 'history.keep: 90 has no unit; write a duration in quotes, such as "90s"'),
        ("false", "history.keep: false is not a duration from"),
    ],
)
def test_it_refuses_a_time_that_cannot_be_kept(refusal: Refuse, value: str, problem: str) -> None:
    assert problem in refusal(f"[history]\nkeep = {value}\n{ONE}")


def test_it_refuses_a_history_that_is_no_table_or_has_another_key(refusal: Refuse) -> None:
    assert 'history: "90d" is not a table' in refusal('history = "90d"\n' + ONE)
    assert "history.kept" in refusal('[history]\nkept = "90d"\n' + ONE)
