"""Errors, named by who can mend them. Their text carries what, where, and what would be right."""

from __future__ import annotations


class WatcherError(Exception):
    """Anything we raise on purpose; its text is fit to show to the user."""


class ConfigError(WatcherError):
    """The user can mend it: a file, a key, a value, and the form that would be right."""


class EndpointError(WatcherError):
    """Another endpoint, or the same one later, may answer. Carries the endpoint's name, never its URL."""

    def __init__(self, endpoint: str, problem: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{endpoint}: {problem}")
        self.endpoint = endpoint
        self.problem = problem
        self.retry_after = retry_after


class ReadFailed(WatcherError):  # noqa: N818 - it is as often a value in an answer as it is raised
    """A read that was answered, but not with what a healthy contract would say."""


class CallReverted(ReadFailed):
    """The contract refused. `data` is the revert payload, kept because it can say why."""

    def __init__(self, call: str, data: bytes) -> None:
        super().__init__(f"{call} reverted{_revert_text(data)}")
        self.data = data


class NotDecodable(ReadFailed):
    """The return data is not of the shape that the ABI declares."""


class DeliveryError(WatcherError):
    """A message did not reach its channel. `permanent` tells whether trying again can help."""

    def __init__(self, problem: str, *, permanent: bool) -> None:
        super().__init__(problem)
        self.permanent = permanent


_ERROR_STRING = bytes.fromhex("08c379a0")  # Error(string), Solidity's `require` with a text
_PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)


def _revert_text(data: bytes) -> str:
    """`Error(string)` and `Panic(uint256)` in words; any other payload as its first bytes."""
    if not data:
        return " without a reason"
    if data[:4] == _ERROR_STRING and len(data) >= 68:
        length = min(int.from_bytes(data[36:68], "big"), 200)
        text = data[68 : 68 + length].decode("utf-8", "replace")
        return f": {''.join(c for c in text if c.isprintable())!r}"
    if data[:4] == _PANIC and len(data) >= 36:
        return f": panic 0x{int.from_bytes(data[4:36], 'big'):02x}"
    return f" with 0x{data[:36].hex()}"
