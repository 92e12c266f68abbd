"""Editing the wallets file."""

import os
from decimal import Decimal
from pathlib import Path

import pytest

from tests.config.conftest import OTHER_WALLET, WALLET
from watcher.cli import main
from watcher.config import load
from watcher.domain.errors import ConfigError
from watcher.wallets import Add, Adjust, Change, Edit, Remove, edit_wallets

THIRD = "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB"
FOURTH = "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"  # all four from EIP-55

CONFIG = 'wallets_file = "wallets.toml"\n[telegram]\ntoken = "${credential:token}"\n[chats.me]\nid = 5\n'
FILE = f"""# Our wallets.
# Ask the desk before you change one.

# The cold one: multisig.
[[wallets]]
label = "cold"   # the vault
address = "{WALLET}"

# Trading, high risk
[[wallets]]
address = "{OTHER_WALLET}"
warn = 1.40  # agreed in May
label = "hot"
# no chains: all of them


[[wallets]]
label = "old"
address = "{THIRD}"
# the end
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "watcher.toml"
    path.write_text(CONFIG)
    (tmp_path / "wallets.toml").write_text(FILE)
    return path


def edited(config: Path, change: Change) -> Edit:
    return edit_wallets(config, change, environ={})


def test_it_adds_a_wallet_at_the_end_and_touches_nothing_else(config: Path) -> None:
    edit = edited(config, Add(address=FOURTH, label='the "new"', chains=["base"], rules={"warn": Decimal("1.40")}))

    assert edit.after == FILE + (
        f'\n[[wallets]]\nlabel = "the \\"new\\""\naddress = "{FOURTH}"\nchains = ["base"]\nwarn = 1.40\n'
    )
    [line] = edit.lines
    assert line.startswith(f'+ the "new" {FOURTH}: '), "then where, which is everything that is known on its chain"
    assert line.endswith("; warn below 1.40, critical below 1.10, target 1.50; to me")


@pytest.mark.parametrize(
    ("named", "gone"),
    [
        ("cold", FILE[FILE.index("# The cold") : FILE.index("# Trading")]),
        ("HOT", FILE[FILE.index("# Trading") : FILE.index('[[wallets]]\nlabel = "old"')]),
        (OTHER_WALLET.lower(), FILE[FILE.index("# Trading") : FILE.index('[[wallets]]\nlabel = "old"')]),
        ("old", FILE[FILE.index('[[wallets]]\nlabel = "old"') :]),
    ],
)
def test_it_removes_a_wallet_with_the_comment_above_it_and_nothing_else(config: Path, named: str, gone: str) -> None:
    edit = edited(config, Remove(named))

    assert edit.after == FILE.replace(gone, "")
    assert [line[:2] for line in edit.lines] == ["- "]


def test_it_keeps_a_comment_that_begins_the_file(config: Path) -> None:
    file = config.with_name("wallets.toml")
    file.write_text(f'# About all of them\n[[wallets]]\naddress = "{WALLET}"\n[[wallets]]\naddress = "{THIRD}"\n')

    assert edited(config, Remove(WALLET)).after == f'# About all of them\n[[wallets]]\naddress = "{THIRD}"\n'


def test_it_changes_a_limit_in_its_place_and_puts_new_ones_after_the_last_key(config: Path) -> None:
    edit = edited(config, Adjust("hot", {"warn": Decimal("1.45"), "critical": Decimal("1.2"), "remind": "2h"}))

    assert edit.after == FILE.replace("warn = 1.40  # agreed", "warn = 1.45  # agreed").replace(
        'label = "hot"\n', 'label = "hot"\ncritical = 1.2\nremind = "2h"\n'
    )
    assert [line.partition(";")[2] for line in edit.lines] == [
        " warn below 1.40, critical below 1.10, target 1.50; to me",
        ' warn below 1.45, critical below 1.2, target 1.50; remind = "2h"; to me',
    ]


def test_it_takes_a_wallets_own_limit_back(config: Path) -> None:
    edit = edited(config, Adjust("hot", {"warn": None, "critical": None}))

    assert edit.after == FILE.replace("warn = 1.40  # agreed in May\n", "")


def test_it_keeps_the_line_ends_of_the_file(config: Path) -> None:
    file = config.with_name("wallets.toml")
    file.write_bytes(FILE.replace("\n", "\r\n").encode())

    for change in (Add(address=FOURTH), Remove("hot"), Adjust("cold", {"critical": Decimal("1.2")})):
        after = edited(config, change).after
        assert after.count("\n") == after.count("\r\n") > 10


def test_it_adds_to_a_file_without_a_last_line_end(config: Path) -> None:
    file = config.with_name("wallets.toml")
    file.write_text(f'[[wallets]]\naddress = "{WALLET}"')

    assert edited(config, Add(address=THIRD)).after == (
        f'[[wallets]]\naddress = "{WALLET}"\n\n[[wallets]]\naddress = "{THIRD}"\n'
    )


def test_it_makes_the_file_that_is_named_and_not_there(config: Path) -> None:
    file = config.with_name("wallets.toml")
    file.unlink()
    edited(config, Add(address=WALLET)).save()

    assert [wallet.address for wallet in load(config, secrets=False).wallets] == [WALLET]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Add(address=FOURTH.lower()), f'wallets[4].address: "{FOURTH.lower()}" is not a checksummed address'),
        (Add(address=WALLET), f'wallets[4].address: "{WALLET}" is wallets[1] already'),
        (Add(address=FOURTH, label="Hot"), 'wallets[4].label: "Hot" is the label of wallets[2] already'),
        (Add(address=FOURTH, chains=["bse"]), 'wallets[4].chains: "bse" is not a known chain; did you mean "base"?'),
        (Add(address=FOURTH, chats=["you"]), 'wallets[4].chats: "you" is not a known chat; known: me'),
        (Add(address=FOURTH, rules={"warn": Decimal("0.9")}), "wallets[4].warn: 0.9 is not a health above 1"),
        (Adjust("hot", {"critical": Decimal("1.41")}), "critical 1.41 is not below warn 1.40"),
        (Adjust("hot", {"wern": Decimal("1.41")}), 'wallets[2].wern: "wern" is not a known key'),
        (Remove("colt"), '"colt" is not a known wallet; did you mean "cold"?'),
    ],
)
def test_it_refuses_what_would_not_be_valid(config: Path, change: Change, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        edited(config, change)

    assert told in str(refused.value)


def test_it_refuses_to_remove_the_last_wallet(config: Path) -> None:
    config.with_name("wallets.toml").write_text(f'[[wallets]]\naddress = "{WALLET}"\n')

    with pytest.raises(ConfigError, match="none is given"):
        edited(config, Remove(WALLET))


def test_it_refuses_to_edit_what_stands_in_watcher_toml_itself(config: Path) -> None:
    config.write_text(f'{CONFIG}[[wallets]]\nlabel = "fixed"\naddress = "{FOURTH}"\n')

    with pytest.raises(ConfigError, match=r"fixed stands in .*watcher\.toml itself, which is edited by hand only"):
        edited(config, Remove("fixed"))


def test_it_says_which_key_is_missing_where_no_wallets_file_is_named(config: Path) -> None:
    config.write_text(f'[[wallets]]\naddress = "{WALLET}"\n')

    with pytest.raises(ConfigError, match=r'wallets_file: not set; write wallets_file = "wallets.toml"'):
        edited(config, Add(address=THIRD))


def test_it_leaves_a_list_on_one_line_to_those_who_wrote_it(config: Path) -> None:
    config.with_name("wallets.toml").write_text(f'wallets = [{{ address = "{WALLET}" }}]\n')

    with pytest.raises(ConfigError, match=r"commands edit only the form \[\[wallets\]\]"):
        edited(config, Add(address=THIRD))


def test_it_keeps_the_mode_of_the_file_and_the_link_to_it(config: Path, tmp_path: Path) -> None:
    file, real = config.with_name("wallets.toml"), tmp_path / "elsewhere" / "real.toml"
    real.parent.mkdir()
    file.rename(real)
    real.chmod(0o640)
    file.symlink_to(real)
    edited(config, Remove("old")).save()

    assert file.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert THIRD not in real.read_text()


def test_it_does_not_overwrite_what_somebody_else_wrote_meanwhile(config: Path) -> None:
    edit = edited(config, Remove("old"))
    edited(config, Add(address=FOURTH)).save()

    with pytest.raises(ConfigError, match="changed by somebody else meanwhile"):
        edit.save()
    assert FOURTH in config.with_name("wallets.toml").read_text()


def test_it_leaves_the_old_file_and_no_other_when_the_disk_refuses(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("watcher.wallets.os.fsync", full)
    with pytest.raises(ConfigError, match="cannot be written: No space left on device"):
        edited(config, Remove("old")).save()

    assert sorted(os.listdir(tmp_path)) == ["wallets.toml", "watcher.toml"]
    assert config.with_name("wallets.toml").read_text() == FILE


def test_it_edits_from_the_command_line_and_says_what_changed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wallets", "add", FOURTH, "--label", "new", "--warn", "1.40", "--config", str(config)]) == 0
    assert main(["wallets", "remove", "cold", "--config", str(config)]) == 0
    told = capsys.readouterr().out
    assert main(["wallets", "list", "--config", str(config)]) == 0

    assert f"+ new {FOURTH}: " in told
    assert f"- cold {WALLET}: " in told
    assert "systemctl reload watcher" in told
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["hot", "old", "new"]


def test_it_changes_nothing_on_the_command_line_when_it_refuses(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["wallets", "add", FOURTH.lower(), "--config", str(config)]) == 3

    assert f'write "{FOURTH}"' in capsys.readouterr().err
    assert config.with_name("wallets.toml").read_text() == FILE
