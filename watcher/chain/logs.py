"""Logs of a range of blocks, from somebody we do not trust.

Two things can be wrong with a list of logs: what is in it, which is checked log by log, and what is not, of which
nothing tells. So a range is only asked of an endpoint that has shown the last block of it, and a range that is too
large is halved and asked for again, never taken for one without logs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from watcher.chain.answer import TOO_LONG
from watcher.chain.endpoint import Endpoint
from watcher.chain.errors import AnswerTooLong, BatchTooLarge, LimitExceeded, TimedOut
from watcher.chain.hexadecimal import BLOCK_NUMBERS_BELOW, block_header, data_bytes, hash_text, quantity
from watcher.chain.spec import ChainSpec
from watcher.domain.errors import EndpointError, NotDecodable
from watcher.domain.source import Address
from watcher.reads.codec import checksummed
from watcher.reads.logs import Log, Search

MOST_LOGS: Final = 20_000
"""In one answer; beyond it fewer blocks are asked for."""
MOST_DATA: Final = 64 * 1024
"""Bytes of data in one log."""
_INDICES_BELOW: Final = 1 << 32
_TOPICS: Final = 4  # LOG4 is the largest of the instructions that make logs


@dataclass(frozen=True, slots=True)
class Stretch:
    """Blocks that were searched, `first` and `last` included, and every log of the search in them."""

    first: int
    last: int
    logs: tuple[Log, ...]


async def newest_logs(endpoint: Endpoint, chain: ChainSpec, search: Search, first: int, last: int) -> Stretch:
    """The logs of the newest part of a range: as many blocks, up to `last`, as the endpoint gives in one answer.

    Raises `EndpointError`: it does not have these blocks, says what cannot be right, or refuses a single block.
    """
    await _must_reach(endpoint, chain, last)
    span = endpoint.learned.span
    blocks = min(span.blocks, last - first + 1)
    while True:
        begin = last - blocks + 1
        try:
            result = await endpoint.ask_aside("eth_getLogs", [_filter(search, begin, last)])
            if isinstance(result, list) and len(result) > MOST_LOGS:
                raise AnswerTooLong(endpoint.spec.name, f"{len(result):,} logs at once, more than {MOST_LOGS:,}")
            logs = _logs(result, search, begin, last)
        except (BatchTooLarge, AnswerTooLong) as refusal:
            span.refused(blocks)
            if blocks == 1:
                raise endpoint.fault_aside(f"even one block of logs is too much for it ({refusal.problem})") from None
            blocks //= 2
        except (TimedOut, LimitExceeded):
            span.refused(blocks)  # not halved on the spot: it hangs, or counts requests, and would for every half
            raise
        except EndpointError as failure:
            if TOO_LONG in failure.problem:  # over a WebSocket the connection ends with it
                span.refused(blocks)
            raise
        except NotDecodable as problem:
            raise endpoint.fault_aside(f"eth_getLogs: {problem}") from problem
        else:
            span.worked(blocks)
            return Stretch(begin, last, logs)


async def _must_reach(endpoint: Endpoint, chain: ChainSpec, last: int) -> None:
    """An endpoint that has not heard of a block yet finds no logs in it, and says no more than that."""
    head = endpoint.condition.head
    if last <= endpoint.reaches or (head is not None and last <= head.number):
        return
    result = await endpoint.ask_aside("eth_getBlockByNumber", [hex(last), False])
    if result is None:
        raise endpoint.fault_aside(f"does not have block {last:,} yet")
    try:
        shown = block_header(result, chain.name)
    except NotDecodable as problem:
        raise endpoint.fault_aside(f"eth_getBlockByNumber: {problem}") from problem
    if shown.number != last:
        raise endpoint.fault_aside(f"answered with block {shown.number} when asked for block {last}")
    endpoint.reaches = last


def _filter(search: Search, first: int, last: int) -> dict[str, Any]:
    return {
        "fromBlock": hex(first),
        "toBlock": hex(last),
        "address": list(search.emitters),
        "topics": [None if any_of is None else [f"0x{topic.hex()}" for topic in any_of] for any_of in search.topics],
    }


def _logs(result: Any, search: Search, first: int, last: int) -> tuple[Log, ...]:
    """The logs, each one that was asked for. Raises `NotDecodable`."""
    if not isinstance(result, list):
        raise NotDecodable("the logs are not a list")
    places: set[tuple[int, int]] = set()
    hashes: dict[int, str] = {}
    found = []
    for each in result:
        log, index, of_block = _log(each)
        if not first <= log.block <= last:
            raise NotDecodable(f"a log of block {log.block:,}, asked for were {first:,} to {last:,}")
        if not search.matches(log):
            raise NotDecodable(f"a log of {log.address} in block {log.block:,} that was not asked for")
        if (log.block, index) in places:
            raise NotDecodable(f"log {index} of block {log.block:,} twice")
        if hashes.setdefault(log.block, of_block) != of_block:
            raise NotDecodable(f"logs of two blocks {log.block:,}")
        places.add((log.block, index))
        found.append(log)
    return tuple(found)


def _log(each: Any) -> tuple[Log, int, str]:
    """A log, its place in its block, and that block's hash."""
    if not isinstance(each, dict):
        raise NotDecodable("a log that is not an object")
    if each.get("removed", False) is not False:
        raise NotDecodable("a log that was taken back (removed)")
    topics = each.get("topics")
    if not isinstance(topics, list) or len(topics) > _TOPICS:
        raise NotDecodable("a log whose topics are not a list of at most four")
    data = data_bytes(each.get("data"), "a log's data")
    if len(data) > MOST_DATA:
        raise NotDecodable(f"a log with {len(data):,} bytes of data")
    log = Log(
        address=_address(each.get("address")),
        topics=tuple(bytes.fromhex(hash_text(topic, "a log's topic")[2:]) for topic in topics),
        data=data,
        block=quantity(each.get("blockNumber"), "a log's block", below=BLOCK_NUMBERS_BELOW),
    )
    hash_text(each.get("transactionHash"), "a log's transaction")
    index = quantity(each.get("logIndex"), "a log's index", below=_INDICES_BELOW)
    return log, index, hash_text(each.get("blockHash"), "the hash of a log's block")


def _address(value: object) -> Address:
    raw = data_bytes(value, "a log's address")
    if len(raw) != 20:
        raise NotDecodable(f"a log's address is {len(raw)} bytes, not 20")
    return checksummed(int.from_bytes(raw, "big"))


def in_order(endpoints: Sequence[Endpoint], now: float) -> list[Endpoint]:
    """By how they have been doing with logs; last of all those that asked us to wait, with whatever."""
    return sorted(
        endpoints,
        key=lambda one: (
            one.condition.rest(now) > 0 or one.aside.rest(now) > 0,
            one.aside.broken(now),
            one.aside.failed_lately(now),
            (one.aside.failed_at or 0.0) if one.aside.failed_lately(now) else 0.0,
        ),
    )
