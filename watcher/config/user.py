"""watcher.toml, the user's file: wallets, rules, endpoints and chats, made into `Settings` or refused."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from watcher.alerts.rules import Rules
from watcher.chain.spec import ChainSpec, EndpointSpec
from watcher.config.endpoints import joined, read_endpoints
from watcher.config.files import parse, read_text
from watcher.config.forms import (
    NAME_WORDS,
    Flag,
    Table,
    Template,
    Text,
    Url,
    Wallets,
    duration,
    is_name,
    whole,
)
from watcher.config.refusal import Form, Problems, Right, inside, shown, unknown
from watcher.config.rules import RulesForm, read_rules
from watcher.config.secrets import FORMS, References, Secret, literal_part, mentions_secret
from watcher.config.settings import Chat, Settings, Telegram, Wallet
from watcher.config.wallets import named_wallets, narrowed, read_wallets
from watcher.config.world import Deployment, World, load_world

BOT_API = "https://api.telegram.org"
DEFAULT_INTERVAL = 12
DATABASE = "watcher.db"

_LARGEST_CHAT = 2**52 - 1  # "at most 52 significant bits", Bot API, Chat.id
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")

Interval = Annotated[int, Right('a duration from "1s" to "1h", such as "12s"', duration(1, 3600))]
Thread = Annotated[int, Right("the number of a topic, 1 or more", whole(1, 2**31 - 1))]


def _chat_id(value: object) -> int | None:
    if isinstance(value, str):
        raise ValueError(f"{shown(value)} is a text; write the chat's number, without quotes")
    found = whole(-_LARGEST_CHAT, _LARGEST_CHAT)(value)
    return found if found != 0 else None


ChatId = Annotated[int, Right("a Telegram chat id: a whole number such as 123456789, or -1001234567890", _chat_id)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserForm(Form):
    """The keys of watcher.toml; the tables are looked into one by one, so that one problem hides no other."""

    interval: Interval = DEFAULT_INTERVAL
    state: Text | None = None
    protocols_file: Text | None = None
    public_endpoints: Flag = True
    telegram: Table | None = None
    chats: Table = field(default_factory=dict)
    rules: Table = field(default_factory=dict)
    endpoints: Table = field(default_factory=dict)
    wallets: Wallets = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramForm(Form):
    """`[telegram]`."""

    token: Template
    api: Url = BOT_API


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatForm(Form):
    """`[chats.<name>]`."""

    id: ChatId
    thread: Thread | None = None


def load(
    path: Path,
    *,
    addresses: Sequence[str] = (),
    chains: Sequence[str] = (),
    telegram: bool = True,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings of a watcher.toml. Raises `ConfigError` with every problem of the file, a line each.

    `addresses` take the place of its wallets (keeping the label and rules that it has for them), and `chains` narrow
    what is watched. Without `telegram` the bot's token is not looked up: a single check needs none.
    """
    problems = Problems(str(path))
    references = References(path.parent, environ)
    form = problems.fill_what_fits(UserForm, parse(read_text(path, str(path)), str(path)))
    world = _world(form, references, problems)
    bot = _telegram(form, references, problems, wanted=telegram)
    chats = _chats(form, problems)
    rules = _rules(form, problems)
    own = _own_endpoints(form, world, references, problems)
    state = _state(form, references, problems)
    wallets: tuple[Wallet, ...] = ()
    if form.wallets or not addresses:
        wallets = read_wallets(form.wallets, world, tuple(form.chats), rules, problems)
    problems.settle()
    if addresses:
        wallets = named_wallets(addresses, chains, world, wallets, rules)
    elif chains:
        wallets = narrowed(wallets, chains, world)
    used = _in_use(wallets, world)
    specs = {chain: _with_endpoints(world.chains[chain], own, public=form.public_endpoints) for chain in used}
    _refuse_mute(specs, form, problems)
    problems.settle()
    return Settings(
        interval=form.interval,
        state=state,
        chains=MappingProxyType(specs),
        deployments=_watched(wallets, world),
        wallets=wallets,
        rules=rules,
        telegram=bot,
        chats=MappingProxyType(chats),
    )


def for_addresses(
    addresses: Sequence[str], *, chains: Sequence[str] = (), environ: Mapping[str, str] = os.environ
) -> Settings:
    """Settings without any file: these addresses in every shipped deployment, by the default rules.

    Raises `ConfigError` for an address or a chain that is not one.
    """
    world = load_world(environ=environ)
    wallets = named_wallets(addresses, chains, world, (), Rules())
    return Settings(
        interval=DEFAULT_INTERVAL,
        state=_default_state(Path(), environ),
        chains=MappingProxyType({chain: world.chains[chain] for chain in _in_use(wallets, world)}),
        deployments=_watched(wallets, world),
        wallets=wallets,
        rules=Rules(),
        telegram=None,
        chats=MappingProxyType({}),
    )


