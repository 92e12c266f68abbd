"""The database: where every condition stands, and the outbox. The only package that knows SQL."""

from __future__ import annotations

from watcher.store.database import StoreFailed
from watcher.store.rows import Backlog, ChatState, Claimed
from watcher.store.store import Store
from watcher.store.thread import StoreThread

__all__ = ["Backlog", "ChatState", "Claimed", "Store", "StoreFailed", "StoreThread"]
