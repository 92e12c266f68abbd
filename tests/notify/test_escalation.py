"""The second way to people: when it is told, over restarts too, and through the library itself to a loopback server."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.config.conftest import WALLET
from tests.notify.support import message, working
from tests.notify.test_webhook import Receiver, receiving
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.message import Level, Message, Section, Text
from watcher.alerts.record import Key, Record, Rule
from watcher.config import Escalation, Secret, Settings, load
from watcher.config.scope import Scope
from watcher.domain.errors import ConfigError
from watcher.notify.apprise import AppriseChannel
from watcher.notify.channel import FateUnknown
from watcher.notify.escalator import ESCALATION, Escalator
from watcher.store import Store, StoreThread

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # the library's own import

POSITION = Key(Rule.HEALTH, f"spark_ethereum/{WALLET}")
CRITICAL = Record(key=POSITION, level=Level.CRITICAL, episode=1, since=1000)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "watcher.toml"
    path.write_text(f'[[wallets]]\naddress = "{WALLET}"\nchains = ["ethereum"]\n')
    return replace(load(path), escalation=Escalation(url=Secret("x"), after=600))


@dataclass
class Rig:
    """An escalator over a database, with what it is to see."""

    thread: StoreThread
    records: dict[Key, Record] = field(default_factory=dict)
    acks: list[Acknowledgement] = field(default_factory=list)
    now: int = 1000
    spoken: int = 0

    def __post_init__(self) -> None:
        self.escalator = Escalator(
            self.thread, records=lambda: self.records, now=lambda: self.now, spoke=self._spoke, acks=lambda: self.acks
        )

    def _spoke(self) -> None:
        self.spoken += 1

    async def told(self) -> list[str]:
        """What waits for the second way, in order; it is taken as delivered."""
        texts = []
        while (claimed := await self.thread.do(Store.claim, self.now, [ESCALATION])) is not None:
            texts.append(claimed.message.body.text)
            await self.thread.do(Store.delivered, claimed.id, self.now, "")
        return texts


@asynccontextmanager
async def rig(path: Path) -> AsyncIterator[Rig]:
    thread = StoreThread(Store.open(path))
    try:
        yield Rig(thread)
    finally:
        await thread.close()


def warning(text: str, at: int) -> Message:
    section = Section(
        rule=POSITION.rule,
        subject=POSITION.subject,
        severity=Level.CRITICAL,
        level=Level.CRITICAL,
        body=Text(text),
        at=at,
        since=at,
    )
    return Message.of("me", [section], at)


async def test_it_tells_once_what_was_told_before_and_over_restarts_too(tmp_path: Path, settings: Settings) -> None:
    for now, expected in [
        (1300, []),
        (1600, ["NOT ACKNOWLEDGED for 10 min: CRITICAL\nAs it was 10 min ago:\nhealth 1.05 < 1.10"]),
        (1700, []),
        (99_999, []),
    ]:
        async with rig(tmp_path / "watcher.db") as one:
            if now == 1300:
                await one.thread.do(Store.commit, [], [warning("health 1.05 < 1.10", 1000)])
            one.records, one.now = {POSITION: CRITICAL}, now
            await one.escalator.look(settings)
            await one.escalator.look(settings)
            assert await one.told() == expected
            assert one.spoken == len(expected)


async def test_it_tells_that_it_is_over(tmp_path: Path, settings: Settings) -> None:
    async with rig(tmp_path / "watcher.db") as one:
        one.records, one.now = {POSITION: CRITICAL}, 1600
        await one.escalator.look(settings)
        assert await one.told() == [f"NOT ACKNOWLEDGED for 10 min: CRITICAL\nhealth of {POSITION.subject}"]

        one.records, one.now = {POSITION: replace(CRITICAL, level=Level.OK, since=1900)}, 1960
        await one.escalator.look(settings)
        await one.escalator.look(settings)
        assert await one.told() == [f"OVER after 16 min: health of {POSITION.subject}"]


async def test_it_is_quiet_about_what_somebody_acknowledged(tmp_path: Path, settings: Settings) -> None:
    async with rig(tmp_path / "watcher.db") as one:
        one.acks = [Acknowledgement(key=POSITION, episode=1, level=Level.CRITICAL, until=10**12)]
        one.records, one.now = {POSITION: CRITICAL}, 9999
        await one.escalator.look(settings)
        assert await one.told() == []

        one.records = {POSITION: replace(CRITICAL, level=Level.LIQUIDATABLE)}
        await one.escalator.look(settings)
        assert len(await one.told()) == 1


async def test_it_does_nothing_without_a_second_way(tmp_path: Path, settings: Settings) -> None:
    async with rig(tmp_path / "watcher.db") as one:
        one.records, one.now = {POSITION: CRITICAL}, 9999
        await one.escalator.look(replace(settings, escalation=None))

        assert await one.told() == []
        assert await one.thread.do(Store.vigils) == {}


@pytest.mark.parametrize(
    ("subject", "somebodys"),
    [
        (f"spark_ethereum/{WALLET}", True),
        (f"spark_ethereum/{WALLET}/0xabc/1", True),
        (f"aave_v3_base/{WALLET}", False),
        ("spark_ethereum/0x" + "1" * 40, False),
        ("ethereum", True),
        ("ethereum:0xfeed", True),
        ("base", False),
        ("base:0xfeed", False),
    ],
)
def test_it_knows_what_somebody_still_watches(settings: Settings, subject: str, somebodys: bool) -> None:
    rule = Rule.HEALTH if "/" in subject else Rule.STALE if ":" in subject else Rule.BLIND
    assert Scope.of(settings).concerns(Key(rule, subject)) is somebodys


# --- The service ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


def service(receiver: Receiver) -> AppriseChannel:
    return AppriseChannel(Secret(f"json://127.0.0.1:{receiver.port}/canary"))


async def test_it_delivers_through_the_library(receiver: Receiver) -> None:
    told = message("NOT ACKNOWLEDGED <b>\nhealth 1.05", severity=Level.CRITICAL)
    await service(receiver).send(told, label="May be a repeat")

    [document] = receiver.documents
    assert (document["title"], document["message"]) == ("NOT ACKNOWLEDGED <b>", "May be a repeat\nhealth 1.05")
    assert document["type"] == "failure"


async def test_a_failure_of_the_service_leaves_the_fate_unknown_and_is_tried_again(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.answers = [500, 404]
    channel = service(receiver)
    with pytest.raises(FateUnknown):
        await channel.send(message("x"), label=None)
    async with working(tmp_path / "watcher.db", {ESCALATION: channel}) as rig:
        await rig.put(message("x", chat=ESCALATION))
        await rig.until_empty()

    assert [("repeat" in document["message"]) for document in receiver.documents] == [False, False, True]
    assert "canary" not in caplog.text + "".join(capsys.readouterr()) + repr(channel)


async def test_it_cuts_what_is_too_long_for_the_service(receiver: Receiver) -> None:
    channel = service(receiver)
    channel._longest = 100

    assert [len(part.text) for part in channel.parts(Text("word " * 50))] == [100, 100, 50]


def test_it_says_which_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(ConfigError, match=r"not installed: pip install 'position-watcher\[apprise\]'"):
        AppriseChannel(Secret("json://127.0.0.1"))


@pytest.mark.parametrize("url", ["nosuch://canary", "tgram://canary", "canary"])
def test_it_refuses_a_url_that_names_no_service_and_does_not_show_it(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConfigError, match="apprise knows no such service") as refused:
        AppriseChannel(Secret(url))

    assert "canary" not in str(refused.value) + caplog.text
