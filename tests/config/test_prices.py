"""`[prices]`: what prices may do before they are suspect, for all of them."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest

from tests.config.conftest import WALLET
from watcher.config import load
from watcher.config.describe import describe
from watcher.config.prices import PricesForm
from watcher.domain.errors import ConfigError
from watcher.risk.doubts import Limits

ONE = f'\n[[wallets]]\naddress = "{WALLET}"\nchains = ["base"]\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "watcher.toml"
    path.write_text(text + ONE)
    return path


def test_it_has_a_key_for_every_limit() -> None:
    assert {each.name for each in fields(PricesForm)} == {each.name for each in fields(Limits)}


def test_it_is_as_written_and_else_as_by_default(tmp_path: Path) -> None:
    read = load(written(tmp_path, '[prices]\njump = 0.2\njump_within = "30m"\nunchanged = 20'), environ={})
    assert (read.limits.jump, read.limits.jump_within, read.limits.unchanged) == (Decimal("0.2"), 1800, 20)
    assert read.limits.deviation == Limits().deviation
    assert load(written(tmp_path, ""), environ={}).limits == Limits()


def test_it_is_described_where_it_is_not_as_by_default(tmp_path: Path) -> None:
    lines = describe(load(written(tmp_path, '[prices]\njump_within = "30m"\ndeviation = 0.05'), environ={}))
    assert 'prices: jump_within = "30m", deviation = 0.05' in lines
    assert not any(line.startswith("prices") for line in describe(load(written(tmp_path, ""), environ={})))


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("jump = 0", "prices.jump", "0 is not a fraction above 0 and at most 10, such as 0.20"),
        ('jump = "0.5"', "prices.jump", "write the number without quotes"),
        ("jump_within = 30", "prices.jump_within", '30 has no unit; write a duration in quotes, such as "30s"'),
        ('jump_within = "10s"', "prices.jump_within", '"10s" is not a duration from "1m" to "7d"'),
        ("deviation = 1", "prices.deviation", "1 is not a fraction above 0 and below 1"),
        ("growth = -1", "prices.growth", "-1 is not a fraction above 0 and below 1"),
        ("unchanged = 1", "prices.unchanged", "1 is not a whole number of heartbeats from 2 to 1000, such as 8"),
        ("deviance = 0.1", "prices.deviance", '"deviance" is not a known key; did you mean "deviation"?'),
    ],
)
def test_it_refuses_what_makes_no_sense(tmp_path: Path, text: str, where: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, f"[prices]\n{text}"), environ={})
    assert f"{where}: " in str(refused.value)
    assert words in str(refused.value)


def test_a_wallet_has_its_own_word_on_whether_to_be_told(tmp_path: Path) -> None:
    [wallet] = load(
        written(tmp_path, "[rules]\nunknown_age = true\n[rules.aave_v3]\nsuspect = false"), environ={}
    ).wallets
    assert (wallet.rules.suspect, wallet.rules.unknown_age) == (True, True)
    assert not wallet.rules_at("aave_v3_base").suspect
