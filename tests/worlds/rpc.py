"""A synchronous JSON-RPC client over one keep-alive connection to loopback."""

from collections.abc import Sequence
from http.client import HTTPConnection
from typing import Any

import orjson

Request = tuple[str, Sequence[object]]
_HEADERS = {"Content-Type": "application/json"}
_LONGEST_ANSWER_SECONDS = 120


class RpcError(Exception):
    """The node refused; `data` is what a reverting contract returned, empty otherwise."""

    def __init__(self, message: str, data: bytes = b"") -> None:
        super().__init__(message)
        self.data = data


class Rpc:
    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_LONGEST_ANSWER_SECONDS)

    def request(self, method: str, *params: object) -> Any:
        return _result(method, self._post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))

    def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Answers in the order asked. The node works on the requests concurrently: none may depend on another."""
        if not requests:
            return []
        body = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(requests)
        ]
        answers = {answer["id"]: answer for answer in self._post(body)}
        return [_result(method, answers[number]) for number, (method, _) in enumerate(requests)]

    def close(self) -> None:
        self._connection.close()

    def _post(self, body: object) -> Any:
        self._connection.request("POST", "/", orjson.dumps(body), _HEADERS)
        return orjson.loads(self._connection.getresponse().read())


def _result(method: str, answer: dict[str, Any]) -> Any:
    if "error" not in answer:
        return answer["result"]
    error = answer["error"]
    data = error.get("data")
    reverted = bytes.fromhex(data[2:]) if isinstance(data, str) and data.startswith("0x") else b""
    raise RpcError(f"{method}: {error.get('message')}", reverted)
