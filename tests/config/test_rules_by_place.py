"""Rules by protocol and by deployment: the more exact word counts, and a wallet's before everyone's."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.config.conftest import WALLET, Load
from watcher.domain.errors import ConfigError

BASE, ETHEREUM = "aave_v3_base", "aave_v3_ethereum"


def wallet(more: str = "") -> str:
    return f'[[wallets]]\naddress = "{WALLET}"\n{more}\n'


@pytest.mark.parametrize(
    ("everyone", "own", "base", "ethereum"),
    [
        ("", "", "1.30", "1.30"),
        ("warn = 1.31", "", "1.31", "1.31"),
        ("warn = 1.31\n[rules.aave_v3]\nwarn = 1.32", "", "1.32", "1.32"),
        ("[rules.aave_v3]\nwarn = 1.32\n[rules.aave_v3_base]\nwarn = 1.33", "", "1.33", "1.32"),
        ("[rules.aave_v3_base]\nwarn = 1.33\n[rules.aave_v3]\nwarn = 1.32", "", "1.33", "1.32"),
        ("[rules.aave_v3_base]\nwarn = 1.33", "warn = 1.34", "1.34", "1.34"),
        ("", "warn = 1.34\nrules.aave_v3 = { warn = 1.35 }", "1.35", "1.35"),
        ("", "rules.aave_v3_base = { warn = 1.36 }\nrules.aave_v3 = { warn = 1.35 }", "1.36", "1.35"),
        ("warn = 1.31\n[rules.aave_v3]\ncritical = 1.2", "rules.aave_v3_base = { target = 2 }", "1.31", "1.31"),
    ],
)
def test_it_takes_the_more_exact_word(load_text: Load, everyone: str, own: str, base: str, ethereum: str) -> None:
    [found] = load_text(f"[rules]\n{everyone}\n{wallet(own)}").wallets

    assert found.rules_at(BASE).warn == Decimal(base)
    assert found.rules_at(ETHEREUM).warn == Decimal(ethereum)


def test_it_keeps_what_the_more_exact_place_does_not_say(load_text: Load) -> None:
    text = f'[rules]\nremind = "1h"\n[rules.aave_v3]\ncritical = 1.2\n{wallet("rules.aave_v3_base = { target = 2 }")}'
    [found] = load_text(text).wallets
    rules = found.rules_at(BASE)

    assert (rules.remind, rules.critical, rules.target) == (3600, Decimal("1.2"), Decimal(2))
    assert (found.rules.remind, found.rules.critical, found.rules.target) == (3600, Decimal("1.10"), Decimal("1.50"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"[rules.aave_v9]\nwarn = 1.5\n{wallet()}", "not a known protocol or deployment; did you mean"),
        (
            f"[rules.aave_v3]\nwarm = 1.5\n{wallet()}",
            'rules.aave_v3.warm: "warm" is not a known key; did you mean "warn"',
        ),
        (f"[rules.aave_v3]\nwarn = 1.05\n{wallet()}", "rules.aave_v3.warn: critical 1.10 (not set here) is not below"),
        (wallet("rules.aave_v3 = { warn = 9 }"), "wallets[1].rules.aave_v3.warn: warn 9 is not below target 1.50"),
        (wallet("rules.aave_v3 = 1.5"), "wallets[1].rules.aave_v3: 1.5 is not a table; write it by protocol"),
        (wallet("rules.warn = 1.5"), "wallets[1].rules.warn: 1.5 is not a table"),
        (wallet("rules.mainnet = { warn = 1.5 }"), 'wallets[1].rules: "mainnet" is not a known protocol or deployment'),
    ],
)
def test_it_refuses_what_names_no_place_or_makes_no_sense_there(load_text: Load, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_text(text)
    assert words in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
