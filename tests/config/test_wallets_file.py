"""Wallets in a file of their own."""

from pathlib import Path

import pytest

from tests.config.conftest import BOT_TOKEN, OTHER_WALLET, WALLET, Load, Refuse
from watcher.config import load, named_files

NAMED = 'wallets_file = "wallets.toml"\n'
ONE = f'[[wallets]]\nlabel = "one"\naddress = "{WALLET}"\n'
TWO = f'[[wallets]]\nlabel = "two"\naddress = "{OTHER_WALLET}"\n'
RPC = '[endpoints]\nbase = ["https://a.b/${credential:rpc}", "${credential:whole}"]\n'
BOT = '[telegram]\ntoken = "${credential:token}"\n[chats.me]\nid = 5\n'


@pytest.fixture
def wallets(tmp_path: Path) -> Path:
    return tmp_path / "wallets.toml"


def test_it_reads_the_wallets_of_both_files(load_text: Load, wallets: Path) -> None:
    wallets.write_text(TWO)
    settings = load_text(NAMED + ONE)

    assert [wallet.label for wallet in settings.wallets] == ["one", "two"]
    assert settings.wallets_file == wallets


def test_it_needs_no_wallet_in_watcher_toml_when_the_other_file_has_one(load_text: Load, wallets: Path) -> None:
    wallets.write_text(TWO + 'warn = 1.45\nchats = ["me"]\n')
    settings = load_text(f'{NAMED}[telegram]\ntoken = "${{env:TOKEN}}"\n[chats.me]\nid = 5\n[rules]\ncritical = 1.2')

    assert [(str(wallet.rules.warn), str(wallet.rules.critical)) for wallet in settings.wallets] == [("1.45", "1.2")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TWO.replace("E3E", "E3F"), 'wallets[1].address: "0xfB69'),
        (TWO + "wern = 2", 'wallets[1].wern: "wern" is not a known key; did you mean "warn"?'),
        ("[rules]\nwarn = 2\n" + TWO, 'rules: "rules" is not a known key; known: wallets'),
        ("wallets = 5", "wallets: 5 is not a list of tables"),
        ("[[wallets]", "not valid TOML"),
        (TWO + f'# token = "{BOT_TOKEN}"', "line 4: a Telegram bot token must not stand in this file"),
    ],
)
def test_it_names_the_file_that_is_wrong(refusal: Refuse, wallets: Path, text: str, told: str) -> None:
    wallets.write_text(text)

    assert f"{wallets}: {told}" in refusal(NAMED + ONE)


def test_it_tells_the_problems_of_both_files_together(refusal: Refuse, wallets: Path, tmp_path: Path) -> None:
    wallets.write_text(TWO + "wern = 2")
    told = refusal(NAMED + "intervall = 5\n" + ONE)

    assert f"{tmp_path / 'watcher.toml'}: intervall: " in told
    assert f"{wallets}: wallets[1].wern: " in told


def test_it_refuses_a_wallet_or_a_label_that_both_files_have(refusal: Refuse, wallets: Path, tmp_path: Path) -> None:
    wallets.write_text(ONE.replace("one", "again") + TWO.replace("two", "ONE"))

    assert refusal(NAMED + ONE).splitlines() == [
        f'{wallets}: wallets[1].address: "{WALLET}" is wallets[1] of {tmp_path / "watcher.toml"} already;'
        " write each wallet once",
        f'{wallets}: wallets[2].label: "ONE" is the label of wallets[1] of {tmp_path / "watcher.toml"} already;'
        " write one that tells them apart",
    ]


def test_it_refuses_a_file_that_is_not_there(refusal: Refuse, wallets: Path) -> None:
    told = refusal(NAMED + ONE)

    assert f'wallets_file: "wallets.toml" is no file: looked for {wallets}' in told
    assert "watcher wallets add" in told


def test_it_refuses_two_files_without_any_wallet(refusal: Refuse, wallets: Path) -> None:
    wallets.write_text("# none yet\n")

    assert "wallets: none is given" in refusal(NAMED)


def test_it_validates_without_secrets_where_they_are_out_of_reach(tmp_path: Path) -> None:
    path = tmp_path / "watcher.toml"
    path.write_text(BOT + RPC + ONE)

    assert [wallet.label for wallet in load(path, secrets=False, environ={}).wallets] == ["one"]


@pytest.mark.parametrize("written", ["${secret:x}", "${credential:a/b}", "${env:a b}", "${open"])
def test_it_still_refuses_a_reference_that_is_badly_written(refusal: Refuse, written: str) -> None:
    assert "endpoints.base[1]" in refusal(f'[endpoints]\nbase = ["https://a.b/{written}"]\n{ONE}', secrets=False)


def test_it_tries_an_edit_of_the_wallets_without_the_file(load_text: Load, wallets: Path) -> None:
    settings = load_text(NAMED + ONE, wallets_text=TWO)

    assert [wallet.label for wallet in settings.wallets] == ["one", "two"]
    assert not wallets.exists()


def test_it_names_the_other_files_even_of_a_configuration_that_is_not_valid(tmp_path: Path) -> None:
    path = tmp_path / "watcher.toml"
    path.write_text('wallets_file = "a.toml"\nprotocols_file = 5\nnonsense = 1\n')

    named = named_files(path, {})
    assert (named.wallets, named.protocols) == (tmp_path / "a.toml", None)
