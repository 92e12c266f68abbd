"""Feeds whose answers are dated by those who signed them: the age is the data's, not that of the transaction.

Their clocks may run ahead of the chain's, and their contracts allow for that: an answer from within the allowance is
from now. One from further ahead is left in the future, where nothing counts as fresh.
"""

from __future__ import annotations

from dataclasses import replace

from watcher.domain.feed import FeedReading
from watcher.domain.price import Expression, Leaf
from watcher.oracles.chainlink import promised
from watcher.oracles.learned import Learned
from watcher.oracles.opinions import second_words
from watcher.oracles.shape import Under
from watcher.reads import Plan


def dated(stamp: int, ahead: int, now: int) -> int:
    """When data that was stamped so is from: Unix seconds, of which `ahead` may lie before us. `now` is block time."""
    return now if now < stamp <= now + ahead else stamp


def told(reading: FeedReading, under: Under, estimate: Learned | None = None) -> Plan[Expression]:
    """The reading beside what is published about its feed, and what others say of the same.

    Its own promise stands where nothing better is known.
    """
    facts = under.facts(reading.feed)
    promise = promised(facts, estimate)
    words = yield from second_words(under.others(reading.feed), reading.decimals, under)
    return Leaf(
        replace(
            reading,
            pair=facts.pair if facts else reading.pair,
            **(promise if promise["heartbeat"] is not None else {}),
            **words,
        )
    )


def words_in(name: bytes) -> str:
    """The text in a `bytes32`, filled up with zeros; empty where it holds none."""
    text = name.rstrip(b"\0").decode("ascii", "replace")
    return text if text.isascii() and text.isprintable() else ""
