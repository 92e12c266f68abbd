"""What is promised of delivery, in figures: many chats, a long outage, a chat that must wait, texts of any kind."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tests.bot_api import BotApi
from tests.bot_api_rules import Flood, checked_text
from tests.notify.support import START, JumpingClock, MemoryChannel, Rig, telegram, working
from watcher.alerts.message import Level, Message, Section, Span, Style, Text, utf16_length
from watcher.domain.errors import DeliveryError
from watcher.notify.channel import PLAIN, Envelope, FateUnknown, NotSent, Pace
from watcher.notify.notices import REPEAT
from watcher.notify.sender import Sender
from watcher.notify.telegram import TelegramBot
from watcher.store import Store, StoreThread

OK, WARN, CRITICAL = Level.OK, Level.WARN, Level.CRITICAL
HOUR = 3_600
LATENCY = 0.08


def news(chat: str, positions: list[str], level: Level, at: float = START) -> Message:
    moment = int(at)
    sections = [
        Section(
            rule="health",
            subject=position,
            severity=level,
            level=level,
            body=Text(f"{level.word} {position}."),
            at=moment,
            since=moment,
        )
        for position in positions
    ]
    return Message.of(chat, sections, moment)


@dataclass
class Service:
    """One Telegram for many chats, by the clock of the test: as strict about floods, and dark when told."""

    clock: JumpingClock
    dark: DeliveryError | None = None
    flood: Flood = field(default_factory=Flood)
    accepted: list[tuple[float, str, str]] = field(default_factory=list)
    tries: int = 0


@dataclass
class ServiceChat(MemoryChannel):
    """A chat of it; a refusal for flood ends the test."""

    service: Service = field(kw_only=True)
    number: int = field(kw_only=True)

    async def send(self, message: Message, *, label: str | None, envelope: Envelope = PLAIN) -> str:
        self.service.tries += 1
        await asyncio.sleep(0)
        await self.clock.sleep_until(self.clock.now() + LATENCY)
        if self.service.dark is not None:
            raise self.service.dark
        self.service.flood.check(self.number, self.clock.now())
        text = f"{label}\n{message.body}" if label else str(message.body)
        self.service.accepted.append((self.clock.now(), message.chat, text))
        return "1"


def service_chats(service: Service, numbers: Mapping[str, int]) -> dict[str, ServiceChat]:
    return {
        name: ServiceChat(service.clock, Pace.GROUP if number < 0 else Pace.PRIVATE, service=service, number=number)
        for name, number in numbers.items()
    }


async def test_it_empties_an_hour_of_darkness_within_a_minute_the_newest_of_each_position_worst_first(
    tmp_path: Path,
) -> None:
    """B4: 500 alerts over 50 chats, half of them superseded while dark. Of the hour, four minutes are played."""
    await outage(tmp_path / "w.db", FateUnknown("no answer"), played=120)


async def outage(path: Path, problem: DeliveryError, *, played: int) -> dict[str, object]:
    """An hour of darkness in two halves, of each of which so many seconds are played; returns the figures."""
    service, dice = Service(JumpingClock(), dark=problem), random.Random(4)
    numbers = {f"p{n}": n + 1 for n in range(40)} | {f"g{n}": -n - 1 for n in range(10)}
    alerts = [(f"p{n % 40}", f"position {n}") for n in range(350)]
    alerts += [(f"g{n % 10}", f"position {350 + n}") for n in range(150)]
    newest = {position: dice.choice([OK, WARN, CRITICAL]) for _, position in alerts[::2]}
    first = [news(chat, [position], dice.choice([WARN, CRITICAL])) for chat, position in alerts]
    async with working(path, service_chats(service, numbers), clock=service.clock, before=first) as rig:
        await _pass(rig, until=START + HOUR / 2, played=played)
        later = service.clock.now()
        await rig.put(*[news(chat, [p], newest[p], later) for chat, p in alerts if p in newest])
        await _pass(rig, until=START + HOUR, played=played)
        service.dark = None
        returned, tries = service.clock.now(), service.tries
        await rig.until_empty()
    assert len(service.accepted) == len(alerts)
    for chat, position in alerts:
        [text] = [text for _, name, text in service.accepted if name == chat and f" {position}." in text]
        assert " ago, delivered late." in text
        assert position not in newest or f"{newest[position].word} {position}." in text
        assert (REPEAT in text) <= isinstance(problem, FateUnknown)
    for chat in numbers:
        levels = [_level(text) for _, name, text in service.accepted if name == chat]
        assert all(earlier >= later for earlier, later in pairwise(levels))
    noticed, drained = service.accepted[0][0] - returned, service.accepted[-1][0] - returned
    assert noticed <= 5
    assert drained <= 60
    assert tries <= 2 * played / 3 + 16  # one that probes, not fifty that repeat; and those on their way at first
    return {
        "alerts": len(alerts),
        "superseded while dark": len(newest),
        "messages on return": len(service.accepted),
        "lost": 0,
        "return noticed after": f"{noticed:.1f} s",
        "drained after": f"{drained:.1f} s",
        "tries while dark": tries,
        "refused for flood": 0,
    }


async def _pass(rig: Rig, *, until: float, played: int) -> None:
    """Plays some time, then lets the rest of it go by at once."""
    end = rig.clock.now() + played
    await rig.until(lambda: _true(rig.clock.now() >= min(end, until)))
    rig.clock._now = max(rig.clock._now, until)


async def test_it_lets_no_chat_wait_on_once_another_shows_that_the_service_is_back(tmp_path: Path) -> None:
    service = Service(JumpingClock(), dark=FateUnknown("no answer"))
    channels = service_chats(service, {"a": 1, "b": 2})
    async with working(tmp_path / "w.db", channels, clock=service.clock, before=[news("a", ["x"], WARN)]) as rig:
        service.clock.busy = lambda: True  # no minute passes by itself
        for tries in range(1, 9):
            service.clock._now += 60
            rig.sender.wake()
            await rig.until(_tried(rig, service, tries))
        service.dark = None
        service.clock._now += 5  # the next probe
        await rig.put(news("b", ["y"], WARN))
        await rig.until_empty()
    (b_at, _, _), (a_at, _, _) = service.accepted
    assert a_at - b_at <= 2


async def test_it_makes_no_other_chat_wait_for_one_that_has_to(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """B5: the others' p99 stays within 2 s while one waits for 60."""
    clock, dice = JumpingClock(), random.Random(5)
    service = Service(clock)
    channels: dict[str, MemoryChannel] = dict(service_chats(service, {f"c{n}": n + 1 for n in range(20)}))
    held = MemoryChannel(clock, errors=[NotSent("flood", 60.0)])
    delays = []
    async with working(tmp_path / "w.db", {"held": held} | channels, clock=clock) as rig:
        await rig.put(news("held", ["x"], CRITICAL))
        await rig.until(lambda: _true(not held.errors))
        clock.busy = lambda: True  # from here on the test moves the time
        began = clock.now()
        for number in range(100):
            clock._now = max(clock._now, began + number / 2)
            put_at = clock.now()
            await rig.put(news(dice.choice(sorted(channels)), [f"q{number}"], WARN, put_at))
            await rig.until(_accepted(service, number + 1))
            delays.append(service.accepted[-1][0] - put_at)
        assert held.sent == []
        clock._now = began + 61
        rig.sender.wake()
        await rig.until(lambda: _true(held.sent))
    record_property("B5", f"p99 of 100 messages to 20 others: {sorted(delays)[98]:.2f} s")
    assert sorted(delays)[98] <= 2.0