def _world(form: UserForm, references: References, problems: Problems) -> World:
    if form.protocols_file is None:
        return load_world(environ=references.environ)
    extra = references.path(form.protocols_file)
    if not os.path.isfile(extra):  # unlike pathlib's, it bears a name that is too long
        problems.add("protocols_file", f"{shown(form.protocols_file)} is no file: looked for {extra}")
        problems.settle()
    return load_world(extra, environ=references.environ)


def _telegram(form: UserForm, references: References, problems: Problems, *, wanted: bool) -> Telegram | None:
    table = None if form.telegram is None else problems.fill(TelegramForm, form.telegram, "telegram")
    if table is None:
        return None
    if literal_part(table.token).strip() or not mentions_secret(table.token):
        problems.add(
            "telegram.token", f"a token in the file itself is refused: secrets only by reference; write {FORMS}"
        )
        return None
    if not wanted:
        return None
    try:
        token = references.resolve(table.token).text
    except ValueError as problem:
        problems.add("telegram.token", str(problem))
        return None
    if not _TOKEN.fullmatch(token):
        problems.add("telegram.token", f"what {table.token} holds is no bot token; it has the form 123456789:letters")
    return Telegram(token=Secret(token), api=table.api)


def _chats(form: UserForm, problems: Problems) -> dict[str, Chat]:
    chats: dict[str, Chat] = {}
    for name, table in form.chats.items():
        where = inside("chats", name)
        if not is_name(name):
            problems.add(where, f"{shown(name)} cannot name a chat; write {NAME_WORDS}")
            continue
        chat = problems.fill(ChatForm, table, where)
        if chat is None:
            continue
        twin = next((each.name for each in chats.values() if (each.id, each.thread) == (chat.id, chat.thread)), None)
        if twin is not None:
            problems.add(inside(where, "id"), f"{chat.id} is the chat {twin} already; write each chat once")
        chats[name] = Chat(name=name, id=chat.id, thread=chat.thread)
    if form.chats and form.telegram is None:
        problems.add(
            "chats", 'there is no bot to write to them; write [telegram] token = "${credential:telegram_token}"'
        )
    if form.telegram is not None and not form.chats:
        problems.add(
            "telegram", "there is no chat to write to; write [chats.me] on a line, and id = 123456789 below it"
        )
    return chats


def _rules(form: UserForm, problems: Problems) -> Rules:
    return read_rules(problems.fill_what_fits(RulesForm, form.rules, "rules"), Rules(), "rules", problems)


def _own_endpoints(
    form: UserForm, world: World, references: References, problems: Problems
) -> dict[str, tuple[EndpointSpec, ...]]:
    own = {}
    for chain, items in form.endpoints.items():
        where = inside("endpoints", chain)
        if chain in world.chains:
            own[chain] = read_endpoints(items, where, references, problems)
        else:
            problems.add(where, unknown(chain, list(world.chains), "chain"))
    return own


def _state(form: UserForm, references: References, problems: Problems) -> Path:
    if form.state is None:
        return _default_state(references.folder, references.environ)
    state = references.path(form.state).absolute()
    if os.path.isdir(state):
        problems.add("state", f"{shown(form.state)} is a directory; write the file in it, such as {state / DATABASE}")
    elif not os.path.isdir(state.parent):
        problems.add("state", f"{shown(form.state)} lies in no directory: make {state.parent} first")
    return state


def _default_state(folder: Path, environ: Mapping[str, str]) -> Path:
    """systemd names the state directory in the environment; it may list several, and ours is the first."""
    return (Path(environ.get("STATE_DIRECTORY", "").partition(":")[0] or folder) / DATABASE).absolute()


def _watched(wallets: Sequence[Wallet], world: World) -> tuple[Deployment, ...]:
    return tuple(each for each in world.deployments if any(wallet.watches(each) for wallet in wallets))


def _in_use(wallets: Sequence[Wallet], world: World) -> list[str]:
    watched = {deployment.chain for deployment in _watched(wallets, world)}
    return [chain for chain in world.chains if chain in watched]


def _with_endpoints(chain: ChainSpec, own: Mapping[str, tuple[EndpointSpec, ...]], *, public: bool) -> ChainSpec:
    """The user's endpoints are asked first."""
    return replace(chain, endpoints=joined(own.get(chain.name, ()), chain.endpoints if public else ()))


def _refuse_mute(chains: Mapping[str, ChainSpec], form: UserForm, problems: Problems) -> None:
    mute = [name for name, chain in chains.items() if not chain.endpoints]
    if mute:
        unless = "" if form.public_endpoints else " (public_endpoints is false)"
        problems.add(
            "endpoints",
            f'none for {", ".join(mute)}{unless}; write {mute[0]} = ["https://…"] under [endpoints],'
            " or name the chains that you do use in each wallet's chains",
        )
