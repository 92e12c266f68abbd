"""The webhook, told to a server on loopback that answers by script."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.daemon.waiting import eventually
from tests.notify.support import LABEL, JumpingClock, MemoryChannel, message, working
from watcher.alerts.message import Level, Message, Section, Standing, Text, bold, link
from watcher.config import Secret, Webhook
from watcher.domain.errors import DeliveryError
from watcher.notify.channel import BodyRefused, ChatRefused, FateUnknown, NotSent, Pace
from watcher.notify.webhook import WebhookChannel, identity, signed

SECRET = "canary-secret-of-32-bytes-or-more"
PATH = "/hook/canary-path"
NOW = 1_767_225_600.0

Verify = Callable[[Mapping[str, str], bytes, str], bool]


@dataclass
class Receiver:
    """Answers as told, once each, then 200. An answer is a status, or what is done to the connection."""

    port: int = 0
    answers: list[int | tuple[int, dict[str, str]] | str] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        told = self.answers.pop(0) if self.answers else 200
        if told == "hang":
            await self.released.wait()
        if told == "cut":
            assert request.transport is not None
            request.transport.abort()
        status, headers = told if isinstance(told, tuple) else (told, {})
        return web.Response(status=status if isinstance(status, int) else 200, headers=headers)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    try:
        yield receiver
    finally:
        receiver.released.set()
        await runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


def webhook(port: int, secret: str = SECRET) -> WebhookChannel:
    told = Webhook(
        name="pager", url=Secret(f"http://127.0.0.1:{port}{PATH}"), host=f"127.0.0.1:{port}", secret=Secret(secret)
    )
    return WebhookChannel(told, now=lambda: NOW, connect_timeout=1.0, read_timeout=0.2)


async def failure(channel: WebhookChannel) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        await channel.send(message("x"), label=None)
    assert "canary" not in str(failed.value) + repr(failed.value) + repr(failed.value.__context__)
    return failed.value


def documented() -> Verify:
    """The function that the documentation gives its readers, run as it stands there."""
    page = (Path(__file__).parents[2] / "docs" / "webhook.md").read_text()
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[-1].replace("time.time()", str(NOW))
    names: dict[str, Any] = {}
    exec(code, names)
    verify: Verify = names["is_from_the_watcher"]
    return verify


async def test_it_tells_what_the_message_says(receiver: Receiver) -> None:
    section = Section(
        rule="health",
        subject="m/0x1",
        severity=Level.CRITICAL,
        level=Level.CRITICAL,
        body=bold("CRITICAL") + " 🛑 " + link("explorer", "https://e.x/1"),
        at=7,
        since=5,
        positions=(
            Standing(position="m/0x1", health=Decimal("1.32"), second=Decimal("1.05"), price=("suspect", "stale")),
        ),
    )
    told = await webhook(receiver.port).send(Message.of("pager", [section], 7), label="May be a repeat")

    assert receiver.documents == [
        {
            "type": "alert",
            "id": told,
            "channel": "pager",
            "severity": "critical",
            "text": "CRITICAL 🛑 explorer",
            "note": "May be a repeat",
            "created_at": 7,
            "about": ["m/0x1"],
            "conditions": [
                {
                    "rule": "health",
                    "subject": "m/0x1",
                    "level": "critical",
                    "severity": "critical",
                    "text": "CRITICAL 🛑 explorer",
                    "at": 7,
                    "since": 5,
                    "positions": [
                        {
                            "id": "m/0x1",
                            "health": "1.32",
                            "health_at_second_source": "1.05",
                            "health_at_edge": None,
                            "price": ["suspect", "stale"],
                        }
                    ],
                }
            ],
            "links": [{"text": "explorer", "url": "https://e.x/1"}],
        }
    ]


@pytest.mark.parametrize("secret", [SECRET, "whsec_" + base64.b64encode(b"canary" * 5).decode()])
async def test_it_signs_so_that_the_documented_check_accepts_it_and_nothing_else(
    receiver: Receiver, secret: str
) -> None:
    await webhook(receiver.port, secret).send(message("x"), label=None)
    [(headers, body)] = receiver.got
    verify = documented()

    assert verify(headers, body, secret)
    assert not verify(headers, body + b" ", secret)
    assert not verify(headers, body, "another secret of some length")
    assert not verify(headers | {"webhook-id": "msg_other"}, body, secret)
    assert not verify(headers | {"webhook-timestamp": str(int(NOW) - 301)}, body, secret)


def test_it_signs_as_the_specification_does() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    # The example of the specification's own reference libraries.
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_names_a_message_the_same_at_every_try_and_no_other_so() -> None:
    one = message("x")

    assert identity(one) == identity(replace(one, body=bold("x")))
    others = [replace(one, body=Text("y")), replace(one, created_at=1), replace(one, chat="b"), replace(one, about=())]
    assert len({identity(each) for each in [one, *others]}) == 5


@pytest.mark.parametrize(
    ("answer", "kind", "wait"),
    [
        (429, NotSent, None),
        ((429, {"Retry-After": "7"}), NotSent, 7),
        ((503, {"Retry-After": formatdate(NOW + 90, usegmt=True)}), NotSent, 90),
        ((503, {"Retry-After": formatdate(NOW - 90, usegmt=True)}), NotSent, 0),
        ((429, {"Retry-After": "86400"}), NotSent, 900),
        ((429, {"Retry-After": "soon"}), NotSent, None),
        (503, NotSent, None),
        (408, NotSent, None),
        ((302, {"Location": "/elsewhere"}), NotSent, None),
        (500, FateUnknown, None),
        (502, FateUnknown, None),
        (504, FateUnknown, None),
        ("cut", FateUnknown, None),
        ("hang", FateUnknown, None),
        ((301, {"Location": "/elsewhere"}), ChatRefused, None),
        (401, ChatRefused, None),
        (403, ChatRefused, None),
        (404, ChatRefused, None),
        (410, ChatRefused, None),
        (400, BodyRefused, None),
        (413, BodyRefused, None),
        (422, BodyRefused, None),
    ],
)
async def test_it_tells_apart_what_an_answer_means(
    receiver: Receiver, answer: Any, kind: type[DeliveryError], wait: float | None
) -> None:
    receiver.answers = [answer]
    failed = await failure(webhook(receiver.port))

    assert type(failed) is kind
    assert getattr(failed, "retry_after", None) == wait
    assert len(receiver.got) == 1


async def test_it_knows_that_nothing_was_sent_where_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        failed = await failure(webhook(unused.getsockname()[1]))

    assert type(failed) is NotSent
    assert "could not connect to 127.0.0.1" in str(failed)


async def test_it_asks_whether_somebody_is_there_without_an_alert(receiver: Receiver) -> None:
    await webhook(receiver.port).reach()

    [document] = receiver.documents
    assert document == {"type": "test", "id": document["id"], "created_at": int(NOW)}


async def test_the_worker_delivers_in_spite_of_it_all_with_one_id_and_a_label(
    receiver: Receiver, tmp_path: Path
) -> None:
    receiver.answers = [503, 500, "cut"]
    async with working(tmp_path / "watcher.db", {"pager": webhook(receiver.port)}) as rig:
        await rig.put(message("x", chat="pager"))
        await rig.until_empty()

    assert len({document["id"] for document in receiver.documents}) == 1
    assert [LABEL in (document["note"] or "") for document in receiver.documents] == [False, False, True, True]


async def test_the_others_are_told_when_a_webhook_is_gone(receiver: Receiver, tmp_path: Path) -> None:
    async with receiving() as other:
        receiver.answers = [410]
        channels = {"pager": webhook(receiver.port), "other": webhook(other.port)}
        async with working(tmp_path / "watcher.db", channels) as rig:
            await rig.put(message("x", chat="pager"))
            await rig.until_empty()

            assert "410 Gone" in (await rig.chats())["pager"].disabled
        [told] = other.documents
    assert "Alerts no longer reach pager" in told["text"]


async def test_a_webhook_that_hangs_holds_up_no_chat(tmp_path: Path) -> None:
    clock = JumpingClock()
    dark = FateUnknown("no answer")
    pager = MemoryChannel(clock, Pace.FREE, errors=[dark, dark, dark], gate=asyncio.Event())
    desk = MemoryChannel(clock)
    async with working(tmp_path / "watcher.db", {"pager": pager, "desk": desk}, clock=clock) as rig:
        await rig.put(message("to the program", chat="pager"))
        await eventually(lambda: bool(pager.sent))
        assert rig.sender.in_flight == 1
        await rig.put(message("to people", chat="desk"))
        await eventually(lambda: bool(desk.sent))

        assert desk.texts == ["to people"]
        assert pager.gate is not None
        pager.gate.set()
