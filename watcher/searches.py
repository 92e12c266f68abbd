"""What is searched for in the logs of one chain: how far that has come, and what to ask for next.

The newest blocks come first: what was opened lately is most likely still held. So what has been searched is a set of
ranges, and the cursor is what it leaves out. One request is made for all owners whose searches differ in one topic.

Blocks are searched up to `target`, which is as many below the head as the chain takes for confirmation, and each
range is begun four times as many blocks lower: what a reorganisation brought in there, unseen by anybody, is found the
second time. Blocks cost nothing, requests do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from watcher.chain.logs import Stretch
from watcher.config import Deployment
from watcher.domain.searched import Ranges, Searched, joined, missing, up_to
from watcher.domain.source import Address, Holder
from watcher.reads.logs import Search, Topics

TOGETHER: Final = 50
"""Owners in one request: endpoints limit its length."""
AGAIN: Final = 4
"""Times the confirmations of a chain: so many blocks are searched twice."""
PAUSES: Final = (30.0, 600.0)
"""Seconds that a search waits after a failure: the first time, and at most."""

Place = tuple[str, Address]
"""A deployment, and an owner's account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Logs to ask for next: of these places, whose searches are one together."""

    search: Search
    first: int
    last: int
    places: tuple[Place, ...]


@dataclass(slots=True)
class _Pause:
    until: float
    seconds: float


@dataclass(slots=True)
class Searches:
    """The searches of one chain. `confirmations` are those of the chain.

    What is `unsaved` has to be stored. Only what was stored counts when all begins again.
    """

    confirmations: int = 0
    target: int | None = None
    unsaved: set[Place] = field(default_factory=set)
    _known: dict[Place, Searched] = field(default_factory=dict)
    _wanted: dict[Place, Search] = field(default_factory=dict)
    _pauses: dict[Place, _Pause] = field(default_factory=dict)
    _advanced_at: float | None = None

    def recall(self, kept: Mapping[Place, Searched]) -> None:
        """What was stored. The last blocks of it may have been taken back since."""
        for place, one in kept.items():
            if place not in self._known:
                top = one.ranges[-1][1] if one.ranges else 0
                self._known[place] = replace(one, ranges=up_to(one.ranges, top - AGAIN * self.confirmations))

    def want(self, searches: Mapping[Place, Search], head: int, now: float, every: float) -> None:
        """These are the searches of all who are looked for now, and so high is the chain.

        What is new at its top is searched for every so many seconds; not every block is worth a request.
        """
        self._wanted = dict(searches)
        for place, search in searches.items():
            known = self._known.get(place, Searched(mark=search.mark))
            same = known.mark == search.mark  # keys are kept: what is held is told by the chain, whoever named it
            self._known[place] = known if same else replace(known, mark=search.mark, ranges=())
        if self._advanced_at is None or now - self._advanced_at >= every or self.target is None:
            self.target, self._advanced_at = max(self.target or 0, head - self.confirmations), now

    def taken_back(self, stands: int) -> None:
        """Blocks above this one are others now."""
        for place, one in self._known.items():
            ranges = up_to(one.ranges, stands)
            if ranges != one.ranges:
                self._known[place] = replace(one, ranges=ranges)
                self.unsaved.add(place)

    # What is known

    def found(self, deployment: str) -> dict[Address, tuple[str, ...]]:
        """By owner, the keys that logs have told of."""
        return {owner: one.keys for (name, owner), one in self._known.items() if name == deployment and one.keys}

    def searched(self, deployment: str) -> dict[Address, Searched]:
        """By owner, how far its search has come."""
        return {owner: one for (name, owner), one in self._known.items() if name == deployment}

    def to_save(self) -> dict[Place, Searched]:
        """What has to be stored by now."""
        return {place: self._known[place] for place in self.unsaved}

    def saved(self, stored: Mapping[Place, Searched]) -> None:
        """So much is stored; what has changed since has to be yet."""
        self.unsaved -= {place for place, one in stored.items() if self._known[place] == one}

    # What comes next

    def next(self, now: float) -> Task | None:
        """What to ask for: the newest blocks that somebody has not been looked for in. None where there is nothing."""
        free = {place: left for place in self._wanted if not self._resting(place, now) and (left := self._left(place))}
        if not free:
            return None
        leader = max(free, key=lambda place: free[place][-1][1])
        low, last = free[leader][-1]
        places = tuple(self._beside(leader, free))
        search = together_in_one([self._wanted[place] for place in places])
        return Task(search=search, first=max(search.since, low - AGAIN * self.confirmations), last=last, places=places)

    def _left(self, place: Place) -> Ranges:
        if self.target is None:
            return ()
        return missing(self._known[place].ranges, self._wanted[place].since, self.target)

    def _beside(self, leader: Place, free: Iterable[Place]) -> Iterator[Place]:
        """Who can be looked for in the same request."""
        yield leader
        mine, along, differ = self._wanted[leader], 1, set[int]()
        for place in free:
            other = self._wanted[place]
            if place == leader or along == TOGETHER or not _alike(mine, other):
                continue
            places = {at for at, pair in enumerate(zip(mine.topics, other.topics, strict=True)) if pair[0] != pair[1]}
            if len(differ | places) <= 1:
                differ |= places
                along += 1
                yield place

    def took(self, task: Task, stretch: Stretch) -> None:
        """What came of a task. Raises `NotDecodable` on a log that is not of its form; then nothing counts."""
        found = {place: self._keys(place, stretch) for place in task.places}
        for place, keys in found.items():
            known = self._known[place]
            self._known[place] = replace(
                known,
                ranges=joined(known.ranges, stretch.first, stretch.last),
                keys=tuple(sorted({*known.keys, *keys})),
                problem="",
            )
            self.unsaved.add(place)
            self._pauses.pop(place, None)

    def _keys(self, place: Place, stretch: Stretch) -> set[str]:
        search = self._wanted[place]
        return {search.key(log) for log in stretch.logs if log.block >= search.since and search.matches(log)}

    def failed(self, task: Task, problem: str, now: float) -> None:
        """These wait a while, and the others go on."""
        first, longest = PAUSES
        for place in task.places:
            before = self._pauses.get(place)
            seconds = first if before is None else min(2 * before.seconds, longest)
            self._pauses[place] = _Pause(now + seconds, seconds)
            self._known[place] = replace(self._known[place], problem=problem)

    def _resting(self, place: Place, now: float) -> bool:
        pause = self._pauses.get(place)
        return pause is not None and now < pause.until


def _alike(one: Search, other: Search) -> bool:
    return one.emitters == other.emitters and len(one.topics) == len(other.topics) and _same_anything(one, other)


def _same_anything(one: Search, other: Search) -> bool:
    pairs = zip(one.topics, other.topics, strict=True)
    return all((mine is None) == (theirs is None) for mine, theirs in pairs)


def together_in_one(searches: Sequence[Search]) -> Search:
    """A search for what any of these is for, which differ in one topic at most: each of its logs is one of theirs."""
    first = searches[0]
    topics: Topics = tuple(
        None if any_of is None else tuple(dict.fromkeys(one for search in searches for one in search.topics[at] or ()))
        for at, any_of in enumerate(first.topics)
    )
    return replace(first, topics=topics, since=min(search.since for search in searches))


def wanted(deployments: Iterable[Deployment], owners: Mapping[str, Sequence[Holder]]) -> dict[Place, Search]:
    """What there is to search for: of all who are looked for in these deployments, by their names."""
    return {
        (deployment.id, owner.account): search
        for deployment in deployments
        for owner in owners.get(deployment.id, ())
        if (search := deployment.reader.search(owner)) is not None
    }
