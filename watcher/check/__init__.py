"""`watcher check`: one look at everything, and what to make of it. No database, no Telegram, no memory."""

from watcher.check.document import as_document
from watcher.check.look import ChainReport, Finding, Report, look
from watcher.check.table import as_table

__all__ = ["ChainReport", "Finding", "Report", "as_document", "as_table", "look"]
