"""`watcher history`: what the database knows of the past, read beside a running daemon."""

from __future__ import annotations

from watcher.history.export import as_csv, as_document
from watcher.history.past import Past, Track, look_back
from watcher.history.table import as_table

__all__ = ["Past", "Track", "as_csv", "as_document", "as_table", "look_back"]
