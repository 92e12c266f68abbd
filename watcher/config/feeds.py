"""What operators publish about their feeds: the shipped list, and the feeds that a user adds."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from watcher.config.forms import Checksummed, Name, Title, number, whole
from watcher.config.refusal import Form, Problems, Right, shown, unknown
from watcher.domain.errors import ConfigError
from watcher.domain.feed import Beside
from watcher.domain.hours import MARKETS, hours_of
from watcher.domain.price import FeedFacts
from watcher.domain.source import Address

ADDRESS_COLUMNS = ("proxy", "svr_proxy", "aggregator")
COLUMNS = ("chain", "pair", *ADDRESS_COLUMNS, "decimals", "heartbeat", "deviation", "market_hours", "source")

FeedBooks = dict[str, dict[Address, FeedFacts]]
"""Facts by chain, and there by any address that the feed is known under."""

Heartbeat = Annotated[int, Right("a whole number of seconds from 1 to 2592000, such as 3600", whole(1, 30 * 86_400))]
Deviation = Annotated[
    Decimal, Right("a percentage above 0 and at most 100, such as 0.5", number(lambda percent: 0 < percent <= 100))
]


def _market(value: object) -> str | None:
    known = isinstance(value, str) and (value in (*MARKETS, "Crypto", "") or hours_of(value).name == value)
    return value if known and isinstance(value, str) else None


_MARKETS = ", ".join(MARKETS)
Market = Annotated[
    str, Right(f"the name of a market's hours: {_MARKETS}, Forex_ and a currency, or Crypto for always", _market)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForm(Form):
    """`[[feeds]]`: one feed, by the address that a protocol reads."""

    chain: Name
    address: Checksummed
    pair: Title
    heartbeat: Heartbeat
    deviation: Deviation | None = None
    market_hours: Market = ""


def shipped_books(text: str) -> FeedBooks:
    """The shipped list. Its rows are checked one by one in the tests, and not again at every start.

    Feeds of the same pair on the same chain are second sources of each other: each has an aggregator of its own.
    """
    books: FeedBooks = {}
    rows = list(_rows(text, "feeds.csv"))
    twins = _twins(rows)
    for chain, pair, *addresses, _decimals, heartbeat, deviation, market, _source in rows:
        facts = FeedFacts(
            pair=pair,
            heartbeat=int(heartbeat),
            deviation=Decimal(deviation) if deviation else None,
            hours=hours_of(market),
            beside=tuple(Beside(source=Address(proxy)) for proxy in twins[chain, pair] if proxy != addresses[0]),
        )
        book = books.setdefault(chain, {})
        for address in addresses:
            if address:
                book[Address(address)] = facts
    return books


def _twins(rows: list[list[str]]) -> dict[tuple[str, str], list[str]]:
    """The proxies of each pair on each chain."""
    found: dict[tuple[str, str], list[str]] = {}
    for chain, pair, proxy, *_ in rows:
        found.setdefault((chain, pair), []).append(proxy)
    return found


def read_feeds(items: list[Any], chains: Mapping[str, object], books: FeedBooks, problems: Problems) -> None:
    """Add `[[feeds]]` to the books. A feed that is known already gets the facts given here: they do change."""
    _add([(f"feeds[{index}]", item) for index, item in enumerate(items, 1)], chains, books, problems)


def read_feeds_file(text: str, chains: Mapping[str, object], books: FeedBooks, problems: Problems) -> None:
    """Add a list of the shipped form, checked row by row as `[[feeds]]` are."""
    items = []
    for index, values in enumerate(_rows(text, problems.file), 2):
        row = dict(zip(COLUMNS, values, strict=True))
        facts = {"chain": row["chain"], "pair": row["pair"], "heartbeat": _plain_number(row["heartbeat"])}
        if row["deviation"]:
            facts["deviation"] = _plain_number(row["deviation"])
        if row["market_hours"]:
            facts["market_hours"] = row["market_hours"]
        items += [
            (f"row {index}", {**facts, "address": row[column]})
            for column in ADDRESS_COLUMNS
            if row[column] or column == "proxy"
        ]
    _add(items, chains, books, problems)


def _given(form: FeedForm, known: Mapping[Address, FeedFacts]) -> FeedFacts:
    """The facts of a form; what it does not say of a feed that is known stays: its hours, and who else speaks of it."""
    before = known.get(form.address)
    return FeedFacts(
        pair=form.pair,
        heartbeat=form.heartbeat,
        deviation=form.deviation,
        hours=hours_of(form.market_hours) if form.market_hours or before is None else before.hours,
        beside=before.beside if before else _same_pair(form.pair, known),
    )


def _add(items: list[tuple[str, Any]], chains: Mapping[str, object], books: FeedBooks, problems: Problems) -> None:
    given: dict[tuple[str, Address], str] = {}
    before = {chain: dict(book) for chain, book in books.items()} if items else {}
    for where, item in items:
        form = problems.fill(FeedForm, item, where)
        if form is None:
            continue
        if form.chain not in chains:
            problems.add(f"{where}.chain", unknown(form.chain, list(chains), "chain"))
            continue
        first = given.setdefault((form.chain, form.address), where)
        if first != where:
            problems.add(f"{where}.address", f"{shown(form.address)} is {first} already; write each feed once")
            continue
        books.setdefault(form.chain, {})[form.address] = _given(form, before.get(form.chain, {}))


def _same_pair(pair: str, book: Mapping[Address, FeedFacts]) -> tuple[Beside, ...]:
    """The feeds of a pair that are known on a chain, each by its first address."""
    firsts: dict[int, Address] = {}
    for address, facts in book.items():
        if facts.pair == pair:
            firsts.setdefault(id(facts), address)
    return tuple(Beside(source=address) for address in firsts.values())


def _rows(text: str, file: str) -> Iterator[list[str]]:
    """The rows below the header, each with all columns; raises `ConfigError`."""
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        if tuple(next(reader, ())) != COLUMNS:
            raise ConfigError(f"{file}: the first line is not the list of columns; write {','.join(COLUMNS)}")
        for row in reader:
            if len(row) != len(COLUMNS):
                raise ConfigError(f"{file}: line {reader.line_num} has {len(row)} columns; write {len(COLUMNS)}")
            yield row
    except csv.Error as problem:
        raise ConfigError(f"{file}: line {reader.line_num} is not CSV: {problem}") from problem


def _plain_number(text: str) -> int | Decimal | str:
    try:
        return int(text) if text.isdecimal() and len(text) < 20 else Decimal(text)
    except InvalidOperation:
        return text
