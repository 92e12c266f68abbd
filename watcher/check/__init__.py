"""`watcher check`: one look at everything, and what to make of it. No database, no Telegram, no memory."""

from watcher.check.document import as_document
from watcher.check.feeds import FeedReport, feeds_under
from watcher.check.feeds_document import as_feeds_document
from watcher.check.feeds_table import as_feeds_table
from watcher.check.look import ChainReport, Finding, Report, look
from watcher.check.table import as_table

__all__ = [
    "ChainReport",
    "FeedReport",
    "Finding",
    "Report",
    "as_document",
    "as_feeds_document",
    "as_feeds_table",
    "as_table",
    "feeds_under",
    "look",
]
