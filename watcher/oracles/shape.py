"""What a kind of price source is, to those who know one and to those who look for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeAlias

from watcher.domain.errors import ReadFailed
from watcher.domain.feed import Beside
from watcher.domain.price import Expression, FeedFacts
from watcher.domain.source import Address
from watcher.reads import Outcome, Plan, together
from watcher.reads.abi import Function

FeedBook: TypeAlias = Mapping[Address, FeedFacts]
"""The published facts of the feeds of one chain, by any address they are known under."""

DEEPEST: Final = 6
"""How many sources may stand on one another."""


class Unseen(ReadFailed):
    """A source that cannot be seen through, and why."""


class Shape(Protocol):
    """What never changes of one source: its kind, its parts, its decimals. Frozen, so that it can be remembered."""

    def expression(self, under: Under) -> Plan[Expression]:
        """How its answer at this block is made. Raises `ReadFailed` where a part of it does not answer."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source, told by its getters: all of `asks` have to answer, without arguments, and no zero address.

    `shape` is given the source and the answers, in the order of `asks`. It may ask further, and returns None where it
    is another kind after all. `feed`: a source of this kind is a feed itself, published or not.
    """

    name: str
    asks: tuple[Function[Any], ...]
    shape: Callable[..., Plan[Shape | None]]
    feed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Under:
    """What a shape asks its parts by: the feeds that are known, and the sources that it stands under, the top first.

    `alone`: for a second opinion, of which no further opinions are asked.
    """

    book: FeedBook
    look: Callable[[Address, Under], Plan[Expression]]
    path: tuple[Address, ...] = ()
    alone: bool = False

    def facts(self, *names: Address) -> FeedFacts | None:
        """What is published about a feed under any of its addresses, the first first."""
        known = (self.book.get(name) for name in names)
        return next((facts for facts in known if facts is not None and facts.listed), None)

    def others(self, *names: Address) -> tuple[Beside, ...]:
        """Where else to ask about a feed or source, known under any of these addresses."""
        known = (self.book.get(name) for name in names)
        return () if self.alone else next((facts.beside for facts in known if facts is not None and facts.beside), ())

    def part(self, source: Address) -> Plan[Expression]:
        """The expression of a source under this one. One that nobody recognises is `Opaque`, at its own answer."""
        if source in self.path or len(self.path) >= DEEPEST:
            raise Unseen(f"its sources go round in circles, or too deep, at {source}")
        return (yield from self.look(source, replace(self, path=(*self.path, source))))

    def parts(self, sources: Sequence[Address]) -> Plan[tuple[Expression, ...]]:
        """Several, side by side. Raises the failure of any."""
        plans: list[Plan[Expression]] = [self.part(source) for source in sources]
        found: list[Outcome[Expression]] = yield from together(plans)
        failed = next((one for one in found if isinstance(one, ReadFailed)), None)
        if failed is not None:
            raise failed
        return tuple(one for one in found if not isinstance(one, ReadFailed))
