"""Errors, of JSON-RPC and of HTTP, sorted by what to do about them.

The codes say little: -32000 is used for everything. So the words decide, as every client of many endpoints has found.
"""

from __future__ import annotations

from typing import Any, Final

from watcher.chain.errors import BatchTooLarge, BlockUnavailable, ExecutionFailed, LimitExceeded, RequestRefused
from watcher.chain.hexadecimal import data_bytes
from watcher.chain.redaction import Redactor
from watcher.domain.errors import EndpointError, NotDecodable

REVERTED = 3  # go-ethereum's code for a revert with its payload in `data`
NOT_FOUND = -32001  # EIP-1474, and EIP-1898 for a hash that is not known
LIMIT_EXCEEDED = -32005  # EIP-1474
INVALID_PARAMS = -32602  # JSON-RPC 2.0

TOO_MUCH_AT_ONCE: Final = frozenset({408, 413, 504, 524})
"""HTTP statuses of gateways: the node behind them took too long, or too much was asked."""

_MEANINGS: Final = {
    401: " (not authorised): check the key",
    403: " (forbidden): check the key and what it allows",
    404: " (not found): check the address",
    413: " (request too large)",
    429: " (too many requests)",
    504: " (the node behind it took too long)",
}
_NO_BLOCK = (
    "header not found",
    "header for hash not found",
    "block not found",
    "unknown block",
    "could not find block",
    "cannot find block",
    "blocknotfound",
    "missing trie node",
    "state not available",
    "state is not available",
    "state not found",
    "state already discarded",
    "historical state",
    "pruned",
    "not currently canonical",
    "is not canonical",
)
_THROTTLED = ("rate limit", "ratelimit", "too many requests", "limit exceeded", "exceeded the quota", "throttl")
_OUT_OF_GAS = ("out of gas", "outofgas", "gas exhausted", "gas required exceeds", "intrinsic gas too low")
_TOO_LARGE = (
    "too large",
    "too big",
    "size exceeded",
    "size limit",
    "contractsizelimit",
    "code size",
    "response size",
    "body limit",
)
_TOO_WIDE = (
    "block range",
    "blocks range",
    "range of blocks",
    "range is too",
    "range too",
    "range limit",
    "maximum range",
    "max range",
    "too many blocks",
    "too wide",
    "query returned more than",
    "more than 10000 results",
    "too many results",
    "too many logs",
    "query exceeds",
    "eth_getlogs is limited",
    "limit the query",
    "maximum blocks",
    "max blocks",
)
"""Of `eth_getLogs`. Told before anything else: they come with the codes of rate limits and of bad arguments."""
_TOO_LONG = ("timeout", "timed out", "deadline exceeded")
_NOT_UNDERSTOOD = ("invalid argument", "invalid params", "cannot unmarshal", "invalid type", "invalid block")


def sort_error(
    endpoint: str, error: object, redactor: Redactor, *, status: int = 200, retry_after: float | None = None
) -> EndpointError | ExecutionFailed:
    """The exception for a JSON-RPC `error` object. With a `status` of its own it is never an `ExecutionFailed`."""
    if not isinstance(error, dict) or type(error.get("code")) is not int or not isinstance(error.get("message"), str):
        return EndpointError(endpoint, "an error without a code and a message", retry_after=retry_after)
    code, words = error["code"], error["message"].lower()[:1000]
    told = f"{'' if status == 200 else f'HTTP {status}, '}error {code}: {redactor.excerpt(error['message'])}"
    if status == 200 and (code == REVERTED or words.startswith(("execution reverted", "vm execution error"))):
        return ExecutionFailed(endpoint, code, told, _payload(error.get("data")))
    if code == NOT_FOUND or _has(words, _NO_BLOCK):
        return BlockUnavailable(endpoint, told, retry_after=retry_after)
    if _has(words, _TOO_WIDE) and status != 429:
        return BatchTooLarge(endpoint, told, retry_after=retry_after)
    if code == LIMIT_EXCEEDED and status == 200:
        return LimitExceeded(endpoint, f"limits our requests ({told})", retry_after=retry_after)
    if code == LIMIT_EXCEEDED or status == 429 or _has(words, _THROTTLED):
        return EndpointError(endpoint, f"limits our requests ({told})", retry_after=retry_after)
    if _has(words, _OUT_OF_GAS):
        return BatchTooLarge(endpoint, told, out_of_gas=True, retry_after=retry_after)
    if _has(words, _TOO_LARGE) or _has(words, _TOO_LONG):
        return BatchTooLarge(endpoint, told, retry_after=retry_after)
    if code == INVALID_PARAMS or _has(words, _NOT_UNDERSTOOD):
        return RequestRefused(endpoint, told, retry_after=retry_after)
    return EndpointError(endpoint, told, retry_after=retry_after)


def sort_status(endpoint: str, status: int, *, retry_after: float | None = None) -> EndpointError:
    """The exception for an HTTP status that is not the right one, where no JSON-RPC error says more."""
    if 300 <= status < 400:
        told = f"HTTP {status}, a redirect, which we do not follow; configure where it leads"
        return EndpointError(endpoint, told)
    kind = BatchTooLarge if status in TOO_MUCH_AT_ONCE else EndpointError
    return kind(endpoint, f"HTTP {status}{_MEANINGS.get(status, '')}", retry_after=retry_after)


def _has(words: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in words for phrase in phrases)


def _payload(data: Any) -> bytes:
    """The revert payload; some nodes put text there, or nothing."""
    try:
        return data_bytes(data, "revert data")
    except NotDecodable:
        return b""
