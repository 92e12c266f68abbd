"""Tables as they are now, and the steps that lead to them from any earlier version.

A step, once released, is never edited: its SQL is frozen here in full. `tests/store` proves that all the steps together
give exactly the tables that the queries are written against.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Integer, MetaData, Table, Text

metadata = MetaData()

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

condition = Table(
    "condition",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("level", Integer, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("since", Integer, nullable=False),
    Column("spoken_at", Integer, nullable=False),
    Column("fired_block", Integer, nullable=False),
    Column("calm", Integer, nullable=False),
)

# `fate`: see `rows.Fate`. `part`: how many parts of a long message have been delivered. `in_flight`: claimed, and not
# heard of since. `maybe_sent`: an attempt at the current part ended without our knowing whether it arrived. `sections`:
# JSON, what a waiting message can be folded by; `text` and `spans` are the whole of it.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chat", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("spans", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("fate", Text, nullable=False),
    Column("part", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("in_flight", Integer, nullable=False),
    Column("maybe_sent", Integer, nullable=False),
    Column("not_before", Integer, nullable=False),
    Column("problem", Text),
    Column("settled_at", Integer),
    Column("external_id", Text),
    Column("sections", Text, nullable=False),
)

# What was learnt about a chat. It holds for the configured `address` only: another address is another chat.
chat = Table(
    "chat",
    metadata,
    Column("name", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("moved_to", Text),
    Column("disabled", Text),
)

# `since`: when the episode became critical; `told`: the second way to people was told of it. See `alerts.escalation`.
vigil = Table(
    "vigil",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("episode", Integer, nullable=False),
    Column("since", Integer, nullable=False),
    Column("told", Integer, nullable=False),
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
        """CREATE TABLE condition (
            rule TEXT NOT NULL, subject TEXT NOT NULL, level INTEGER NOT NULL, episode INTEGER NOT NULL,
            since INTEGER NOT NULL, spoken_at INTEGER NOT NULL, fired_block INTEGER NOT NULL, calm INTEGER NOT NULL,
            PRIMARY KEY (rule, subject)
        )""",
        """CREATE TABLE outbox (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL, severity INTEGER NOT NULL,
            text TEXT NOT NULL, spans TEXT NOT NULL, about TEXT NOT NULL, created_at INTEGER NOT NULL,
            fate TEXT NOT NULL CHECK (fate IN ('pending', 'delivered', 'dead')),
            part INTEGER NOT NULL, attempt INTEGER NOT NULL, in_flight INTEGER NOT NULL, maybe_sent INTEGER NOT NULL,
            not_before INTEGER NOT NULL, problem TEXT, settled_at INTEGER, external_id TEXT
        )""",
        "CREATE INDEX outbox_queue ON outbox (chat, severity DESC, id) WHERE fate = 'pending'",
        "CREATE INDEX outbox_settled ON outbox (settled_at) WHERE fate <> 'pending'",
        """CREATE TABLE chat (
            name TEXT NOT NULL PRIMARY KEY, address TEXT NOT NULL, moved_to TEXT, disabled TEXT
        )""",
    ),
    ("ALTER TABLE outbox ADD COLUMN sections TEXT NOT NULL DEFAULT '[]'",),
    (
        """CREATE TABLE vigil (
            rule TEXT NOT NULL, subject TEXT NOT NULL, episode INTEGER NOT NULL, since INTEGER NOT NULL,
            told INTEGER NOT NULL, PRIMARY KEY (rule, subject)
        )""",
    ),
)

VERSION: Final = len(MIGRATIONS)
