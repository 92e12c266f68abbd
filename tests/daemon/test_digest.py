"""The daily digest, and the console beside others, as the daemon wires them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tests.daemon.dark import WALLET, configure, dark
from tests.daemon.inside import Clock, Inbox
from tests.daemon.test_safeguards import secret, with_webhook
from tests.daemon.waiting import eventually
from tests.notify.test_webhook import receiving
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.message import Level
from watcher.alerts.record import Key, Record, Rule
from watcher.digests import LOOK_EVERY, PATIENCE
from watcher.store import Store
from watcher.store.acks import keep_acks

MORNING = datetime.fromisoformat("2026-01-10T08:00:00+01:00").timestamp()
CHAT = '[telegram]\ntoken = "%s"\n[chats.me]\nid = 5\ndigest = "08:00"\nzone = "Europe/Berlin"\n'

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # the library's own import


async def look(config: Path, inbox: Inbox, clock: Clock, moments: Sequence[float], *, wanted: int) -> None:
    """What the scheduler does every half minute, at these moments."""
    async with dark(config, inbox, clock) as daemon:
        job = daemon._scheduler.get_job("digests")
        assert job is not None
        assert job.trigger.interval.total_seconds() == LOOK_EVERY
        for clock.now in moments:
            await daemon._chores.digest()
        await eventually(lambda: len(inbox.texts) >= wanted)


async def test_it_tells_a_chat_once_a_day_how_all_stands_over_a_restart_and_the_blind_chain_first(
    tmp_path: Path,
) -> None:
    config = configure(tmp_path, CHAT % secret(tmp_path, "token", "123456789:telegram"))
    clock, inbox = Clock(MORNING - 10), Inbox()
    await look(config, inbox, clock, [MORNING - 10, MORNING, MORNING + PATIENCE], wanted=1)
    await look(config, inbox, clock, [MORNING + 2 * PATIENCE, MORNING + 4 * PATIENCE], wanted=1)

    [digest] = [text for text in inbox.texts if "DIGEST" in text]
    assert digest.splitlines()[:2] == [
        "DIGEST, INCOMPLETE · Sat 10 Jan, 08:02",
        "Local HAS NOT BEEN SEEN: nothing is known of its positions.",
    ]
    assert "alerts in the last day: none" in digest
    assert digest.endswith("next: Sun 11 Jan, 08:00 (Europe/Berlin)")


async def test_it_tells_what_stands_and_that_somebody_takes_care_of_it(tmp_path: Path) -> None:
    config = configure(tmp_path, CHAT % secret(tmp_path, "token", "123456789:telegram"))
    since = int(MORNING) - 3600
    critical = Record(key=Key(Rule.HEALTH, f"aave_local/{WALLET}"), level=Level.CRITICAL, episode=1, since=since)
    seen = Acknowledgement(key=critical.key, episode=1, level=Level.CRITICAL, until=since + 86_400)
    with closing(Store.open(tmp_path / "watcher.db")) as store:
        store.commit([critical], ())
        keep_acks(store, [seen])
    clock, inbox = Clock(MORNING), Inbox()
    await look(config, inbox, clock, [MORNING, MORNING + PATIENCE], wanted=1)

    assert "0x5aAe…eAed · aave_local\n· health CRITICAL for 1 h 2 min, acknowledged\n" in inbox.texts[-1]


async def test_it_tells_the_console_beside_a_webhook_where_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with receiving() as receiver:
        config = with_webhook(tmp_path, receiver)
        config.write_text(config.read_text() + "[console]\n")
        async with dark(config) as daemon:
            config.write_text("nonsense")
            await daemon.reload()
            await eventually(lambda: bool(receiver.got) and daemon._sender.in_flight == 0)

    assert receiver.documents[0]["text"].startswith("CONFIGURATION NOT CHANGED")
    assert "to console \nCONFIGURATION NOT CHANGED" in capsys.readouterr().out
