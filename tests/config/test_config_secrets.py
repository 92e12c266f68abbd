"""References to secrets: found where they say, and only where nobody else can read them."""

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from watcher.config.secrets import References


class Place(NamedTuple):
    file: Path
    text: str
    references: References


@pytest.fixture(params=["file", "credential"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    file = tmp_path / "key"
    file.write_text("canary\n")
    file.chmod(0o600)
    return Place(file, f"${{{request.param}:key}}", References(tmp_path, {"CREDENTIALS_DIRECTORY": str(tmp_path)}))


def told(place: Place) -> str:
    with pytest.raises(ValueError, match=r"\$") as refused:
        place.references.resolve(place.text)
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None or "canary" not in str(refused.value.__cause__)
    return str(refused.value)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_it_reads_a_private_file_without_the_line_end(place: Place, mode: int) -> None:
    place.file.chmod(mode)

    resolved = place.references.resolve(f"https://a.b/{place.text}/x")

    assert (resolved.text, resolved.secrets) == ("https://a.b/canary/x", ("canary",))
    assert "canary" not in repr(resolved)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602, 0o620])
def test_it_refuses_a_file_that_others_can_use(place: Place, mode: int) -> None:
    place.file.chmod(mode)

    assert told(place) == (f"{place.text} can be used by others (mode {mode:04o}); write: chmod 600 {place.file}")


def test_it_takes_the_readable_group_of_credentials_only(place: Place) -> None:
    place.file.chmod(0o440)

    if "credential" in place.text:
        assert place.references.resolve(place.text).text == "canary"
    else:
        assert "mode 0440" in told(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_it_refuses_a_file_of_somebody_else(place: Place) -> None:
    os.chown(place.file, 4321, 0)

    assert f"belongs to user 4321; it must be ours or root's: chown {place.file}" in told(place)


@pytest.mark.parametrize("raw", [b"", b"\n", b"  \n"])
def test_it_refuses_an_empty_secret(place: Place, raw: bytes) -> None:
    place.file.write_bytes(raw)

    assert told(place) == f"{place.text} is empty; put the secret in it"


@pytest.mark.parametrize("raw", [b"canary\ncanary\n", b"canary\tcanary", b"canary\0"])
def test_it_refuses_more_than_one_line(place: Place, raw: bytes) -> None:
    place.file.write_bytes(raw)

    assert "holds more than one line or unprintable characters" in told(place)


def test_it_refuses_what_is_no_text(place: Place) -> None:
    place.file.write_bytes(b"canary\xff")

    assert told(place) == f"{place.text} is not UTF-8 text: {place.file}"


def test_it_refuses_a_secret_of_absurd_size(place: Place) -> None:
    place.file.write_bytes(b"canary" * 20_000)

    assert "larger than the 64 KiB we read" in told(place)


def test_it_says_where_it_looked(place: Place) -> None:
    place.file.unlink()

    assert told(place) == f"{place.text} cannot be found: looked for {place.file}"


def test_it_refuses_a_directory(place: Place) -> None:
    place.file.unlink()
    place.file.mkdir(mode=0o700)

    assert str(place.file) in told(place)


def test_it_does_not_wait_at_a_pipe(place: Place) -> None:
    place.file.unlink()
    os.mkfifo(place.file, 0o600)

    assert told(place) == f"{place.text} is not a regular file: {place.file}"


def test_it_reads_a_link_as_the_file_behind_it(place: Place) -> None:
    moved = place.file.rename(place.file.with_name("moved"))
    place.file.symlink_to(moved)

    assert place.references.resolve(place.text).text == "canary"


def test_it_finds_a_file_by_an_absolute_path(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("canary")
    (tmp_path / "key").chmod(0o600)

    assert References(Path("/nowhere"), {}).resolve(f"${{file:{tmp_path}/key}}").text == "canary"


def test_it_reads_what_a_secret_says_as_text_and_never_as_a_reference() -> None:
    references = References(Path(), {"A": "${env:B}", "B": "canary"})

    assert references.resolve("${env:A}").text == "${env:B}"
