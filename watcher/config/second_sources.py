"""Second sources: where else to ask about a feed, or about a source that is none, as the world's files name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from watcher.config.feeds import FeedBooks
from watcher.config.forms import Checksummed, Name, whole
from watcher.config.refusal import Form, Problems, Right, inside, shown, unknown
from watcher.domain.feed import Beside, FeedFacts
from watcher.domain.source import ZERO_ADDRESS, Address

WINDOW = 1800
"""Seconds over which the price in a pool is averaged, where a file does not say."""

Window = Annotated[int, Right("a whole number of seconds from 60 to 86400, such as 1800", whole(60, 86_400))]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondSourceForm(Form):
    """`[[second_sources]]`: of which feed or source, and either another feed or a pool with the token it prices."""

    chain: Name
    of: Checksummed
    feed: Checksummed | None = None
    pool: Checksummed | None = None
    base: Checksummed | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """A second source of what a chain has at the address `of`."""

    chain: str
    of: Address
    beside: Beside


def read_second_sources(
    items: list[Any], chains: Mapping[str, object], books: FeedBooks, problems: Problems
) -> list[Second]:
    """The second sources of a file whose feeds are in the books already; what is wrong is noted."""
    found: dict[tuple[str, Address, Address], str] = {}
    seconds = []
    for index, item in enumerate(items, 1):
        where = f"second_sources[{index}]"
        form = problems.fill(SecondSourceForm, item, where)
        second = None if form is None else _second(form, where, problems)
        if second is None:
            continue
        if second.chain not in chains:
            problems.add(inside(where, "chain"), unknown(second.chain, list(chains), "chain"))
            continue
        first = found.setdefault((second.chain, second.of, second.beside.source), where)
        if first != where:
            problems.add(where, f"asks the same of the same as {first}; remove one of them")
            continue
        if _same(books.get(second.chain, {}), second):
            problems.add(
                inside(where, "feed"),
                f"{shown(second.beside.source)} is the feed {shown(second.of)} itself, by another of its addresses;"
                " write a feed with an aggregator of its own",
            )
            continue
        seconds.append(second)
    return seconds


def with_seconds(books: FeedBooks, seconds: Iterable[Second]) -> None:
    """Put them into the books: beside a feed under all its addresses, or beside a source that is no feed.

    One that is named again, as by a user's own file, is as it was named last.
    """
    for second in seconds:
        book = books.setdefault(second.chain, {})
        known = book.get(second.of)
        facts = known or FeedFacts(pair="", heartbeat=None, listed=False)
        others = tuple(one for one in facts.beside if one.source != second.beside.source)
        asked = replace(facts, beside=(*others, second.beside))
        names = [name for name, other in book.items() if other is known]
        book.update(dict.fromkeys(names or [second.of], asked))


def _second(form: SecondSourceForm, where: str, problems: Problems) -> Second | None:
    """None where its keys do not go together; that is noted."""
    given = {key: value for key in ("feed", "pool", "base", "window") if (value := getattr(form, key)) is not None}
    wrong = list(_wrong(form.of, given))
    for key, what in wrong:
        problems.add(inside(where, key), what)
    if wrong:
        return None
    beside = (
        Beside(source=given["feed"])
        if "feed" in given
        else Beside(source=given["pool"], base=given["base"], window=given.get("window", WINDOW))
    )
    return Second(chain=form.chain, of=form.of, beside=beside)


def _wrong(of: Address, given: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Each key that is wrong beside the others, and why."""
    for key, address in {"of": of, **given}.items():
        if address == ZERO_ADDRESS:
            yield key, f'"{ZERO_ADDRESS}" is the zero address, where no contract lives; write that of the contract'
        elif key in ("feed", "pool") and address == of:
            yield key, f'"{of}" is the source that it would be held against; write another one'
    if "feed" in given and "pool" in given:
        yield "pool", "feed is given already, and an entry names one second source; write an entry for each"
    elif "feed" in given:
        for key in sorted({"base", "window"} & set(given)):
            yield key, "belongs to a pool, and this entry names a feed; leave it out"
    elif "pool" not in given:
        yield "feed", "missing; write feed = the address of another feed, or pool and base"
    elif "base" not in given:
        yield "base", "missing; write the address of that token of the pool which the price is of"
    elif given["base"] == given["pool"]:
        yield "base", "is the pool itself; write the address of that token of the pool which the price is of"


def _same(book: Mapping[Address, FeedFacts], second: Second) -> bool:
    """Whether both are addresses of one feed."""
    known = book.get(second.of)
    return known is not None and book.get(second.beside.source) is known
