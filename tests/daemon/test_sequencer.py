"""A chain's sequencer that goes down and comes back, by a real feed contract and the real daemon."""

from __future__ import annotations

from pathlib import Path

from tests.daemon.inside import NEVER, Clock, Inside, inside
from tests.daemon.world import Market, configure
from tests.worlds.deployment import Feed, deploy_feed
from watcher.config import load

UP, DOWN = 0, 1
LABELS = ("sound", "thin")


def reporting(market: Market) -> Feed:
    """A feed that has said for as long as it is there that the sequencer is up."""
    feed = deploy_feed(market.world.chain, UP)
    market.world.pass_time(7200)
    market.world.touch_feeds()
    return feed


def report(market: Market, feed: Feed, answer: int) -> None:
    market.world.set_round(feed.aggregator, answer, market.world.chain.next_timestamp())


async def later(daemon: Inside, market: Market, seconds: int) -> list[str]:
    """What two looks say that are a block apart, so that what the first saw is confirmed."""
    market.world.pass_time(seconds)
    first = await daemon.look(after=seconds)
    market.world.chain.mine()
    return first + await daemon.look(after=12)


async def test_it_tells_in_one_message_what_a_sequencer_that_is_down_explains_and_then_the_rest(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    feed = reporting(borrowers)
    clock.now = borrowers.now + 10
    config = configure(
        tmp_path,
        borrowers,
        labels=LABELS,
        interval=NEVER,
        rules="warn = 1.03\ncritical = 1.02",
        chain=f'sequencer_feed = "{feed.proxy}"',
    )
    async with inside(load(config), clock) as daemon:
        assert daemon.inbox.texts == []
        report(borrowers, feed, DOWN)
        [told] = await daemon.look(after=12)
        head, *_, one, other = told.splitlines()
        assert head == "SEQUENCER DOWN · Local"
        assert {one.split(" · health ")[0], other.split(" · health ")[0]} == {
            "· sound · Aave v3 Local",
            "· thin · Aave v3 Local",
        }
        assert await later(daemon, borrowers, 2 * 86_400) != [], "a reminder, for the day is over"
        stale = daemon.inbox.texts[1:]
        assert [text.splitlines()[0] for text in stale] == ["STILL SEQUENCER DOWN · Local"]
        assert stale[0].endswith("Stale by now: WETH / USD, USDC / USD.")
        report(borrowers, feed, UP)
        told = "\n\n".join(await later(daemon, borrowers, 12))
        assert told.count("SEQUENCER JUST UP AGAIN · Local") == 1
        assert (told.count("STALE PRICE · WETH"), told.count("STALE PRICE · USDC")) == (1, 1), "they are late still"
        borrowers.world.touch_feeds()
        told = "\n\n".join(await later(daemon, borrowers, 12))
        assert (told.count("PRICE ALIVE"), told.count("SEQUENCER")) == (2, 0)
        [over] = await later(daemon, borrowers, 3600)
        assert over.startswith("SEQUENCER UP · Local\nBack for 1 h")
        seen = daemon.watch.last
        assert seen is not None
        assert seen.rounds == 1


async def test_it_reads_positions_beside_a_feed_that_is_no_feed(
    tmp_path: Path, borrowers: Market, clock: Clock
) -> None:
    config = configure(
        tmp_path, borrowers, labels=["weak"], interval=NEVER, chain=f'sequencer_feed = "{borrowers.world.pool}"'
    )
    async with inside(load(config), clock) as daemon:
        [told] = daemon.inbox.texts
        assert "WARNING · weak" in told
        assert "SEQUENCER UNKNOWN · Local\nIts uptime feed cannot be read: " in told
