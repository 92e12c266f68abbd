"""What an answer has to be before anything of it is believed, whichever wire it came by."""

from __future__ import annotations

from typing import Any, Final

import orjson

from watcher.chain.errors import AnswerTooLong
from watcher.chain.redaction import Redactor
from watcher.chain.refusals import sort_error
from watcher.domain.errors import EndpointError

MAX_ANSWER: Final = 16 * 1024 * 1024
"""Bytes, after decompression. Our largest honest answer is well below 1 MB."""

MAX_PARTS: Final = 250_000
"""Commas and brackets: an answer of nothing but "[]," would take 30 times its size once parsed."""

OF_ANOTHER: Final = "an answer with the id of another request"
NOT_ONE_OBJECT: Final = "an answer that is not one JSON-RPC object"
NOT_JSON: Final = "an answer that is not JSON"
TOO_MANY_PARTS: Final = "an answer of far more parts than anything we ask for has"
TOO_LONG: Final = f"an answer longer than the {MAX_ANSWER} bytes that we take"


def request(number: int, method: str, params: list[Any]) -> bytes:
    """One JSON-RPC request, as it is sent."""
    return orjson.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def parsed(endpoint: str, body: bytes | bytearray) -> dict[str, Any]:
    """The one JSON object that an answer consists of. Raises `EndpointError`."""
    if not body:
        raise EndpointError(endpoint, "an empty answer")
    if body.lstrip()[:1] == b"<":
        raise EndpointError(endpoint, "a web page instead of JSON; is this the address of a JSON-RPC endpoint?")
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MAX_PARTS:
        raise AnswerTooLong(endpoint, TOO_MANY_PARTS)
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = _NOTHING
    if answer is _NOTHING:  # out here, because the decoder's error holds the text
        raise EndpointError(endpoint, f"an answer of {len(body)} bytes that is not JSON")
    if not isinstance(answer, dict):
        raise EndpointError(endpoint, NOT_ONE_OBJECT)
    return answer


def result_of(
    endpoint: str, answer: dict[str, Any], number: int, redactor: Redactor, *, retry_after: float | None = None
) -> Any:
    """The `result` for request `number`, of whatever JSON type it is.

    Raises `ExecutionFailed` where the node reports how a call went, `EndpointError` or one of its kinds for
    everything else.
    """
    if answer.get("jsonrpc") != "2.0":
        raise EndpointError(endpoint, 'an answer without "jsonrpc": "2.0"')
    must_be_an_answer(endpoint, answer, redactor, retry_after=retry_after)
    if type(answer["id"]) is not int or answer["id"] != number:
        raise EndpointError(endpoint, OF_ANOTHER)
    # Some servers write the member that does not apply as null, which says nothing and does no harm.
    result, error = answer.get("result"), answer.get("error")
    if error is not None and result is not None:
        raise EndpointError(endpoint, "an answer with both a result and an error")
    if error is not None:
        raise sort_error(endpoint, error, redactor, retry_after=retry_after)
    if "result" not in answer:
        raise EndpointError(endpoint, "an answer with neither a result nor an error")
    return result


def must_be_an_answer(
    endpoint: str, answer: dict[str, Any], redactor: Redactor, *, retry_after: float | None = None
) -> None:
    """Refuses what names no request: a complaint about one that could not be read, or something else altogether."""
    if answer.get("id") is not None:
        return
    if answer.get("error") is not None and answer.get("result") is None:
        told = sort_error(endpoint, answer["error"], redactor)
        raise EndpointError(endpoint, f"no answer but {told.problem}", retry_after=retry_after)
    raise EndpointError(endpoint, OF_ANOTHER)


_NOTHING: Final = object()
