"""A read as a value: what a plugin asks for, what it is answered, and the plans that ask."""

from watcher.reads.call import (
    Answers,
    Bundle,
    Call,
    Finding,
    Memo,
    Outcome,
    Plan,
    Request,
    Returned,
    Storage,
    both,
    drive,
    lasting,
    sure,
    together,
)

__all__ = [
    "Answers",
    "Bundle",
    "Call",
    "Finding",
    "Memo",
    "Outcome",
    "Plan",
    "Request",
    "Returned",
    "Storage",
    "both",
    "drive",
    "lasting",
    "sure",
    "together",
]
