"""What a chat does not want to hear for a while: it is held back until then, never dropped. Pure: time comes in.

For one chat and the news of one snapshot:

  weight         a mute holds news up to its level. All-clears weigh what they end: who heard of the alert hears of its
                 end. What is liquidatable, and what was liquidated, no mute holds
  wallets        news of several wallets (a feed, a chain) is held only while every one of them is muted
  one subject    what is loud about a position takes all else about it along
  several mutes  the one that lasts longest counts
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from watcher.alerts.message import Level, Message, Section
from watcher.alerts.policy import Notice
from watcher.domain.source import Address

LOUDEST: Final = Level.CRITICAL
"""The worst that a mute can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """A chat is told nothing up to `level` about a wallet, or about any where it is None, `until` then.

    Times are Unix seconds; `by` is the Telegram user, `at` when it was said.
    """

    chat: str
    wallet: Address | None
    level: Level
    until: int
    by: int = 0
    at: int = 0

    def holds(self, wallet: Address, weight: Level, now: int) -> bool:
        """Whether it keeps news of this weight about a wallet back."""
        return self.wallet in (None, wallet) and weight <= min(self.level, LOUDEST) and now < self.until


class News(NamedTuple):
    """What a mute looks at: whose news it is, and how much it weighs."""

    subject: str
    wallets: Collection[Address]
    weight: Level


def ends(chat: str, news: Iterable[News], mutes: Iterable[Mute], now: int) -> dict[str, int]:
    """By subject, until when news to a chat is held; 0: it is told at once. News of no wallet is nobody's to mute."""
    own = [mute for mute in mutes if mute.chat == chat]
    found: dict[str, int] = {}
    for one in news:
        end = min((_end(wallet, one.weight, own, now) for wallet in one.wallets), default=0)
        found[one.subject] = min(end, found.get(one.subject, end))
    return found


def _end(wallet: Address, weight: Level, mutes: Iterable[Mute], now: int) -> int:
    return max((mute.until for mute in mutes if mute.holds(wallet, weight, now)), default=0)


def by_end(chat: str, notices: Iterable[Notice], mutes: Iterable[Mute], now: int) -> dict[int, list[Notice]]:
    """A chat's notices of one snapshot by until when they are held; 0: they are told at once."""
    told = list(notices)
    news = [News(one.record.key.subject, one.sighting.wallets, one.weight) for one in told]
    until = ends(chat, news, mutes, now)
    found: dict[int, list[Notice]] = {}
    for one in told:
        found.setdefault(until[one.record.key.subject], []).append(one)
    return found


def apart(held: Message, mutes: Iterable[Mute], now: int) -> list[Message]:
    """A held message as these mutes have it: one for each time that its sections are held until, the soonest first.

    What no mute holds any more is free as of `now`.
    """
    if not held.sections:
        return [held]
    news = [News(section.subject, section.wallets, section.weight) for section in held.sections]
    until = ends(held.chat, news, mutes, now)
    groups: dict[int, list[Section]] = {}
    for section in held.sections:
        groups.setdefault(until[section.subject] or now, []).append(section)
    return [Message.of(held.chat, groups[end], held.created_at, held_until=end) for end in sorted(groups)]
