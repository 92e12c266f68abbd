"""`[[wallets]]`: whom to watch, where, and whom to tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from watcher.alerts.rules import Rules
from watcher.config.forms import EXAMPLE_ADDRESS, Accounts, Names, Owned, Table, Title
from watcher.config.refusal import Problems, inside, repeated, shown, unknown
from watcher.config.rules import RulesForm, Ruling, read_own_ruling
from watcher.config.settings import CONSOLE, Wallet, short
from watcher.config.world import World

COMMAND_LINE = "command line"

_NO_CONSOLE = f"{CONSOLE} is standard output, which is told nothing yet; write [{CONSOLE}] on a line of watcher.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletForm(RulesForm):
    """One `[[wallets]]` entry; the keys of `[rules]` may stand in it too."""

    address: Owned | None = None  # needed, but a wallet without it is still looked through
    label: Title | None = None
    accounts: Accounts | None = None
    chains: Names | None = None
    protocols: Names | None = None
    chats: Names | None = None
    rules: Table | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """The `[[wallets]]` of one file, and where its problems go."""

    items: Sequence[object]
    problems: Problems


def read_wallets(
    files: Sequence[Listed], world: World, chats: Collection[str], rules: Ruling
) -> tuple[tuple[Wallet, ...], ...]:
    """By file, every wallet that is in order; what is not is noted, and so is a wallet that two files have."""
    read: list[_Place] = []
    for file in files:
        for index, item in enumerate(file.items, 1):
            where = f"wallets[{index}]"
            form = file.problems.fill_what_fits(WalletForm, item, where)
            if isinstance(item, Mapping) and "address" not in item:
                file.problems.add(inside(where, "address"), f"missing; write an address: {EXAMPLE_ADDRESS}")
            wallet = _wallet(form, where, world, chats, rules, file.problems)
            if wallet is not None:
                read.append(_Place(wallet, where, file.problems))
    _refuse_twins(read)
    return tuple(tuple(each.wallet for each in read if each.problems is file.problems) for file in files)


def named_wallets(
    addresses: Sequence[str], chains: Sequence[str], world: World, known: Sequence[Wallet], rules: Ruling
) -> tuple[Wallet, ...]:
    """The wallets given on the command line: as configured where they are, with every chain where none is named."""
    problems = Problems(COMMAND_LINE)
    _refuse_unknown(chains, list(world.chains), "chain", "", problems)
    configured = {wallet.address: wallet for wallet in known}
    wallets = []
    for text in addresses:
        plain = _wallet(problems.fill_what_fits(WalletForm, {"address": text}), "", world, (), rules, problems)
        if plain is not None:
            found = configured.get(plain.address, plain)
            wallets.append(replace(found, chains=tuple(chains)) if chains else found)
    for _, twin in repeated(wallet.address for wallet in wallets):
        problems.add("address", f'"{twin}" is given twice; write each address once')
    problems.settle()
    return tuple(wallets)


def narrowed(wallets: Sequence[Wallet], chains: Sequence[str], world: World) -> tuple[Wallet, ...]:
    """The wallets on these chains only; refused where that leaves nobody."""
    problems = Problems(COMMAND_LINE)
    _refuse_unknown(chains, list(world.chains), "chain", "", problems)
    left = tuple(
        replace(wallet, chains=tuple(chain for chain in wallet.chains if chain in chains))
        for wallet in wallets
        if set(wallet.chains) & set(chains)
    )
    if not left:
        problems.add("", f"no wallet is watched on {', '.join(chains)}; name a chain that one is configured for")
    problems.settle()
    return left


def _wallet(
    form: WalletForm, where: str, world: World, chats: Collection[str], rules: Ruling, problems: Problems
) -> Wallet | None:
    """The wallet, or None where it has no address; whatever else is wrong with it is noted all the same."""
    chosen = (
        (form.chains, list(world.chains), "chain"),
        (form.protocols, places_of(world), "protocol"),
        (form.chats, list(chats), "chat"),
    )
    for given, known, what in chosen:
        _refuse_unknown(given or (), known, what, inside(where, f"{what}s"), problems)
    own = read_own_ruling(form, form.rules or {}, where, places_of(world), problems)
    anywhere = _laid_over(rules, own, (), problems)
    if form.address is None:
        return None
    wallet = Wallet(
        label=form.label or short(form.address),
        address=form.address,
        chains=form.chains or tuple(world.chains),
        protocols=form.protocols or _protocols(world),
        chats=form.chats or tuple(chats),
        rules=anywhere,
        accounts=form.accounts or (),
    )
    for account in form.accounts or ():
        if account == wallet.address or (form.accounts or ()).count(account) > 1:
            problems.add(inside(where, "accounts"), f'"{account}" is there already; write each smart wallet once')
            break
    special = [each for each in world.deployments if {each.protocol, each.id} & {*rules.names, *own.names}]
    places = [
        (each.id, _laid_over(rules, own, (each.protocol, each.id), problems))
        for each in special
        if wallet.watches(each)
    ]
    wallet = replace(wallet, places=tuple(places))
    known_everywhere = all(set(given or ()) <= set(known) for given, known, _ in chosen)
    if known_everywhere and not any(wallet.watches(deployment) for deployment in world.deployments):
        problems.add(
            where,
            f"nothing to watch: no deployment of {', '.join(wallet.protocols)} is known on"
            f" {', '.join(wallet.chains)}; name a chain that has one, or leave chains and protocols out",
        )
    return wallet


def _laid_over(everyone: Ruling, own: Ruling, names: Sequence[str], problems: Problems) -> Rules:
    # What is wrong with everyone's rules has been told where those are read, perhaps of another file.
    return own.laid_over(everyone.laid_over(Rules(), names, Problems("")), names, problems)


def places_of(world: World) -> dict[str, str]:
    """What can be named to mean some of the deployments, with titles: their protocols, and their own ids."""
    return {name: name for name in _protocols(world)} | {each.id: each.title for each in world.deployments}


def _refuse_unknown(given: Sequence[str], known: Collection[str], what: str, where: str, problems: Problems) -> None:
    for name in given:
        if name not in known:
            problems.add(where, _NO_CONSOLE if (what, name) == ("chat", CONSOLE) else unknown(name, known, what))
    for _, name in repeated(given):
        problems.add(where, f"{shown(name)} is given twice; write it once")


@dataclass(frozen=True, slots=True)
class _Place:
    """A wallet and where it was read."""

    wallet: Wallet
    where: str
    problems: Problems

    def seen_from(self, other: _Place) -> str:
        return self.where if self.problems.file == other.problems.file else f"{self.where} of {self.problems.file}"


def _refuse_twins(read: Sequence[_Place]) -> None:
    addresses: dict[str, _Place] = {}
    labels: dict[str, _Place] = {}
    for place in read:
        wallet = place.wallet
        first = addresses.setdefault(wallet.address, place)
        if first is not place:
            place.problems.add(
                f"{place.where}.address",
                f'"{wallet.address}" is {first.seen_from(place)} already; write each wallet once',
            )
            continue
        first = labels.setdefault(wallet.label.casefold(), place)
        if first is not place:
            place.problems.add(
                f"{place.where}.label",
                f"{shown(wallet.label)} is the label of {first.seen_from(place)} already;"
                " write one that tells them apart",
            )


def _protocols(world: World) -> tuple[str, ...]:
    return tuple(dict.fromkeys(deployment.protocol for deployment in world.deployments))
