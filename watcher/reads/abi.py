"""ABI files made into call builders.

Each file under `abis/` is one contract interface: `{"source": …, "functions": ["getX(address) returns (uint256)", …]}`
with only the functions that we use. The text form is the one Solidity programmers read; a test checks the selectors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Generic, ParamSpec, TypeVar, overload

from eth_utils.crypto import keccak

from watcher.domain.source import Address
from watcher.reads.call import Call
from watcher.reads.codec import encode

T = TypeVar("T")
P = ParamSpec("P")

_SIGNATURE = re.compile(r"(?P<name>\w+)\((?P<inputs>.*)\) returns \((?P<outputs>.*)\)")


def world_file(name: str) -> Traversable:
    """A file of the shipped world (`abis/…`, `protocols.toml`): in the wheel, or beside the package in a checkout."""
    package = files("watcher")
    packed = package / "world" / name
    if packed.is_file():
        return packed
    checkout: Traversable = package.joinpath("..") / name
    return checkout


@dataclass(frozen=True, slots=True)
class Function(Generic[T]):
    """A contract function: called with a target and its arguments, it gives the `Call`."""

    label: str
    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parse: Callable[..., T]
    gas: int

    def __call__(self, target: Address, *arguments: Any) -> Call[T]:
        return Call(
            target=target,
            data=self.selector + encode(self.inputs, arguments),
            outputs=self.outputs,
            label=self.label if not arguments else f"{self.label}({', '.join(map(str, arguments))})",
            parse=self.parse,
            gas=self.gas,
        )


_COMMA = re.compile(r",(?![^(]*\))")
"""One between parameters, not within a tuple."""
_PARAMETER = re.compile(r"\s*(?:(?P<plain>\w+)|\((?P<tuple>[^()]+)\))(?P<array>(?:\[\d*\])*)(?:\s+\w+)?\s*")
"""A type and perhaps a name. Tuples hold no tuples: none of ours do."""


def _types(listed: str) -> tuple[str, ...]:
    return tuple(_type(part) for part in _COMMA.split(listed)) if listed.strip() else ()


def _type(parameter: str) -> str:
    match = _PARAMETER.fullmatch(parameter)
    if match is None:
        raise ValueError(f"{parameter!r} is not a parameter")
    return (match["plain"] or f"({','.join(_types(match['tuple']))})") + match["array"]


def _only(value: T) -> T:
    return value


class Interface:
    """One contract's functions, by name, from its file under `abis/`."""

    def __init__(self, name: str, signatures: list[str]) -> None:
        self.name = name
        self._found = dict(self._parsed(signature) for signature in signatures)

    def _parsed(self, signature: str) -> tuple[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        match = _SIGNATURE.fullmatch(signature)
        try:
            if match is None:
                raise ValueError(signature)
            return match["name"], (_types(match["inputs"]), _types(match["outputs"]))
        except ValueError as problem:
            form = "is not of the form 'name(types) returns (types)'"
            raise ValueError(f"abis/{self.name}.json: {signature!r} {form}") from problem

    @overload
    def function(self, name: str, into: type[T], *, gas: int = ...) -> Function[T]: ...
    @overload
    def function(self, name: str, into: Callable[..., T], *, gas: int = ...) -> Function[T]: ...
    def function(self, name: str, into: Callable[..., T], *, gas: int = 60_000) -> Function[T]:
        """A builder for `name`. `into` is the answer's type: `int`, `Address`, … or a dataclass taking every output.

        `gas` is a guess at the cost of one call, by which batches are packed.
        """
        inputs, outputs = self._found[name]
        canonical = f"{name}({','.join(inputs)})"
        parse: Callable[..., Any] = _only if into in _PLAIN and len(outputs) == 1 else into
        return Function(
            label=f"{self.name}.{name}",
            selector=keccak(canonical.encode())[:4],
            inputs=inputs,
            outputs=outputs,
            parse=parse,
            gas=gas,
        )


_PLAIN: tuple[Any, ...] = (int, str, bool, bytes, Address)


@cache
def interface(name: str) -> Interface:
    """The interface in `abis/<name>.json`."""
    return Interface(name, json.loads(world_file(f"abis/{name}.json").read_text())["functions"])
