"""`[chains.<name>]`: what the user asks of a chain, over what the world says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from watcher.chain import operator
from watcher.chain.spec import ChainSpec
from watcher.config.forms import duration, whole
from watcher.config.refusal import Form, Problems, Right, inside, unknown

HeadAge = Annotated[int, Right('a duration from "5s" to "1d", such as "2m"', duration(5, 86_400))]
Agreement = Annotated[int, Right("a number of operators from 1 to 5, such as 2", whole(1, 5))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRules(Form):
    """How old the newest block may be before the chain counts as not seen, and how many operators have to agree."""

    head_age: HeadAge | None = None
    agreement: Agreement = 1

    def over(self, spec: ChainSpec) -> ChainSpec:
        """The chain as the user wants it."""
        return replace(spec, max_age=self.head_age or spec.max_age, agreement=self.agreement)


def read_chain_rules(
    tables: Mapping[str, object], chains: Mapping[str, ChainSpec], problems: Problems
) -> dict[str, ChainRules]:
    """By chain, where the user has a word in it."""
    found = {}
    for name, table in tables.items():
        where = inside("chains", name)
        if name not in chains:
            problems.add(where, unknown(name, list(chains), "chain"))
        elif (form := problems.fill(ChainRules, table, where)) is not None:
            if form.head_age is not None and form.head_age <= 2 * chains[name].block_time:
                usual = f"a block comes every {chains[name].block_time} s, and one may be missed"
                problems.add(inside(where, "head_age"), f"{form.head_age} s is too short: {usual}; write more than two")
            found[name] = form
    return found


def refuse_lonely(specs: Mapping[str, ChainSpec], problems: Problems) -> None:
    """Nobody can agree with operators that are not there."""
    for name, spec in specs.items():
        operators = sorted({operator(endpoint) for endpoint in spec.endpoints})
        if len(operators) < spec.agreement:
            problems.add(
                inside(inside("chains", name), "agreement"),
                f"{spec.agreement} operators are to agree, and the endpoints are of {len(operators)}"
                f" ({', '.join(operators)}); add an endpoint of another one to [endpoints] {name}",
            )
