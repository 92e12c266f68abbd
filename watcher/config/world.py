"""The world: the chains, deployments and feeds that ship with the package, and those of a user's second file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, make_dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, get_type_hints

from watcher.chain.spec import ChainSpec, KnownBlock
from watcher.config.endpoints import joined, read_endpoints
from watcher.config.feeds import FeedBooks, read_feeds, read_feeds_file, shipped_books
from watcher.config.files import as_text, parse, read_text
from watcher.config.forms import (
    NAME_WORDS,
    Checksummed,
    Deployments,
    Feeds,
    Flag,
    Ids,
    Items,
    Name,
    SecondSources,
    Table,
    Text,
    Title,
    Url,
    is_name,
    number,
    whole,
)
from watcher.config.refusal import Form, Problems, Right, inside, shown, unknown
from watcher.config.second_sources import Second, read_second_sources, with_seconds
from watcher.config.secrets import References
from watcher.domain.source import Address, Id32
from watcher.oracles.shape import FeedBook
from watcher.protocols.reader import AnyReader, Place
from watcher.protocols.registry import PROTOCOLS
from watcher.reads.abi import world_file

SHIPPED = "protocols.toml"
_HASH = re.compile(r"0x[0-9a-fA-F]{32}")


def _block_hash(value: object) -> str | None:
    return value.lower() if isinstance(value, str) and _HASH.fullmatch(value) else None


ChainId = Annotated[
    int, Right("a chain id from 1 to 9007199254740991 (what JSON carries exactly)", whole(1, 2**53 - 1))
]
BlockTime = Annotated[
    Decimal,
    Right("a number of seconds above 0 and at most 3600, such as 12", number(lambda seconds: 0 < seconds <= 3600)),
]
MaxAge = Annotated[int, Right("a whole number of seconds from 1 to 86400, such as 90", whole(1, 86_400))]
Confirmations = Annotated[int, Right("a whole number of blocks from 0 to 10000, such as 4", whole(0, 10_000))]
BlockNumber = Annotated[int, Right("the number of a block, such as 0", whole(0, 2**63 - 1))]
BlockHash = Annotated[str, Right("the beginning of a block's hash: 0x and its first 32 hex digits", _block_hash)]
CallGas = Annotated[int, Right("an amount of gas from 1000000 to 10000000000", whole(10**6, 10**10))]

_FIELD_FORMS: Mapping[object, object] = {
    Address: Checksummed,
    Decimal: Annotated[Decimal, Right("a number, such as 0.5", number(lambda _: True))],
    bool: Flag,
    int: Annotated[int, Right("a whole number", whole(-(2**63), 2**63 - 1))],
    str: Text,
    tuple[Id32, ...]: Ids,
}
"""How a plugin's field is written in TOML, by its type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment of a protocol on a chain, and what reads it. `oracle` is what it is expected to price with."""

    id: str
    protocol: str
    chain: str
    title: str
    reader: AnyReader = field(repr=False)
    oracle: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that can be watched. The endpoints of its chains are the public ones."""

    chains: Mapping[str, ChainSpec]
    deployments: tuple[Deployment, ...]
    feeds: Mapping[str, FeedBook] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldForm(Form):
    chains: Table = field(default_factory=dict)
    deployments: Deployments = field(default_factory=list)
    feeds_file: Text | None = None
    feeds: Feeds = field(default_factory=list)
    second_sources: SecondSources = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainForm(Form):
    """`[chains.<name>]`."""

    id: ChainId
    title: Title
    multicall3: Checksummed
    block_time: BlockTime
    max_age: MaxAge
    confirmations: Confirmations
    endpoints: Items | None = None
    explorer: Url = ""
    call_gas: CallGas = 40_000_000
    wrapped: Checksummed | None = None
    sequencer_feed: Checksummed | None = None
    proxy_registry: Checksummed | None = None
    dsa_list: Checksummed | None = None
    known_block: Table | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBlockForm(Form):
    """`known_block = { number = 0, hash = "0x…" }`."""

    number: BlockNumber
    hash: BlockHash


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentForm(Form):
    """What every `[[deployments]]` has; the fields of its plugin come on top."""

    id: Name
    protocol: Name
    chain: Name
    title: Title
    oracle: Checksummed | None = None


@dataclass(slots=True)
class _Draft:
    """The world while its files are being read: readers are built last, when every feed is known."""

    chains: dict[str, ChainSpec]
    deployments: dict[str, DeploymentForm]
    books: FeedBooks
    seconds: list[Second] = field(default_factory=list)


def load_world(extra: Path | None = None, *, environ: Mapping[str, str] = os.environ, blind: bool = False) -> World:
    """The shipped world, with a user's second file added. Raises `ConfigError` with all problems of a file.

    `blind`: no secret is looked up; see `References`.
    """
    draft = _Draft({}, {}, shipped_books(as_text(world_file("feeds.csv").read_bytes(), "feeds.csv")))
    shipped = parse(as_text(world_file(SHIPPED).read_bytes(), SHIPPED), SHIPPED)
    shipped.pop("feeds_file", None)  # read above
    _read(shipped, draft, Problems(SHIPPED), References(Path(), environ))
    if extra is not None:
        added = parse(read_text(extra, str(extra)), str(extra))
        _read(added, draft, Problems(str(extra)), References(extra.parent, environ, blind))
    return _built(draft)


def _read(raw: Mapping[str, Any], draft: _Draft, problems: Problems, references: References) -> None:
    form = problems.fill(WorldForm, raw)
    if form is not None:
        for name, table in form.chains.items():
            _read_chain(name, table, draft, problems, references)
        for index, table in enumerate(form.deployments, 1):
            _read_deployment(table, f"deployments[{index}]", draft, problems)
        read_feeds(form.feeds, draft.chains, draft.books, problems)
        if form.feeds_file is not None:
            path = references.path(form.feeds_file)
            rows = problems.beside(str(path))
            read_feeds_file(read_text(path, str(path)), draft.chains, draft.books, rows)
        draft.seconds += read_second_sources(form.second_sources, draft.chains, draft.books, problems)
    problems.settle()


def _read_chain(name: str, table: object, draft: _Draft, problems: Problems, references: References) -> None:
    where = inside("chains", name)
    if not is_name(name):
        problems.add(where, f"{shown(name)} cannot name a chain; write {NAME_WORDS}")
        return
    if name in draft.chains:
        problems.add(
            where,
            f"{name} is a chain of {SHIPPED} already and cannot be described again;"
            f' for endpoints of your own write [endpoints] {name} = ["https://…"] in watcher.toml',
        )
        return
    form = problems.fill(ChainForm, table, where)
    if form is None:
        return
    same = next((other.name for other in draft.chains.values() if other.id == form.id), None)
    if same is not None:
        problems.add(inside(where, "id"), f"{form.id} is the id of {same} already; write {same} wherever you mean it")
        return
    listed = (
        ()
        if form.endpoints is None
        else read_endpoints(form.endpoints, inside(where, "endpoints"), references, problems)
    )
    draft.chains[name] = ChainSpec(
        name=name,
        id=form.id,
        title=form.title,
        multicall3=form.multicall3,
        block_time=form.block_time,
        max_age=form.max_age,
        confirmations=form.confirmations,
        explorer=form.explorer,
        endpoints=joined(listed),
        call_gas=form.call_gas,
        wrapped=form.wrapped,
        sequencer_feed=form.sequencer_feed,
        proxy_registry=form.proxy_registry,
        dsa_list=form.dsa_list,
        known=_known_block(form.known_block, inside(where, "known_block"), problems),
    )


def _known_block(table: Table | None, where: str, problems: Problems) -> KnownBlock | None:
    form = None if table is None else problems.fill(KnownBlockForm, table, where)
    return None if form is None else KnownBlock(number=form.number, hash=form.hash)


def _read_deployment(table: object, where: str, draft: _Draft, problems: Problems) -> None:
    protocol = table.get("protocol") if isinstance(table, dict) else None
    if isinstance(protocol, str) and protocol not in PROTOCOLS:
        problems.add(inside(where, "protocol"), unknown(protocol, list(PROTOCOLS), "protocol"))
        return
    if isinstance(table, dict) and not isinstance(protocol, str):
        problems.add(inside(where, "protocol"), f"missing; write one of: {', '.join(PROTOCOLS)}")
        return
    form = problems.fill(DeploymentForm if protocol is None else _form_of(protocol), table, where)
    if form is None:
        return
    if form.chain not in draft.chains:
        problems.add(inside(where, "chain"), unknown(form.chain, list(draft.chains), "chain"))
    elif form.id in draft.deployments:
        problems.add(inside(where, "id"), f"{shown(form.id)} is a deployment already; write an id of its own")
    elif twin := next((other.id for other in draft.deployments.values() if _place(other) == _place(form)), None):
        problems.add(where, f"has the chain and contracts of {twin}, which would be read twice; remove one of them")
    else:
        draft.deployments[form.id] = form


@cache
def _form_of(protocol: str) -> type[DeploymentForm]:
    """The form of a protocol's deployments: the common fields and those of the plugin's dataclass."""
    plugin = PROTOCOLS[protocol]
    kinds = get_type_hints(plugin)
    own: list[Any] = []
    for each in fields(plugin):
        if each.name == "place" or not each.init:
            continue
        optional = each.default is not MISSING or each.default_factory is not MISSING
        kind: Any = _FIELD_FORMS[kinds[each.name]]
        own.append((each.name, kind | None, None) if optional else (each.name, kind))
    return make_dataclass(f"{plugin.__name__}Form", own, bases=(DeploymentForm,), frozen=True, kw_only=True)


def _plugin_fields(form: DeploymentForm) -> dict[str, Any]:
    common = {each.name for each in fields(DeploymentForm)}
    given = {each.name: getattr(form, each.name) for each in fields(form) if each.name not in common}
    return {name: value for name, value in given.items() if value is not None}


def _place(form: DeploymentForm) -> tuple[str, str, dict[str, Any]]:
    return form.protocol, form.chain, _plugin_fields(form)


def _built(draft: _Draft) -> World:
    with_seconds(draft.books, draft.seconds)
    books: dict[str, FeedBook] = {chain: MappingProxyType(draft.books.get(chain, {})) for chain in draft.chains}
    deployments = tuple(
        Deployment(
            id=form.id,
            protocol=form.protocol,
            chain=form.chain,
            title=form.title,
            oracle=form.oracle,
            reader=PROTOCOLS[form.protocol](
                place=Place(deployment=form.id, title=form.title, feeds=books[form.chain]), **_plugin_fields(form)
            ),
        )
        for form in draft.deployments.values()
    )
    return World(chains=MappingProxyType(draft.chains), deployments=deployments, feeds=MappingProxyType(books))
