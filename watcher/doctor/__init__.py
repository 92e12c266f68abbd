"""`watcher doctor`: everything that an alert depends on, looked at once, and what to do where something is wrong."""

from watcher.doctor.document import as_document
from watcher.doctor.examination import examine
from watcher.doctor.findings import ChainFinding, Diagnosis, EndpointFinding, Finding, Grade
from watcher.doctor.table import as_table

__all__ = [
    "ChainFinding",
    "Diagnosis",
    "EndpointFinding",
    "Finding",
    "Grade",
    "as_document",
    "as_table",
    "examine",
]
