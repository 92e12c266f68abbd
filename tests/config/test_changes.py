"""Seeing that a configuration was edited."""

import os
from pathlib import Path

import pytest

from tests.config.conftest import OTHER_WALLET, WALLET
from watcher.config.changes import FileChanges

MAIN = 'wallets_file = "wallets.toml"\nprotocols_file = "local.toml"\n'
WORLD = 'feeds_file = "feeds.csv"\n[chains.local]\nendpoints = ["http://127.0.0.1/${file:node.key}"]\n'
SECRETS = """
[telegram]
token = "${file:bot.token}"
[endpoints]
local = ["https://a.b/${credential:rpc_key}", { url = "https://c.d", headers = { Authorization = "${file:bearer}" } }]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "watcher.toml"
    path.write_text(MAIN)
    (tmp_path / "wallets.toml").write_text(f'[[wallets]]\naddress = "{WALLET}"\n')
    (tmp_path / "local.toml").write_text("")
    return path


@pytest.fixture
def secretive(path: Path) -> Path:
    """The same with secrets of every kind, and a world that names files in turn; none of these are there yet."""
    path.write_text(MAIN + SECRETS)
    path.with_name("local.toml").write_text(WORLD)
    path.with_name("credentials").mkdir()
    return path


def beside(path: Path) -> FileChanges:
    return FileChanges(path, {"CREDENTIALS_DIRECTORY": str(path.with_name("credentials"))})


def write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def looks(changes: FileChanges, times: int = 5) -> list[bool]:
    return [changes.settled() for _ in range(times)]


def test_it_tells_nothing_while_nothing_changes(path: Path) -> None:
    assert looks(FileChanges(path)) == [False] * 5


@pytest.mark.parametrize("name", ["watcher.toml", "wallets.toml", "local.toml"])
def test_it_tells_a_change_of_any_file_once_at_the_second_look(path: Path, name: str) -> None:
    changes = FileChanges(path)
    file = path.with_name(name)
    file.write_text(file.read_text() + "# more\n")

    assert looks(changes) == [False, True, False, False, False]


def test_it_waits_for_a_file_that_is_still_being_written(path: Path) -> None:
    changes = FileChanges(path)
    told = []
    for part in ("[", "[[wallets", f']]\naddress = "{OTHER_WALLET}"\n'):
        with path.open("a") as file:
            file.write(part)
        told.append(changes.settled())

    assert told == [False, False, False]
    assert looks(changes, 2) == [True, False]


def test_it_tells_a_broken_file_once_and_then_its_repair(path: Path) -> None:
    changes = FileChanges(path)
    path.write_text("[[wall")
    broken = looks(changes)
    path.write_text(MAIN + "interval = 5\n")

    assert (broken.count(True), looks(changes).count(True)) == (1, 1)


def test_it_sees_the_wallets_file_of_a_configuration_that_is_broken_now(path: Path) -> None:
    changes = FileChanges(path)
    path.write_text("[[wall")
    looks(changes)
    path.with_name("wallets.toml").write_text("# edited")

    assert looks(changes).count(True) == 1


def test_it_follows_watcher_toml_to_another_wallets_file(path: Path) -> None:
    changes = FileChanges(path)
    path.write_text('wallets_file = "others.toml"\n')
    assert looks(changes).count(True) == 1
    path.with_name("others.toml").write_text("# here now")

    assert looks(changes).count(True) == 1


def test_it_tells_when_a_file_goes_and_when_it_comes_back_different(path: Path) -> None:
    changes = FileChanges(path)
    path.unlink()
    gone = looks(changes)
    path.write_text(MAIN + "# again")

    assert (gone.count(True), looks(changes).count(True)) == (1, 1)


def test_it_tells_nothing_when_a_file_is_saved_as_it_was(path: Path) -> None:
    changes = FileChanges(path)
    os.utime(path, (1, 1))
    new = path.with_name("new")
    new.write_text(MAIN)
    new.replace(path)

    assert looks(changes) == [False] * 5


def test_it_tells_a_link_that_is_turned_over(path: Path) -> None:
    wallets = path.with_name("wallets.toml")
    wallets.rename(path.with_name("first.toml"))
    path.with_name("second.toml").write_text("# other")
    wallets.symlink_to("first.toml")
    changes = FileChanges(path)
    wallets.unlink()
    wallets.symlink_to("second.toml")

    assert looks(changes).count(True) == 1


def test_it_tells_nothing_of_what_was_read_on_request(path: Path) -> None:
    changes = FileChanges(path)
    path.write_text(MAIN + "# edited")
    changes.note()

    assert looks(changes) == [False] * 5


@pytest.mark.parametrize("name", ["bot.token", "bearer", "credentials/rpc_key", "node.key", "feeds.csv"])
def test_it_tells_a_secret_or_a_list_that_comes_changes_and_goes(secretive: Path, name: str) -> None:
    file = secretive.parent / name
    changes = beside(secretive)
    told = []
    for text in ("first", "second", "second", None):
        if text is None:
            file.unlink()
        else:
            write(file, text)
        told.append(looks(changes).count(True))

    assert told == [1, 1, 0, 1]


def test_it_tells_a_secret_that_others_may_no_longer_read(secretive: Path) -> None:
    key = secretive.with_name("bot.token")
    write(key, "secret")
    key.chmod(0o644)
    changes = beside(secretive)
    key.chmod(0o600)

    assert looks(changes) == [False, True, False, False, False]


def test_it_sees_the_secrets_of_a_configuration_that_is_broken_now(secretive: Path) -> None:
    changes = beside(secretive)
    secretive.write_text("[[wall")
    secretive.with_name("local.toml").write_text("[chains")
    looks(changes)
    told = []
    for name in ("bot.token", "node.key"):
        write(secretive.with_name(name), "mended")
        told.append(looks(changes).count(True))

    assert told == [1, 1]


def test_it_follows_no_reference_that_names_no_file(path: Path) -> None:
    path.write_text(
        'a = ["${env:X}", "${credential:../x}", "${file:}", "${vault:y}", "${file:a\\u0000b}", "${file:"]\n'
    )
    changes = FileChanges(path, {"CREDENTIALS_DIRECTORY": "/none"})
    assert changes._files() == [path]


def test_it_is_not_held_up_by_a_pipe_in_place_of_a_secret(secretive: Path) -> None:
    os.mkfifo(secretive.with_name("bot.token"))
    assert looks(beside(secretive)) == [False] * 5
