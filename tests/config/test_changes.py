"""Seeing that a configuration was edited."""

import os
from pathlib import Path

import pytest

from tests.config.conftest import OTHER_WALLET, WALLET
from watcher.config.changes import FileChanges

MAIN = 'wallets_file = "wallets.toml"\nprotocols_file = "local.toml"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "watcher.toml"
    path.write_text(MAIN)
    (tmp_path / "wallets.toml").write_text(f'[[wallets]]\naddress = "{WALLET}"\n')
    (tmp_path / "local.toml").write_text("")
    return path


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
