"""The store: conditions and outbox, changed together.

The laws of the outbox, each a test in `tests/store`:
  1. A transition and the messages it causes are one transaction.
  2. A claim is on the disk before the caller learns of it. So a crash at any moment leaves either no claim, and nothing
     was sent, or a claim whose fate is unknown, and the repeat is labelled.
  3. A chat has one message in flight at most, and they leave in order: most severe first, then oldest. One that waits
     for a retry holds back what comes after it; something more severe does not wait for it. One that a mute holds is
     not in the order until it is free.
  4. Only a confirmed delivery or a permanent refusal settles a message; only a newer message that tells its news too
     replaces one, and only while nothing of it has left.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Update,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from watcher.alerts.escalation import Vigil
from watcher.alerts.message import Level, Message, Section
from watcher.alerts.record import Key, Record
from watcher.store.acks import drop_ended
from watcher.store.database import Database
from watcher.store.file import Lock, created, reader, writer
from watcher.store.folding import fold_waiting
from watcher.store.forsaken import UNCONFIGURED, give_up_forsaken
from watcher.store.mutes import rightly_held
from watcher.store.opening import forget_incidents_of, forget_incidents_without_message, open_incident
from watcher.store.prices import NOTHING, PricesKept, store_prices
from watcher.store.rows import (
    Backlog,
    ChatState,
    Claimed,
    Fate,
    claimed_from,
    message_row,
    record_from,
    record_row,
)
from watcher.store.schema import chat, condition, incident, outbox
from watcher.store.seen import LastSeen, store_seen
from watcher.store.vigils import last_warning, store_vigils, stored_vigils

_UNCLAIM: Final = {"in_flight": 0}
_NEXT_PART: Final = {"in_flight": 0, "maybe_sent": 0, "attempt": 0, "not_before": 0, "problem": None}


class Store(Database):
    """The whole of it, with its lock. Times are Unix seconds."""

    def __init__(self, connection: Connection, path: Path, lock: Lock | None) -> None:
        super().__init__(connection, path)
        self._lock = lock

    @classmethod
    def open(cls, path: Path, *, exclusive: bool = True) -> Self:
        """Opens to write, making or migrating the database. Claims left by a crash become "may have been sent".

        With `exclusive` off the lock is not taken: for tools that know that no daemon runs.
        Raises `ConfigError`: in use by another daemon, written by a newer version, not ours, not writable.
        """
        created(path)
        lock = Lock(path) if exclusive else None
        try:
            store = cls(writer(path), path, lock)
            store._own_up_to_claims()
        except BaseException:
            if lock is not None:
                lock.close()
            raise
        return store

    @classmethod
    def read_only(cls, path: Path) -> Self:
        """Opens to look only, also beside a running daemon. Raises `ConfigError`."""
        return cls(reader(path), path, None)

    def close(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()
        if self._lock is not None:
            self._lock.close()

    # Conditions

    def records(self) -> dict[Key, Record]:
        """Every condition that was ever committed."""
        with self.transaction() as connection:
            found = [record_from(row) for row in connection.execute(select(condition)).mappings()]
        return {record.key: record for record in found}

    def commit(
        self,
        records: Iterable[Record],
        messages: Iterable[Message],
        seen: Collection[LastSeen] = (),
        prices: PricesKept = NOTHING,
    ) -> None:
        """State and outbox in one transaction: all of it is on the disk when this returns, or none.

        An acknowledgement goes with its episode, and a message that is to be held is held by the mutes as they are now.
        """
        kept = list(records)
        with self.transaction() as connection:
            if rows := [record_row(record) for record in kept]:
                added = upsert(condition)
                changed = {name: added.excluded[name] for name in rows[0] if name not in ("rule", "subject")}
                connection.execute(added.on_conflict_do_update(index_elements=["rule", "subject"], set_=changed), rows)
            drop_ended(connection, kept)
            store_seen(connection, seen)
            store_prices(connection, prices)
            enqueue(connection, messages)

    # Vigils

    def vigils(self) -> dict[Key, Vigil]:
        """What is critical, since when, and whether the second way to people was told."""
        with self.transaction() as connection:
            return stored_vigils(connection)

    def keep_vigils(self, kept: Iterable[Vigil], ended: Iterable[Key], messages: Iterable[Message]) -> None:
        """What became of vigils, in one transaction with the messages it causes."""
        with self.transaction() as connection:
            store_vigils(connection, kept, ended)
            enqueue(connection, messages)

    def last_warning(self, key: Key, *, besides: str) -> Section | None:
        """The newest warning about a condition to any chat but one; None where it is forgotten."""
        with self.transaction() as connection:
            return last_warning(connection, key, besides)

    # Outbox

    def due(self, quiet: Collection[str] = (), *, dated: int = 0) -> dict[str, int]:
        """Per enabled chat with something to send and nothing in flight: when its next message may leave.

        For the `quiet` chats only what is critical, or worse, counts. What a mute holds does not count, nor does it
        stand before anything; `dated` is now by the clock that messages, and so mutes, are dated by.
        """
        with self.transaction() as connection:
            heads = _heads(dated, outbox.c.chat, outbox.c.not_before).where(~_is_hushed(quiet))
            rows = connection.execute(heads).all()
        return {name: not_before for name, not_before in rows}  # noqa: C416 - rows are not pairs to the type checker

    def claim(
        self, now: int, chats_ready: Collection[str] | None = None, *, dated: int | None = None
    ) -> Claimed | None:
        """The most severe, then oldest, message that may leave now, to one of `chats_ready` if given.

        `dated` as for `due`; the same clock as `now`, if it is not given.
        """
        heads = _heads(now if dated is None else dated, outbox.c.id).where(outbox.c.not_before <= now)
        if chats_ready is not None:
            heads = heads.where(outbox.c.chat.in_(chats_ready))
        with self.transaction() as connection:
            found = connection.execute(heads.order_by(outbox.c.severity.desc(), outbox.c.id).limit(1)).scalar()
            if found is None:
                return None
            claim = update(outbox).where(outbox.c.id == found).values(in_flight=1, attempt=outbox.c.attempt + 1)
            return claimed_from(connection.execute(claim.returning(outbox)).mappings().one())

    def delivered(self, message_id: int, now: int, external_id: str, *, more: bool = False) -> None:
        """The claimed part arrived. With `more` parts to come the message stays where it is in its chat's order.

        The first part's `external_id` is kept: it is what an answer or an edit refers to. An incident begins with it.
        """
        kept = func.coalesce(outbox.c.external_id, external_id)
        progress: dict[str, Any] = {"external_id": kept, "part": outbox.c.part + 1, **_NEXT_PART}
        if not more:  # whether the last part came twice stays known
            progress |= {"fate": Fate.DELIVERED.value, "settled_at": now, "maybe_sent": outbox.c.maybe_sent}
        with self.transaction() as connection:
            row = connection.execute(_row(message_id).values(**progress).returning(outbox)).mappings().one()
            if row["part"] == 1:
                open_incident(connection, row, now)

    def not_sent(self, message_id: int, retry_at: int, why: str) -> None:
        """The claimed try is known not to have arrived: no label on its account."""
        self._release(_row(message_id).values(**_UNCLAIM, not_before=retry_at, problem=why))

    def uncertain(self, message_id: int, retry_at: int, why: str) -> None:
        """The claimed try may have arrived: it is repeated, with a label."""
        self._release(_row(message_id).values(**_UNCLAIM, maybe_sent=1, not_before=retry_at, problem=why))

    def hurry(self, chats: Iterable[str]) -> None:
        """What waits for another try to these chats waits no longer."""
        waiting = update(outbox).where(outbox.c.fate == Fate.PENDING.value, outbox.c.not_before > 0)
        with self.transaction() as connection:
            connection.execute(waiting.where(outbox.c.chat.in_(list(chats))).values(not_before=0))

    def dead(
        self, message_id: int, why: str, now: int, *, disable: bool = False, notices: Iterable[Message] = ()
    ) -> None:
        """Nothing will deliver this message. Its chat is disabled if asked, and the notices about it are enqueued,
        all in one transaction."""
        with self.transaction() as connection:
            buried = (
                _row(message_id)
                .values(**_UNCLAIM, fate=Fate.DEAD.value, problem=why, settled_at=now)
                .returning(outbox.c.chat)
            )
            name = connection.execute(buried).scalar_one()
            if disable:
                connection.execute(_set_chat(name, disabled=why))
            enqueue(connection, notices)

    def backlog(self, quiet: Collection[str] = (), *, dated: int = 0) -> Backlog:
        """How much waits, why, since when, and how much was given up. `quiet` and `dated` as for `due`."""
        refused = outbox.c.chat.in_(select(chat.c.name).where(chat.c.disabled.is_not(None)))
        held = and_(~refused, or_(outbox.c.held_until > dated, _is_hushed(quiet)))
        oldest_ = func.min(outbox.c.created_at).filter(~refused, ~held)
        waiting = select(func.count(), func.count().filter(refused), func.count().filter(held), oldest_)
        lost = select(func.count()).where(outbox.c.fate == Fate.DEAD.value)  # two queries: each has an index
        with self.transaction() as connection:
            query = waiting.where(outbox.c.fate == Fate.PENDING.value)
            pending, refused_, held_, oldest = connection.execute(query).one()
            dead = connection.execute(lost).scalar_one()
        return Backlog(pending=pending, refused=refused_, held=held_, oldest=oldest, dead=dead)

    def forget(self, settled_before: int) -> int:
        """Deletes what was delivered or given up before then, unless it is still edited; returns how many. Gives up
        what waits since before then for a chat that is configured no more."""
        edited = select(incident.c.id).where(incident.c.ended_at.is_(None))
        old = delete(outbox).where(outbox.c.fate != Fate.PENDING.value, outbox.c.settled_at < settled_before)
        with self.transaction() as connection:
            give_up_forsaken(connection, settled_before)
            deleted = connection.execute(old.where(outbox.c.id.not_in(edited))).rowcount
            forget_incidents_without_message(connection)
        return deleted

    # Chats

    def register(self, addresses: Mapping[str, str]) -> dict[str, ChatState]:
        """Tells which chats are configured, and where; returns what is known of each, with the address to use.

        What was learnt about a chat is forgotten when its configured address is another one. One that is configured no
        more counts as disabled until it is again: what waits for it is no standstill.
        """
        added = upsert(chat)
        fresh = added.on_conflict_do_update(
            index_elements=["name"],
            set_={"address": added.excluded.address, "moved_to": None, "disabled": None},
            where=chat.c.address != added.excluded.address,
        )
        with self.transaction() as connection:
            if addresses:
                known = connection.execute(select(chat.c.name, chat.c.address)).all()
                forget_incidents_of(connection, [name for name, at in known if addresses.get(name, at) != at])
                rows = [{"name": name, "address": address} for name, address in addresses.items()]
                connection.execute(fresh, rows)
            there, gone = chat.c.name.in_(addresses), chat.c.name.not_in(addresses)
            connection.execute(update(chat).where(there, chat.c.disabled == UNCONFIGURED).values(disabled=None))
            connection.execute(update(chat).where(gone, chat.c.disabled.is_(None)).values(disabled=UNCONFIGURED))
        return {name: state for name, state in self.chats().items() if name in addresses}

    def chats(self) -> dict[str, ChatState]:
        """Every chat that was ever registered or found out something about."""
        with self.transaction() as connection:
            rows = connection.execute(select(chat)).mappings().all()
        return {
            row["name"]: ChatState(
                name=row["name"], address=row["moved_to"] or row["address"], disabled=row["disabled"] or ""
            )
            for row in rows
        }

    def chat_moved(self, name: str, new_address: str) -> None:
        """Telegram gave the chat another id."""
        with self.transaction() as connection:
            connection.execute(_set_chat(name, moved_to=new_address))
            forget_incidents_of(connection, [name])

    def enable_chat(self, name: str) -> None:
        """Sends there again, from where it stopped."""
        with self.transaction() as connection:
            connection.execute(_set_chat(name, disabled=None))

    # Inside

    def _own_up_to_claims(self) -> None:
        """Nobody else can be sending now, so what is in flight was cut off: whether it arrived is unknown."""
        cut_off = update(outbox).where(outbox.c.in_flight == 1).values(in_flight=0, maybe_sent=1)
        self._release(cut_off)

    def _release(self, unclaimed: Update) -> None:
        """What waits again may have been superseded meanwhile."""
        with self.transaction() as connection:
            for name in set(connection.execute(unclaimed.returning(outbox.c.chat)).scalars().all()):
                fold_waiting(connection, name)


def enqueue(connection: Connection, messages: Iterable[Message]) -> None:
    """Puts messages into the outbox, within a transaction of the caller's."""
    if rows := [message_row(message) for message in rightly_held(connection, messages)]:
        connection.execute(insert(outbox), rows)
        for name in dict.fromkeys(row["chat"] for row in rows):
            fold_waiting(connection, name)


