"""watcher.toml, the user's file: wallets, rules, endpoints and chats, made into `Settings` or refused."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from watcher.alerts.rules import Rules
from watcher.chain.spec import ChainSpec, EndpointSpec
from watcher.config.chains import read_chain_rules, refuse_lonely
from watcher.config.discovery import read_discovery
from watcher.config.endpoints import joined, read_endpoints
from watcher.config.files import parse, read_text
from watcher.config.forms import Flag, Table, Text, Wallets, duration
from watcher.config.history import read_history
from watcher.config.prices import read_prices
from watcher.config.refusal import Form, Problems, Right, inside, shown, unknown
from watcher.config.rules import read_ruling
from watcher.config.secrets import References
from watcher.config.settings import CONSOLE, DEFAULT_MIN_INTERVAL, Settings, Wallet, in_units
from watcher.config.speaking import (
    read_chats,
    read_console,
    read_deadman,
    read_escalation,
    read_telegram,
    read_webhooks,
)
from watcher.config.wallets import Listed, named_wallets, narrowed, places_of, read_wallets
from watcher.config.world import Deployment, World, load_world

DEFAULT_INTERVAL = 12
DATABASE = "watcher.db"

Interval = Annotated[int, Right('a duration from "1s" to "1h", such as "12s"', duration(1, 3600))]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserForm(Form):
    """The keys of watcher.toml; the tables are looked into one by one, so that one problem hides no other."""

    interval: Interval = DEFAULT_INTERVAL
    min_interval: Interval | None = None
    state: Text | None = None
    protocols_file: Text | None = None
    wallets_file: Text | None = None
    public_endpoints: Flag = True
    telegram: Table | None = None
    chats: Table = field(default_factory=dict)
    webhooks: Table = field(default_factory=dict)
    console: Table | None = None
    escalation: Table | None = None
    deadman: Table | None = None
    history: Table = field(default_factory=dict)
    discovery: Table = field(default_factory=dict)
    prices: Table = field(default_factory=dict)
    rules: Table = field(default_factory=dict)
    endpoints: Table = field(default_factory=dict)
    chains: Table = field(default_factory=dict)
    wallets: Wallets = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletsFileForm(Form):
    """The keys of a wallets file."""

    wallets: Wallets = field(default_factory=list)


def load(
    path: Path,
    *,
    addresses: Sequence[str] = (),
    chains: Sequence[str] = (),
    telegram: bool = True,
    secrets: bool = True,
    wallets_text: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """The settings of a watcher.toml. Raises `ConfigError` with every problem of the file, a line each.

    `addresses` take the place of its wallets (keeping the label and rules that it has for them), and `chains` narrow
    what is watched. Without `telegram` the bot's token, and whatever else it takes to tell somebody, is not looked up:
    a single check needs none. Without `secrets` none at all is: enough to see whether a configuration is valid, from
    where its secrets are out of reach. `wallets_text` stands for what the wallets file holds: an edit, to be tried.
    """
    problems = Problems(str(path))
    references = References(path.parent, environ, blind=not secrets)
    telling = telegram and secrets
    form = problems.fill_what_fits(UserForm, parse(read_text(path, str(path)), str(path)))
    world = _world(form, references, problems)
    bot = read_telegram(form.telegram, references, problems, wanted=telling)
    chats = read_chats(form.chats, problems, bot=form.telegram is not None)
    webhooks = read_webhooks(form.webhooks, form.chats, references, problems, wanted=telling)
    console = read_console(form.console, problems) or not (form.chats or form.webhooks)
    escalation = read_escalation(form.escalation, references, problems, wanted=telling)
    deadman = read_deadman(form.deadman, references, problems, wanted=telling)
    history = read_history(form.history, problems)
    discovery = read_discovery(form.discovery, problems)
    limits = read_prices(form.prices, problems)
    ruling = read_ruling(form.rules, places_of(world), problems)
    rules = ruling.laid_over(Rules(), (), problems)
    for each in world.deployments:
        ruling.laid_over(Rules(), (each.protocol, each.id), problems)
    own = _own_endpoints(form, world, references, problems)
    min_interval = _min_interval(form, problems)
    asked = read_chain_rules(form.chains, world.chains, problems)
    state = _state(form, references, problems)
    wallets_file, listed = _listed(form, references, problems, wallets_text)
    if not any(file.items for file in listed) and not addresses:
        problems.add("wallets", 'none is given; write [[wallets]] on a line, and address = "0x…" below it')
    named = (*form.chats, *form.webhooks, *([CONSOLE] if console else []))
    lists = read_wallets(listed, world, named, ruling)
    wallets = tuple(wallet for each in lists for wallet in each)
    problems.settle()
    if addresses:
        wallets = named_wallets(addresses, chains, world, wallets, ruling)
    elif chains:
        wallets = narrowed(wallets, chains, world)
    used = _in_use(wallets, world)
    specs = {chain: _with_endpoints(world.chains[chain], own, public=form.public_endpoints) for chain in used}
    specs |= {chain: rules.over(specs[chain]) for chain, rules in asked.items() if chain in specs}
    refuse_lonely(specs, problems)
    _refuse_mute(specs, form, problems)
    problems.settle()
    return Settings(
        interval=form.interval,
        min_interval=min_interval,
        state=state,
        chains=MappingProxyType(specs),
        deployments=_watched(wallets, world),
        wallets=wallets,
        rules=rules,
        telegram=bot,
        chats=MappingProxyType(chats),
        webhooks=MappingProxyType(webhooks),
        escalation=escalation,
        deadman=deadman,
        history=history,
        discovery=discovery,
        limits=limits,
        wallets_file=wallets_file,
        console=console,
    )


def for_addresses(
    addresses: Sequence[str], *, chains: Sequence[str] = (), environ: Mapping[str, str] = os.environ
) -> Settings:
    """Settings without any file: these addresses in every shipped deployment, by the default rules.

    Raises `ConfigError` for an address or a chain that is not one.
    """
    world = load_world(environ=environ)
    wallets = named_wallets(addresses, chains, world, (), read_ruling({}, (), Problems("")))
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


def _min_interval(form: UserForm, problems: Problems) -> int:
    if form.min_interval is None:
        return min(DEFAULT_MIN_INTERVAL, form.interval)
    if form.min_interval > form.interval:
        problems.add(
            "min_interval",
            f"{in_units(form.min_interval)} is longer than interval, which is {in_units(form.interval)};"
            " write a shorter one, or a longer interval",
        )
    return form.min_interval


def _world(form: UserForm, references: References, problems: Problems) -> World:
    if form.protocols_file is None:
        return load_world(environ=references.environ, blind=references.blind)
    extra = references.path(form.protocols_file)
    if not os.path.isfile(extra):  # unlike pathlib's, it bears a name that is too long
        problems.add("protocols_file", f"{shown(form.protocols_file)} is no file: looked for {extra}")
        problems.settle()
    return load_world(extra, environ=references.environ, blind=references.blind)


def _listed(
    form: UserForm, references: References, problems: Problems, text: str | None
) -> tuple[Path | None, list[Listed]]:
    """The wallets file, if there is one, and the wallets of both files."""
    listed = [Listed(form.wallets, problems)]
    if form.wallets_file is None:
        return None, listed
    path = references.path(form.wallets_file).absolute()
    if text is None:
        if not os.path.isfile(path):
            problems.add(
                "wallets_file",
                f"{shown(form.wallets_file)} is no file: looked for {path};"
                ' make it with: watcher wallets add "0x…", or leave the key out',
            )
            return path, listed
        text = read_text(path, str(path))
    own = problems.beside(str(path))
    listed.append(Listed(own.fill_what_fits(WalletsFileForm, parse(text, str(path))).wallets, own))
    return path, listed


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
