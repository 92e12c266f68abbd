"""`[discovery]`, and the smart wallets that a wallet names as its own."""

from __future__ import annotations

import pytest

from tests.config.conftest import OTHER_WALLET, WALLET, Load, Refuse
from watcher.config import describe
from watcher.domain.source import Holder
from watcher.protocols.owners import Registries
from watcher.snapshot import watched_on

ONE = f'[[wallets]]\naddress = "{WALLET}"\nchains = ["ethereum"]\n'


@pytest.mark.parametrize(
    ("text", "seconds", "told"),
    [("", 300, "5m"), ("[discovery]\n", 300, "5m"), ('[discovery]\nevery = "90s"\n', 90, "90s")],
)
def test_it_believes_for_as_long_as_asked_where_wallets_hold_anything(
    load_text: Load, text: str, seconds: int, told: str
) -> None:
    settings = load_text(text + ONE)
    assert settings.discovery == seconds
    assert f"discovery: every {told} where wallets hold anything" in describe(settings)
    assert {one.discovered_for for one in watched_on("ethereum", settings)} == {seconds}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('every = "9s"', 'discovery.every: "9s" is not a duration from "10s" to "1d", such as "5m"'),
        ('every = "25h"', 'discovery.every: "25h" is not a duration from'),
        ("every = 300", 'discovery.every: 300 has no unit; write a duration in quotes, such as "300s"'),
        ("evry = 300", "discovery.evry"),
    ],
)
def test_it_refuses_what_is_no_such_time(refusal: Refuse, text: str, problem: str) -> None:
    assert problem in refusal(f"[discovery]\n{text}\n{ONE}")


def test_it_looks_for_the_smart_wallets_that_are_named(load_text: Load) -> None:
    settings = load_text(f'{ONE}accounts = ["{OTHER_WALLET}"]\n')
    [wallet] = settings.wallets
    assert wallet.accounts == (OTHER_WALLET,)
    for one in watched_on("ethereum", settings):
        assert one.holders == (Holder.of(wallet.address), Holder(wallet=wallet.address, account=wallet.accounts[0]))
    assert any(f"with the smart wallets {OTHER_WALLET}" in line for line in describe(settings))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("[]", "wallets[1].accounts: "),
        (f'"{OTHER_WALLET}"', f'is not a list; write ["{OTHER_WALLET}"]'),
        (f'["{OTHER_WALLET.lower()}"]', "is not a checksummed address"),
        (f'["0x{"0" * 40}"]', "is the zero address"),
        ('["safe.eth"]', "is a name, and names are not looked up"),
        ("[5]", "wallets[1].accounts: "),
        (f'["{WALLET}"]', "is there already; write each smart wallet once"),
        (f'["{OTHER_WALLET}", "{OTHER_WALLET}"]', "is there already; write each smart wallet once"),
    ],
)
def test_it_refuses_what_is_no_list_of_smart_wallets(refusal: Refuse, value: str, problem: str) -> None:
    assert problem in refusal(f"{ONE}accounts = {value}\n")


def test_it_knows_the_registries_of_smart_wallets(load_text: Load) -> None:
    settings = load_text(f'[[wallets]]\naddress = "{WALLET}"\n')
    told = {chain: watched_on(chain, settings)[0].registries for chain in settings.chains}
    assert told["ethereum"].proxies is not None
    assert {chain for chain, one in told.items() if one.dsas} == {
        *("ethereum", "polygon", "arbitrum", "optimism", "avalanche", "base")
    }
    assert told["gnosis"] == Registries()
