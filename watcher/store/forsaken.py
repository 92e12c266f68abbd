"""What waits for a chat that the configuration names no more: it may return, so it waits on, but not for ever."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select, update

from watcher.store.rows import Fate
from watcher.store.schema import chat, outbox

UNCONFIGURED: Final = "it is not in the configuration"
"""Why such a chat is disabled."""


def give_up_forsaken(connection: Connection, written_before: int) -> None:
    """Gives up what was written for such chats before then. Unix seconds."""
    gone = select(chat.c.name).where(chat.c.disabled == UNCONFIGURED)
    waits = update(outbox).where(outbox.c.fate == Fate.PENDING.value, outbox.c.in_flight == 0, outbox.c.chat.in_(gone))
    why = f"its chat is gone: {UNCONFIGURED}"
    connection.execute(
        waits.where(outbox.c.created_at < written_before).values(
            fate=Fate.DEAD.value, problem=why, settled_at=written_before
        )
    )
