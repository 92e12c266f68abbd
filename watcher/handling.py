"""What people do about alerts: acknowledge, snooze, mute. Kept on the disk before it counts.

Every word has an end, and none hides what gets worse: an acknowledgement counts for the level that was seen, and a mute
holds nothing of a liquidation. All raise `StoreFailed` where the state volume refuses; then nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from watcher.alerts import figures
from watcher.alerts.ack import Acknowledgement
from watcher.alerts.message import Level
from watcher.alerts.mute import LOUDEST, Mute
from watcher.alerts.record import Key, Record
from watcher.domain.errors import WatcherError
from watcher.domain.source import Address
from watcher.memory import Memory
from watcher.store import StoreThread
from watcher.store.acks import drop_acks, keep_acks
from watcher.store.mutes import drop_mutes, keep_mute

DAY: Final = 86_400
SEEN_FOR: Final = DAY
"""Seconds that an acknowledgement lasts at most."""
UNTIL_WORSE_FOR: Final = 7 * DAY
"""Seconds that "until it gets worse" lasts at most."""
LONGEST: Final = 30 * DAY
"""Seconds that a snooze or a mute may be set for."""


class NotAllowed(WatcherError):  # noqa: N818 - named for what happened, as the other errors are
    """What was asked for would hide too much, or for too long."""


class Handling:
    """Acknowledgements and mutes, in memory as in the database. `now` is Unix seconds."""

    def __init__(
        self, memory: Memory, store: StoreThread, *, now: Callable[[], float], freed: Callable[[], None] = lambda: None
    ) -> None:
        """`freed` is called when messages that were held may leave."""
        self._memory = memory
        self._store = store
        self._now = now
        self._freed = freed

    @property
    def acks(self) -> dict[Key, Acknowledgement]:
        """The words that cover what stands now."""
        now, records = int(self._now()), self._memory.records
        return {key: ack for key, ack in self._memory.acks.items() if key in records and ack.covers(records[key], now)}

    def record(self, key: Key) -> Record | None:
        """How a condition stands at this moment; None where nothing was ever known of it."""
        return self._memory.records.get(key)

    def mutes(self, chat: str) -> list[Mute]:
        """What a chat is not told now; that about all wallets first."""
        now = int(self._now())
        own = [mute for mute in self._memory.mutes if mute.chat == chat and now < mute.until]
        return sorted(own, key=lambda mute: mute.wallet or "")

    async def acknowledge(self, keys: Iterable[Key], by: int) -> list[Record]:
        """No more reminders of these, at the level at which each stands, until its episode ends: a day at most.

        Returns those that stand; the others need no word.
        """
        return await self._say(keys, SEEN_FOR, by)

    async def snooze(self, keys: Iterable[Key], seconds: int, by: int) -> list[Record]:
        """As `acknowledge` for so many seconds; what still stands then is told at once. Raises `NotAllowed`."""
        _check_duration(seconds, "a snooze")
        return await self._say(keys, seconds, by, snooze=True)

    async def until_worse(self, keys: Iterable[Key], by: int) -> list[Record]:
        """As `acknowledge`, for a week at most."""
        return await self._say(keys, UNTIL_WORSE_FOR, by)

    async def _say(self, keys: Iterable[Key], seconds: int, by: int, *, snooze: bool = False) -> list[Record]:
        now = int(self._now())
        known = [self._memory.records[key] for key in dict.fromkeys(keys) if key in self._memory.records]
        standing = [record for record in known if record.level]
        acks = [
            Acknowledgement(
                key=record.key,
                episode=record.episode,
                level=record.level,
                until=now + seconds,
                snooze=snooze,
                by=by,
                at=now,
            )
            for record in standing
        ]
        await self._store.do(keep_acks, acks)
        self._memory.acks |= {ack.key: ack for ack in acks}
        return standing

    async def mute(self, chat: str, wallet: Address | None, level: Level, seconds: int, by: int) -> Mute:
        """Holds what the chat would be told up to a level, about one wallet or all, in place of the same mute before.

        Raises `NotAllowed`.
        """
        if not Level.OK < level <= LOUDEST:
            raise NotAllowed(
                f"a mute cannot hold {level.word}: it holds up to WARNING or CRITICAL, and liquidations are always told"
            )
        _check_duration(seconds, "a mute")
        now = int(self._now())
        mute = Mute(chat=chat, wallet=wallet, level=level, until=now + seconds, by=by, at=now)
        await self._store.do(keep_mute, mute, now)
        others = (one for one in self._memory.mutes if (one.chat, one.wallet) != (chat, wallet))
        self._memory.mutes = (*others, mute)
        self._freed()
        return mute

    async def unmute(self, chat: str, wallet: Address | None) -> list[Mute]:
        """Ends the chat's mute of a wallet, or for None all its mutes; what they held is told. Returns those ended."""
        ended = [mute for mute in self.mutes(chat) if wallet in (None, mute.wallet)]
        await self._drop(ended)
        self._freed()
        return ended

    async def tidy(self) -> None:
        """Forgets what can have no effect any more."""
        now, memory = int(self._now()), self._memory
        spent = memory.spent(now)
        await self._store.do(drop_acks, spent)
        for ack in spent:
            if memory.acks.get(ack.key) == ack:
                del memory.acks[ack.key]
        await self._drop([mute for mute in memory.mutes if mute.until <= now])

    async def _drop(self, mutes: list[Mute]) -> None:
        if not mutes:
            return
        await self._store.do(drop_mutes, mutes, int(self._now()))
        self._memory.mutes = tuple(mute for mute in self._memory.mutes if mute not in mutes)


def _check_duration(seconds: int, what: str) -> None:
    if not 0 < seconds <= LONGEST:
        raise NotAllowed(f"{what} lasts from a second to {figures.duration(LONGEST)}, not {seconds} s")