def _row(message_id: int) -> Update:
    return update(outbox).where(outbox.c.id == message_id)


def _is_hushed(quiet: Collection[str]) -> ColumnElement[bool]:
    """What chats in their quiet hours are told only after them."""
    return and_(outbox.c.severity < int(Level.CRITICAL), outbox.c.chat.in_(quiet))


def _heads(dated: int, *columns: ColumnElement[Any]) -> Select[Any]:
    """The one message per enabled chat whose turn it is: pending, not held, with nothing before it or in flight."""
    other = outbox.alias("other")
    sooner = or_(
        other.c.in_flight == 1,
        other.c.severity > outbox.c.severity,
        and_(other.c.severity == outbox.c.severity, other.c.id < outbox.c.id),
    )
    same_chat = and_(other.c.chat == outbox.c.chat, other.c.fate == Fate.PENDING.value, other.c.held_until <= dated)
    disabled = exists().where(chat.c.name == outbox.c.chat, chat.c.disabled.is_not(None))
    blocked = exists().where(same_chat, sooner)
    free = and_(outbox.c.fate == Fate.PENDING.value, outbox.c.in_flight == 0, outbox.c.held_until <= dated)
    return select(*columns).where(free, ~blocked, ~disabled)


def _set_chat(name: str, **learnt: str | None) -> Any:
    added = upsert(chat).values(name=name, address="", **learnt)
    return added.on_conflict_do_update(index_elements=["name"], set_=learnt)
