"""Tables as they are now, and the steps that lead to them from any earlier version.

A step, once released, is never edited: its SQL is frozen here in full. `tests/store` proves that all the steps together
give exactly the tables that the queries are written against.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Integer, MetaData, Table, Text

metadata = MetaData()

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

# `told`: JSON, the positions that were told of, where several share the condition.
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
    Column("told", Text, nullable=False),
)

# `fate`: see `rows.Fate`. `part`: how many parts of a long message have been delivered. `in_flight`: claimed, and not
# heard of since. `maybe_sent`: an attempt at the current part ended without our knowing whether it arrived. `sections`:
# JSON, what a waiting message can be folded by; `text` and `spans` are the whole of it. `held_until`: a mute ends then.
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
    Column("held_until", Integer, nullable=False),
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

# What somebody said to have seen, at which level, until when. `snooze`: it is to be told again then.
ack = Table(
    "ack",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("episode", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("until", Integer, nullable=False),
    Column("snooze", Integer, nullable=False),
    Column("by", Integer, nullable=False),
    Column("at", Integer, nullable=False),
)

# What a chat wants to hear nothing of up to a level; `wallet` is an address, or empty for all of them.
mute = Table(
    "mute",
    metadata,
    Column("chat", Text, primary_key=True),
    Column("wallet", Text, primary_key=True),
    Column("level", Integer, nullable=False),
    Column("until", Integer, nullable=False),
    Column("by", Integer, nullable=False),
    Column("at", Integer, nullable=False),
)

# A delivered message that began alerts: `id` is the outbox's, `external_id` the message's at the other side, `text` and
# `spans` what it shows now. `ended_at`: nothing of it will be edited any more.
incident = Table(
    "incident",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("chat", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("spans", Text, nullable=False),
    Column("opened_at", Integer, nullable=False),
    Column("edited_at", Integer, nullable=False),
    Column("ended_at", Integer),
)

# The conditions that an incident's message told of, at the level that it told.
member = Table(
    "member",
    metadata,
    Column("incident", Integer, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("episode", Integer, nullable=False),
    Column("level", Integer, nullable=False),
)

# Positions over time. `at` in Unix seconds; `health`, `collateral` and `debt` are decimals as text, the latter two in
# `numeraire`, as the prices in `legs` are: JSON, [symbol, amount, price] each.
history = Table(
    "history",
    metadata,
    Column("position", Text, primary_key=True),
    Column("at", Integer, primary_key=True),
    Column("block", Integer, nullable=False),
    Column("health", Text, nullable=False),
    Column("collateral", Text, nullable=False),
    Column("debt", Text, nullable=False),
    Column("numeraire", Text, nullable=False),
    Column("legs", Text, nullable=False),
)

# What was last seen of each wallet in each deployment, and at which block: `positions` is JSON, see `seen`.
seen = Table(
    "seen",
    metadata,
    Column("deployment", Text, primary_key=True),
    Column("wallet", Text, primary_key=True),
    Column("chain", Text, nullable=False),
    Column("block", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("at", Integer, nullable=False),
    Column("positions", Text, nullable=False),
)

# The day (by the chat's calendar, ISO 8601) of the last digest that was written for a chat.
digest = Table("digest", metadata, Column("chat", Text, primary_key=True), Column("day", Text, nullable=False))

# What is remembered of a feed or source: `text` is `risk.tracks.dumped`, as of a block that nothing takes back.
track = Table(
    "track",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("block", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("at", Integer, nullable=False),
)

# Which positions that owe something rest on which feeds. `per_percent`, a decimal as text, is by how much health
# changes if the feed answers 1 % less.
rest = Table(
    "rest",
    metadata,
    Column("position", Text, primary_key=True),
    Column("feed", Text, primary_key=True),
    Column("deployment", Text, nullable=False),
    Column("wallet", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("pair", Text, nullable=False),
    Column("per_percent", Text, nullable=False),
    Column("seen_at", Integer, nullable=False),
)

# Which logs have been searched for an owner, and what they told: `mark` names the search, `ranges` are JSON, [first,
# last] block each, and `keys` JSON, texts. See `watcher.searches`.
searched = Table(
    "searched",
    metadata,
    Column("deployment", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("mark", Text, nullable=False),
    Column("ranges", Text, nullable=False),
    Column("keys", Text, nullable=False),
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
    (
        "ALTER TABLE outbox ADD COLUMN held_until INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE condition ADD COLUMN told TEXT NOT NULL DEFAULT '[]'",
        """CREATE TABLE ack (
            rule TEXT NOT NULL, subject TEXT NOT NULL, episode INTEGER NOT NULL, level INTEGER NOT NULL,
            until INTEGER NOT NULL, snooze INTEGER NOT NULL, "by" INTEGER NOT NULL, at INTEGER NOT NULL,
            PRIMARY KEY (rule, subject)
        )""",
        """CREATE TABLE mute (
            chat TEXT NOT NULL, wallet TEXT NOT NULL, level INTEGER NOT NULL, until INTEGER NOT NULL,
            "by" INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (chat, wallet)
        )""",
        """CREATE TABLE incident (
            id INTEGER NOT NULL PRIMARY KEY, chat TEXT NOT NULL, external_id TEXT NOT NULL, text TEXT NOT NULL,
            spans TEXT NOT NULL, opened_at INTEGER NOT NULL, edited_at INTEGER NOT NULL, ended_at INTEGER
        )""",
        """CREATE TABLE member (
            incident INTEGER NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL, episode INTEGER NOT NULL,
            level INTEGER NOT NULL, PRIMARY KEY (incident, rule, subject)
        )""",
        "CREATE INDEX member_condition ON member (rule, subject, episode)",
        "CREATE INDEX incident_open ON incident (id) WHERE ended_at IS NULL",
        "CREATE INDEX outbox_written ON outbox (created_at)",
        "CREATE INDEX outbox_dead ON outbox (settled_at) WHERE fate = 'dead'",
        "CREATE INDEX outbox_in_flight ON outbox (id) WHERE in_flight = 1",
        """CREATE TABLE history (
            position TEXT NOT NULL, at INTEGER NOT NULL, block INTEGER NOT NULL, health TEXT NOT NULL,
            collateral TEXT NOT NULL, debt TEXT NOT NULL, numeraire TEXT NOT NULL, legs TEXT NOT NULL,
            PRIMARY KEY (position, at)
        ) WITHOUT ROWID""",
        """CREATE TABLE seen (
            deployment TEXT NOT NULL, wallet TEXT NOT NULL, chain TEXT NOT NULL, block INTEGER NOT NULL,
            hash TEXT NOT NULL, at INTEGER NOT NULL, positions TEXT NOT NULL, PRIMARY KEY (deployment, wallet)
        )""",
        "CREATE TABLE digest (chat TEXT NOT NULL PRIMARY KEY, day TEXT NOT NULL)",
    ),
    (
        """CREATE TABLE track (
            chain TEXT NOT NULL, "key" TEXT NOT NULL, text TEXT NOT NULL, block INTEGER NOT NULL, hash TEXT NOT NULL,
            at INTEGER NOT NULL, PRIMARY KEY (chain, "key")
        )""",
        """CREATE TABLE rest (
            position TEXT NOT NULL, feed TEXT NOT NULL, deployment TEXT NOT NULL, wallet TEXT NOT NULL,
            chain TEXT NOT NULL, pair TEXT NOT NULL, per_percent TEXT NOT NULL, seen_at INTEGER NOT NULL,
            PRIMARY KEY (position, feed)
        )""",
        "CREATE INDEX rest_feed ON rest (feed)",
        "CREATE INDEX rest_place ON rest (deployment, wallet)",
    ),
    (
        """CREATE TABLE searched (
            deployment TEXT NOT NULL, owner TEXT NOT NULL, mark TEXT NOT NULL, ranges TEXT NOT NULL,
            keys TEXT NOT NULL, PRIMARY KEY (deployment, owner)
        )""",
    ),
)

VERSION: Final = len(MIGRATIONS)
