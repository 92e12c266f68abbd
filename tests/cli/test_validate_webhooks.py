"""`watcher validate --online`, the webhooks, and the second way to people."""

from pathlib import Path

import pytest

from tests.daemon.dark import configure
from tests.notify.test_webhook import receiving
from watcher.config import load
from watcher.validate import Mark, look_online


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # the library's own import
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("json://127.0.0.1/canary", "✓ escalation: apprise knows the service"),
        ("nosuch://canary", "✗ escalation: escalation.url: apprise knows no such service"),
    ],
)
async def test_it_says_whether_the_service_of_the_escalation_is_known(tmp_path: Path, url: str, told: str) -> None:
    (tmp_path / "url").touch(mode=0o600)
    (tmp_path / "url").write_text(url)
    marks: list[Mark] = []
    await look_online(load(configure(tmp_path, '[escalation]\nurl = "${file:url}"\n')), marks.extend)

    [mark] = [str(mark) for mark in marks if mark.what.startswith("escalation")]
    assert mark.startswith(told)
    assert "canary" not in mark


async def test_it_asks_every_webhook_whether_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_text("a secret of some length")
    marks: list[Mark] = []
    async with receiving() as there, receiving() as gone:
        gone.answers = [410]
        hooks = "".join(
            f'[webhooks.{name}]\nurl = "http://127.0.0.1:{port}/x"\nsecret = "${{file:key}}"\n'
            for name, port in (("there", there.port), ("gone", gone.port))
        )
        well = await look_online(load(configure(tmp_path, hooks)), marks.extend)

    assert not well
    assert [str(mark) for mark in marks if "webhook" in mark.what] == [
        f"✓ webhook there (127.0.0.1:{there.port}) takes what it is sent",
        f"✗ webhook gone (127.0.0.1:{gone.port}): 127.0.0.1:{gone.port} answered 410 Gone",
    ]
    assert [document["type"] for document in there.documents + gone.documents] == ["test", "test"]
