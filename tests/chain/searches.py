"""A search for what owners opened, as the tests' own contract logs it, and what a log of it looks like in JSON."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from watcher.domain.errors import NotDecodable
from watcher.domain.source import Address
from watcher.reads.logs import Log, Search, padded

OPENED = keccak(text="Opened(bytes32,address,uint256)")
EMITTER, OWNER = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
MARKET = bytes(31) + b"\x07"


def market_of(log: Log) -> str:
    if len(log.data) != 32:
        raise NotDecodable("an Opened log has one word of data")
    return log.topics[1].hex()


def opened_by(*owners: Address, emitter: Address = EMITTER, since: int = 0) -> Search:
    topics = ((OPENED,), None, tuple(padded(owner) for owner in owners))
    return Search(emitters=(emitter,), topics=topics, since=since, key=market_of)


def as_json(block: int, index: int = 0, **changed: Any) -> dict[str, Any]:
    """A log that the search for `OWNER` asks for; by keyword, what is different about it."""
    return {
        "address": EMITTER,
        "topics": [f"0x{topic.hex()}" for topic in (OPENED, MARKET, padded(OWNER))],
        "data": "0x" + "00" * 31 + "05",
        "blockNumber": hex(block),
        "blockHash": "0x" + "ab" * 32,
        "transactionHash": "0x" + "cd" * 32,
        "transactionIndex": "0x0",
        "logIndex": hex(index),
        "removed": False,
        **changed,
    }
