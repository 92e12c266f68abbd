"""`watcher validate`: what it marks as there, and what it marks as missing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bot_api import BotApi
from tests.cli.conftest import NOBODY, SAFE, Run
from tests.worlds.aave_v30 import AaveV30World

Write = Callable[..., Path]


@contextmanager
def bot_api() -> Iterator[str]:
    """The stand-in in a loop and thread of its own, since the command brings its own loop. Gives its base URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    api = BotApi(token="1:right", chats=[5])

    def there(awaitable: Coroutine[object, object, object]) -> None:
        asyncio.run_coroutine_threadsafe(awaitable, loop).result(10)

    try:
        there(api.come_back())
        yield api.base_url.removesuffix("/bot")
        there(api.go_dark())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def marks(out: str, sign: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith(sign)]


def test_a_valid_file_is_described_without_asking_anybody(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE}, url="http://127.0.0.1:9")
    ran = run("validate")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("✓ watcher.toml is valid\n")
    assert f"treasury {SAFE}: Aave v3 Local" in ran.out


def test_an_invalid_file_is_refused_with_every_problem(config: Write, run: Run) -> None:
    path = config(users={"treasury": SAFE}, extra="wran = 1.4\n[rules]\ncritical = 1.5\n")
    ran = run("validate", "--config", path)
    assert (ran.code, ran.out) == (3, "")
    assert f'{path}: wallets[1].wran: "wran" is not a known key' in ran.err
    assert "rules.critical" in ran.err


def test_what_is_there_is_marked_so(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE})
    ran = run("validate", "--online")
    assert (ran.code, marks(ran.out, "✗")) == (0, [])
    told = "\n".join(marks(ran.out, "✓"))
    for what in ("serves chain 31337", "Multicall3 at 0x", ": pool at 0x", ": provider at 0x", ": oracle at 0x"):
        assert what in told
    assert "Aave v3 Local: interface and oracle" in told


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"pool": NOBODY}, f"✗ Aave v3 Local: pool at {NOBODY}: no contract lives there"),
        ({"oracle": NOBODY}, f"the market does not use the oracle {NOBODY}; contracts that it does ask: 0x"),
        ({"chain_id": 4242}, "serves chain 31337, not 4242; check its URL"),
        ({"url": "http://127.0.0.1:9"}, "no connection: connection refused"),
    ],
)
def test_what_is_wrong_is_marked_with_what_is_there_instead(
    config: Write, run: Run, wrong: dict[str, object], problem: str
) -> None:
    config(users={"treasury": SAFE}, **wrong)
    ran = run("validate", "--online")
    assert ran.code == 3
    assert problem in "\n".join(marks(ran.out, "✗"))


def test_another_oracle_is_named(config: Write, run: Run, market: AaveV30World) -> None:
    config(users={"treasury": SAFE}, oracle=market.tokens["WETH"].feed)
    [told] = marks(run("validate", "--online").out, "✗")
    assert told.endswith(market.oracle)


def test_a_pool_of_another_market_is_told_from_ours(config: Write, run: Run, market: AaveV30World) -> None:
    config(users={"treasury": SAFE}, pool=market.oracle)
    ran = run("validate", "--online")
    assert ran.code == 3
    assert "Aave v3 Local: interface" in "\n".join(marks(ran.out, "✗"))


def test_a_sequencer_feed_that_is_no_such_feed_is_told(config: Write, run: Run, market: AaveV30World) -> None:
    feed = market.tokens["WETH"].feed
    config(users={"treasury": SAFE}, sequencer_feed=feed)
    ran = run("validate", "--online")
    assert ran.code == 3
    assert f"✗ Local: sequencer feed at {feed}: Its uptime feed answers 351240880000, neither 0 nor 1" in ran.out


def test_a_missing_multicall_is_told(config: Write, run: Run, market: AaveV30World) -> None:
    config(users={"treasury": SAFE})
    market.chain.set_code(market.multicall3, b"")
    ran = run("validate", "--online")
    assert ran.code == 3
    assert f"✗ Local: Multicall3 at {market.multicall3}: no contract lives there" in ran.out


def test_one_dead_endpoint_does_not_keep_the_rest_from_being_looked_at(config: Write, run: Run) -> None:
    config(users={"treasury": SAFE}, extra='[endpoints]\nlocal = ["http://127.0.0.1:9"]\n')
    ran = run("validate", "--online")
    assert ran.code == 3
    assert len(marks(ran.out, "✗")) == 1
    assert "interface and oracle" in "\n".join(marks(ran.out, "✓"))


def test_the_bot_and_its_chats_are_asked(config: Write, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with bot_api() as api:
        bot = f'[telegram]\ntoken = "${{env:BOT}}"\napi = "{api}"\n[chats.me]\nid = 5\n[chats.gone]\nid = 6\n'
        config(users={"treasury": SAFE}, extra=bot)
        monkeypatch.setenv("BOT", "1:right")
        ran = run("validate", "--online")
        assert ran.code == 3
        assert "✓ Telegram: the bot is @watcher_bot" in ran.out
        assert "✓ Telegram: chat me (5) can be written to" in ran.out
        assert "✗ Telegram: chat gone (6): " in ran.out
        monkeypatch.setenv("BOT", "1:wrong")
        ran = run("validate", "--online")
        assert ran.code == 3
        assert "✗ Telegram: the bot's token: Telegram does not know this bot token" in ran.out
        assert "1:wrong" not in ran.out
