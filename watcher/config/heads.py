"""`[chains.<name>]`: how old the newest block of a chain may be before the chain counts as not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from watcher.chain.spec import ChainSpec
from watcher.config.forms import duration
from watcher.config.refusal import Form, Problems, Right, inside, unknown

HeadAge = Annotated[int, Right('a duration from "5s" to "1d", such as "2m"', duration(5, 86_400))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRules(Form):
    """What the user asks of one chain."""

    head_age: HeadAge | None = None


def read_head_ages(tables: Mapping[str, object], chains: Mapping[str, ChainSpec], problems: Problems) -> dict[str, int]:
    """Seconds by chain, where the user has a word in it."""
    ages = {}
    for name, table in tables.items():
        where = inside("chains", name)
        if name not in chains:
            problems.add(where, unknown(name, list(chains), "chain"))
        elif (form := problems.fill(ChainRules, table, where)) is not None and form.head_age is not None:
            if form.head_age <= 2 * chains[name].block_time:
                usual = f"a block comes every {chains[name].block_time} s, and one may be missed"
                problems.add(inside(where, "head_age"), f"{form.head_age} s is too short: {usual}; write more than two")
            ages[name] = form.head_age
    return ages
