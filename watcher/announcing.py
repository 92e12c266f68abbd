"""From what is to be said on one chain to messages: who is told, in which words, with what advice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import structlog

from watcher.advice import advise
from watcher.alerts.message import Message
from watcher.alerts.mute import by_end
from watcher.alerts.outlook import Advice
from watcher.alerts.policy import Notice
from watcher.alerts.sharing import told_to
from watcher.alerts.words import IN_FULL, Telling, compose, urgency
from watcher.config import Settings
from watcher.domain.errors import ReadFailed
from watcher.domain.source import Address
from watcher.memory import Memory
from watcher.snapshot import Snapshot

_log = structlog.get_logger("watcher.watch")


@dataclass(frozen=True, slots=True)
class Announcer:
    """Turns notices into messages, by the settings and by what the memory says that nobody wants to hear now."""

    settings: Settings
    memory: Memory

    def messages(self, notices: Sequence[Notice], now: int, seen: Snapshot | None) -> list[Message]:
        """One message for each chat, and one more for each end of a mute. `seen` is what advice is worked out from."""
        by_chat: dict[str, list[Notice]] = {}
        for notice in notices:
            for chat in self._chats(notice.sighting.wallets):
                by_chat.setdefault(chat, []).append(self.told_to(chat, notice))
        apart = [
            (chat, until, told)
            for chat, its in by_chat.items()
            for until, told in by_end(chat, its, self.memory.mutes, now).items()
        ]
        in_full = {one.record.key: one for _, _, told in apart for one in sorted(told, key=urgency)[:IN_FULL]}
        telling = self.telling(in_full.values(), now, seen)
        return [compose(chat, told, telling, held_until=until) for chat, until, told in apart]

    def telling(self, notices: Iterable[Notice], now: int, seen: Snapshot | None) -> Telling:
        """What the words about these need; what would help their positions is worked out here."""
        return Telling(
            labels={wallet.address: wallet.label for wallet in self.settings.wallets},
            chains={spec.name: spec.title for spec in self.settings.chains.values()},
            explorers={spec.name: spec.explorer for spec in self.settings.chains.values()},
            advice=_advice(notices, seen) if seen else {},
            markets={deployment.id: deployment.title for deployment in self.settings.deployments},
            now=now,
        )

    def told_to(self, chat: str, notice: Notice) -> Notice:
        """A chat learns of no wallet whose alerts it does not get."""
        theirs = {wallet.address for wallet in self.settings.wallets if chat in wallet.chats}
        sighting = notice.sighting
        concerned = tuple(wallet for wallet in sighting.wallets if wallet in theirs)
        return replace(notice, sighting=replace(sighting, facts=told_to(sighting.facts, theirs), wallets=concerned))

    def _chats(self, wallets: Iterable[Address]) -> list[str]:
        """The chats of these wallets, each once."""
        concerned = set(wallets)
        chats = [chat for wallet in self.settings.wallets if wallet.address in concerned for chat in wallet.chats]
        return list(dict.fromkeys(chats))


def _advice(notices: Iterable[Notice], seen: Snapshot) -> dict[str, Advice]:
    """What to say of the positions that are about to be spoken of, as far as it can be worked out."""
    held, found = {str(one.position.id): one for one in seen.held}, {}
    for notice in notices:
        subject = notice.record.key.subject
        if notice.record.level and subject in held:
            try:
                target = notice.sighting.rules.target
                found[subject] = advise(held[subject], target, seen.holdings, seen.unwrapped)
            except ReadFailed as problem:
                _log.warning("advice.none", position=subject, problem=str(problem))
    return found
