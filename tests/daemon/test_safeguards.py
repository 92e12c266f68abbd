"""What the daemon does besides watching: webhooks, the second way to people, and the dead-man ping."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.daemon.dark import WALLET, configure, dark
from tests.daemon.waiting import eventually
from tests.notify.test_webhook import Receiver, receiving
from tests.store.samples import lose_chat
from watcher.alerts.message import Level
from watcher.alerts.record import Key, Record, Rule
from watcher.deadman import Heartbeat
from watcher.store import Store

CRITICAL = Record(key=Key(Rule.HEALTH, f"aave_local/{WALLET}"), level=Level.CRITICAL, episode=1, since=1000)

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # the library's own import


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


def secret(folder: Path, name: str, text: str) -> str:
    (folder / name).touch(mode=0o600)
    (folder / name).write_text(text)
    return f"${{file:{name}}}"


def with_webhook(folder: Path, receiver: Receiver) -> Path:
    key = secret(folder, "key", "a secret of some length")
    return configure(folder, f'[webhooks.pager]\nurl = "http://127.0.0.1:{receiver.port}/hook"\nsecret = "{key}"\n')


async def test_it_speaks_to_a_webhook_where_no_chat_is_configured(tmp_path: Path, receiver: Receiver) -> None:
    config = with_webhook(tmp_path, receiver)
    async with dark(config) as daemon:
        assert [each.chats for watch in daemon.watches.values() for each in watch.settings.wallets] == [("pager",)]
        config.write_text("nonsense")
        await daemon.reload()
        await eventually(lambda: bool(receiver.got))

    assert receiver.documents[0]["text"].startswith("CONFIGURATION NOT CHANGED")


async def test_it_asks_a_webhook_that_was_lost_whether_it_is_back(tmp_path: Path, receiver: Receiver) -> None:
    config = with_webhook(tmp_path, receiver)
    with closing(Store.open(tmp_path / "watcher.db")) as store:
        store.register({"pager": f"127.0.0.1:{receiver.port}"})
        lose_chat(store, "pager", "410 Gone")
    async with dark(config) as daemon:
        await daemon.settled()

        assert [document["type"] for document in receiver.documents] == ["test"]
        assert (await daemon._store.do(Store.chats))["pager"].disabled == ""


async def test_it_escalates_what_nobody_acknowledged(tmp_path: Path, receiver: Receiver) -> None:
    url = secret(tmp_path, "url", f"json://127.0.0.1:{receiver.port}/")
    config = configure(tmp_path, f'[escalation]\nurl = "{url}"\nafter = "10m"\n')
    with closing(Store.open(tmp_path / "watcher.db")) as store:
        store.commit([CRITICAL], ())
    for _ in range(2):
        async with dark(config) as daemon:
            await daemon._chores.escalate()
            await eventually(lambda: bool(receiver.got))

    [document] = receiver.documents
    assert document["title"].startswith("NOT ACKNOWLEDGED for ")


async def test_it_pings_while_all_parts_make_progress_and_not_once_one_stands_still(
    tmp_path: Path, receiver: Receiver
) -> None:
    url = secret(tmp_path, "url", f"http://127.0.0.1:{receiver.port}/ping")
    config, now = configure(tmp_path, f'[deadman]\nurl = "{url}"\nevery = "10s"\n'), [0.0]
    async with dark(config) as daemon:
        daemon._chores.heartbeat = Heartbeat(lambda: now[0])
        [watch] = daemon.watches.values()
        for expected, moves in [(1, True), (2, True), (2, False)]:
            if moves:
                await watch.tick()
            await daemon._chores.beat()
            assert len(receiver.got) == expected
            now[0] += 10 if moves and expected == 1 else 5000


async def test_it_does_neither_unless_it_is_asked_to(tmp_path: Path, receiver: Receiver) -> None:
    with closing(Store.open(tmp_path / "watcher.db")) as store:
        store.commit([CRITICAL], ())
    async with dark(configure(tmp_path)) as daemon:
        await daemon._chores.escalate()
        await daemon._chores.beat()

        assert await daemon._store.do(Store.vigils) == {}
    assert receiver.got == []
