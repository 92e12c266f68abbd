"""Structured logs: lines for people on a terminal, JSON otherwise."""

from __future__ import annotations

import logging
import sys

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_QUIET = ("apscheduler", "aiohttp", "httpx", "httpcore", "web3", "telegram", "asyncio", "urllib3")
"""Loggers of libraries: at lower levels some of them print URLs, and a URL may carry a key."""

_TRACEBACKS = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
"""Frames without their variables, which may hold keys."""


def configure(level: int = logging.INFO) -> None:
    """Send all logging of this process to standard error, ours and that of libraries, in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if sys.stderr.isatty():
        plain = structlog.dev.plain_traceback
        tail: list[Processor] = [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    else:
        tail = [structlog.processors.ExceptionRenderer(_TRACEBACKS), _json]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str).decode()
