"""Questions to a contract that nobody knows yet, which may do anything with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from watcher.domain.errors import ReadFailed
from watcher.domain.source import Address
from watcher.reads import Bundle, Call, Outcome, Plan
from watcher.reads.abi import interface

K = TypeVar("K")
_answers_anything: Final = interface("nothing").function("answersAnythingAtAll", int)


def asked_apart(source: Address, asks: Mapping[K, Call[Any]]) -> Plan[Mapping[K, Outcome[Any]]]:
    """The answers to all of them; none at all where the source answers anything, and so tells nothing by its answers.

    They travel in a bundle of their own: a source that burns its gas, or that says too much, then does so once, and at
    nobody else's cost. Asked among others, each of dozens of getters would have to be found out by halving batches.
    """
    bundle = Bundle((_answers_anything(source), *asks.values()))
    got = yield [bundle]
    anything, *answers = got.bundle(bundle)
    return dict(zip(asks, answers, strict=True)) if isinstance(anything, ReadFailed) else {}