async def test_it_puts_an_escalation_on_the_wire_before_all_that_waits_within_a_second(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """A6: twenty messages wait for the same chat, one has just left."""
    clock = JumpingClock()
    a = MemoryChannel(clock)
    async with working(tmp_path / "w.db", {"a": a}, clock=clock) as rig:
        clock.busy = lambda: True
        await rig.put(*[news("a", [f"q{number}"], WARN) for number in range(21)])
        await rig.until(lambda: _true(a.sent))
        decided = clock.now()
        await rig.put(news("a", ["x"], CRITICAL))
        clock.busy = lambda: False
        rig.sender.wake()
        await rig.until(lambda: _true(len(a.sent) > 1))
    at, text, _ = a.sent[1]
    assert text == "CRITICAL x."
    record_property("A6", f"first on the wire, after {at - decided:.2f} s")
    assert at - decided <= 1.0


async def test_it_tells_two_hundred_positions_to_fifty_chats_in_seconds(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """A5: over HTTP with real time, under the flood limits of the stand-in."""
    numbers = {f"c{n}": n + 1 for n in range(50)}
    messages = [news(name, [f"{name} position {n}" for n in range(4)], CRITICAL) for name in numbers]
    loop = asyncio.get_running_loop()
    async with (
        BotApi(chats=numbers.values(), latency=lambda: 0.02, clock=loop.time) as api,
        TelegramBot(api.token, base_url=api.base_url) as bot,
    ):
        thread = StoreThread(Store.open(tmp_path / "w.db"))
        channels = {name: bot.chat(str(number)) for name, number in numbers.items()}
        sender = Sender(thread, channels, wall=lambda: START)
        running = asyncio.create_task(sender.run())
        began = loop.time()
        await thread.do(Store.commit, [], messages)
        sender.wake()
        async with asyncio.timeout(30):
            await api.until(len(numbers))
        took = loop.time() - began
        await sender.stop(5.0)
        await running
        await thread.close()
    assert len(api.requests) == len(numbers)
    for name, number in numbers.items():
        [text] = api.texts(number)
        assert text.count(f"CRITICAL {name} position") == 4
    record_property("A5", f"{len(api.accepted)} messages, 200 named, the last after {took:.1f} s")
    record_property("seconds of A5", took)
    assert took <= 15.0  # on a machine that does other things too; tests/long holds it to the promised 5


LETTERS = "abc <b>&lt;*_`[]()~|{}.!#\\\n\t אבג\u202e\u200b\u200d\u2066é\u0301👩\u200d👧🦊\U0001f3fd\ud800\u3164\x00漢"


def fuzzed(dice: random.Random) -> Text:
    """Text of up to 20,000 characters, mostly short, with styles anywhere."""
    length = int(20_000 ** dice.random()) - 1 if dice.random() < 0.98 else dice.randint(10_000, 20_000)
    text = "".join(dice.choices(LETTERS, k=length)).encode("utf-8", "replace").decode()
    spans, size = [], utf16_length(text)
    for _ in range(dice.randint(0, 4) if size else 0):
        piece = dice.randrange(len(text))
        start, width = utf16_length(text[:piece]), utf16_length(text[piece : piece + dice.randint(1, 5_000)])
        style = dice.choice(list(Style))
        spans.append(Span(style, start, width, "https://example.org/" if style is Style.LINK else ""))
    return Text(text, tuple(spans))


def test_it_makes_nothing_that_telegram_refuses_of_ten_thousand_texts_of_any_kind(
    record_property: Callable[[str, object], None],
) -> None:
    """B6: every part of every text, with and without its labels, in both forms, against the stand-in's rules."""
    dice, chat = random.Random(6), TelegramBot("1:abc").chat("5")
    for number in range(10_000):
        body = fuzzed(dice)
        for part in chat.parts(body, plain=number % 10 == 0):
            entities = [
                {"type": s.style.value, "offset": s.offset, "length": s.length} | ({"url": s.url} if s.url else {})
                for s in part.spans
            ]
            label = f"{REPEAT}\nRaised 12,345 d 23 h ago, delivered late.\n"
            checked_text({"text": part.text, "entities": json.dumps(entities)})
            checked_text({"text": label + part.text})
    record_property("B6", "10,000 texts, in all their parts: 0 refused")


async def test_it_has_no_text_of_any_kind_refused_over_http(tmp_path: Path) -> None:
    dice, clock = random.Random(66), JumpingClock()
    bodies = [fuzzed(dice) for _ in range(60)]
    messages = [Message(chat="a", severity=WARN, body=body, about=(), created_at=START) for body in bodies]
    async with (
        BotApi(chats=[5], clock=clock.now) as api,
        telegram(api) as bot,
        working(tmp_path / "w.db", {"a": bot.chat("5")}, clock=clock, before=messages) as rig,
    ):
        await rig.until_empty()
    assert len(api.requests) == len(api.accepted) >= len(bodies)


def _level(text: str) -> Level:
    return next(
        level for level in (CRITICAL, WARN, OK) if any(line.startswith(level.word) for line in text.split("\n"))
    )


async def _true(value: object) -> bool:
    return bool(value)


def _tried(rig: Rig, service: Service, times: int) -> Callable[[], Awaitable[bool]]:
    return lambda: _true(service.tries >= times and not rig.sender.in_flight)


def _accepted(service: Service, number: int) -> Callable[[], Awaitable[bool]]:
    return lambda: _true(len(service.accepted) >= number)
