"""`[rules]`, the same keys in a wallet's own table, and both by protocol or deployment.

The more exact word counts: a wallet's before everyone's, and within each a deployment's before its protocol's, before
what is said of all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Annotated

from watcher.alerts.rules import Rules
from watcher.config.forms import Flag, duration, number, whole
from watcher.config.refusal import Form, Problems, Right, inside, shown, unknown

RULES = "rules"
ORDER = "1 < critical < warn < target"

Limit = Annotated[
    Decimal,
    Right(
        "a health above 1 (where liquidation begins) and at most 100, such as 1.30",
        number(lambda factor: 1 < factor <= 100),
    ),
]
Clear = Annotated[
    Decimal, Right("a fraction from 0 to below 0.5, such as 0.02", number(lambda share: 0 <= share < Decimal("0.5")))
]
GoodReads = Annotated[int, Right("a whole number from 1 to 100, such as 2", whole(1, 100))]
Remind = Annotated[int, Right('a duration from "1m" to "30d", such as "4h"', duration(60, 30 * 86_400))]
Share = Annotated[Decimal, Right("a fraction above 0 and below 1, such as 0.15", number(lambda share: 0 < share < 1))]
Within = Annotated[int, Right('a duration from "1m" to "1d", such as "30m"', duration(60, 86_400))]


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesForm(Form):
    """The keys of `Rules`, each of which may be left out."""

    warn: Limit | None = None
    critical: Limit | None = None
    target: Limit | None = None
    clear: Clear | None = None
    good_reads: GoodReads | None = None
    remind: Remind | None = None
    stale: Flag | None = None
    suspect: Flag | None = None
    unknown_age: Flag | None = None
    unreadable: Flag | None = None
    distance_warn: Share | None = None
    distance_critical: Share | None = None
    drop: Share | None = None
    drop_within: Within | None = None
    events: Flag | None = None
    liquidated: Flag | None = None
    terms: Flag | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Rules as they are written in one place: those of all, and by name those of a protocol or a deployment."""

    where: str
    form: RulesForm
    places: Mapping[str, RulesForm]

    def laid_over(self, base: Rules, names: Collection[str], problems: Problems) -> Rules:
        """The rules where these names apply, the less exact first, with `base` for what is not said here."""
        rules = read_rules(self.form, base, self.where, problems)
        for name in names:
            if name in self.places:
                rules = read_rules(self.places[name], rules, _place(self.where, name), problems)
        return rules

    @property
    def names(self) -> Collection[str]:
        return self.places.keys()


def read_ruling(table: Mapping[str, object], names: Collection[str], problems: Problems) -> Ruling:
    """`[rules]` with `[rules.<name>]` for protocols and deployments of these names."""
    keys = {field.name for field in fields(RulesForm)}
    places = {key: value for key, value in table.items() if isinstance(value, Mapping) and key not in keys}
    rest = {key: value for key, value in table.items() if key not in places}
    form = problems.fill_what_fits(RulesForm, rest, RULES)
    return Ruling(where=RULES, form=form, places=_read_places(places, RULES, names, problems))


def read_own_ruling(
    form: RulesForm, places: Mapping[str, object], where: str, names: Collection[str], problems: Problems
) -> Ruling:
    """A wallet's own keys, with its `rules.<name>`."""
    return Ruling(where=where, form=form, places=_read_places(places, inside(where, RULES), names, problems))


def _read_places(
    tables: Mapping[str, object], where: str, names: Collection[str], problems: Problems
) -> dict[str, RulesForm]:
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            example = f"{RULES}.{next(iter(names), 'aave_v3')} = {{ warn = 1.5 }}"
            problems.add(inside(where, name), f"{shown(table)} is not a table; write it by protocol, such as {example}")
        elif name not in names:
            problems.add(where, unknown(name, names, "protocol or deployment"))
    return {
        name: problems.fill_what_fits(RulesForm, table, inside(where, name))
        for name, table in tables.items()
        if isinstance(table, Mapping) and name in names
    }


def _place(where: str, name: str) -> str:
    return inside(where if where == RULES else inside(where, RULES), name)


def read_rules(form: RulesForm, base: Rules, where: str, problems: Problems) -> Rules:
    """The rules of a table, with `base` for what it leaves out; an order that makes no sense is a problem."""
    given = {each.name: getattr(form, each.name) for each in fields(Rules) if getattr(form, each.name) is not None}
    rules = replace(base, **given)
    for low, high in (("critical", "warn"), ("warn", "target")):
        written = [key for key in (low, high) if key in given]
        if written and getattr(rules, low) >= getattr(rules, high):
            limits = f"{_limit(rules, low, given)} is not below {_limit(rules, high, given)}"
            problems.add(inside(where, written[0]), f"{limits}; write {ORDER}")
    _refuse_distances(rules, given, where, problems)
    return rules


def _refuse_distances(rules: Rules, given: dict[str, object], where: str, problems: Problems) -> None:
    near, far = rules.distance_critical, rules.distance_warn
    written = [key for key in ("distance_critical", "distance_warn") if key in given]
    if written and near is not None and far is not None and near >= far:
        limits = f"{_limit(rules, 'distance_critical', given)} is not below {_limit(rules, 'distance_warn', given)}"
        problems.add(inside(where, written[0]), f"{limits}; write distance_critical < distance_warn")


def _limit(rules: Rules, key: str, given: dict[str, object]) -> str:
    return f"{key} {getattr(rules, key)}{'' if key in given else ' (not set here)'}"
