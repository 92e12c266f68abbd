"""Compiled contracts from npm packages: read, linked, with their constructor arguments."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from .abi import arguments
from .chain import Address
from .node import package_file

LinkReferences = Mapping[str, Mapping[str, Sequence[Mapping[str, int]]]]  # file -> library -> places in the bytecode


@dataclass(frozen=True, slots=True)
class Artifact:
    name: str
    abi: Sequence[Mapping[str, Any]]
    bytecode: str  # hex without 0x, with placeholders where libraries go
    links: LinkReferences

    @classmethod
    def hardhat(cls, stored: Mapping[str, Any]) -> Self:
        """As Hardhat writes them: https://hardhat.org/hardhat-runner/docs/advanced/artifacts"""
        return cls(stored["contractName"], stored["abi"], stored["bytecode"][2:], stored["linkReferences"])

    @property
    def libraries(self) -> tuple[str, ...]:
        return tuple(library for libraries in self.links.values() for library in libraries)

    def creation(self, *values: object, libraries: Mapping[str, Address] | None = None) -> bytes:
        """Creation code: the libraries' addresses put in, the constructor's arguments appended."""
        code = self.bytecode
        for placed in self.links.values():
            for library, places in placed.items():
                address = (libraries or {})[library][2:].lower()
                for place in places:
                    start = place["start"] * 2
                    code = code[:start] + address + code[start + 40 :]
        return bytes.fromhex(code) + arguments(self._constructor_types(), values)

    def _constructor_types(self) -> list[str]:
        constructors = [entry for entry in self.abi if entry["type"] == "constructor"]
        return [str(field["type"]) for field in constructors[0]["inputs"]] if constructors else []


def aave_core(path: str) -> Artifact:
    """A contract of `@aave/core-v3`, by its source path without `.sol`, such as `protocol/pool/Pool`."""
    return _of_hardhat("@aave/core-v3", path)


def aave_v2(path: str) -> Artifact:
    """A contract of `@aave/protocol-v2`, in the same way: `protocol/lendingpool/LendingPool`."""
    return _of_hardhat("@aave/protocol-v2", path)


def _of_hardhat(package: str, path: str) -> Artifact:
    name = path.rpartition("/")[2]
    stored = package_file(package, f"artifacts/contracts/{path}.sol/{name}.json").read_text()
    return Artifact.hardhat(json.loads(stored))


def chainlink(name: str) -> Artifact:
    """A Solidity 0.6 contract of `@chainlink/contracts`, such as the `EACAggregatorProxy` in front of every feed."""
    stored = json.loads(package_file("@chainlink/contracts", f"abi/v0.6/{name}.json").read_text())
    output = stored["compilerOutput"]
    return Artifact(name, output["abi"], output["evm"]["bytecode"]["object"].removeprefix("0x"), {})


def uniswap_v3(name: str) -> Artifact:
    """A contract of `@uniswap/v3-core`: `UniswapV3Factory` or `UniswapV3Pool`."""
    stored = package_file("@uniswap/v3-core", f"artifacts/contracts/{name}.sol/{name}.json").read_text()
    return Artifact.hardhat(json.loads(stored))


def venus_oracle(path: str, name: str = "") -> Artifact:
    """A contract of `@venusprotocol/oracle`, by its source path without `.sol`, such as `oracles/ChainlinkOracle`.

    Those of its dependencies have longer paths: `hardhat-deploy/…`. `name`, where it differs from the file's.
    """
    name, own = name or path.rpartition("/")[2], not path.startswith("hardhat-deploy/")
    folder = "artifacts/contracts" if own else "artifacts"
    stored = package_file("@venusprotocol/oracle", f"{folder}/{path}.sol/{name}.json").read_text()
    return Artifact.hardhat(json.loads(stored))


def venus_core(path: str) -> Artifact:
    """A contract of `@venusprotocol/venus-protocol`, by its source path without `.sol`: `Lens/ComptrollerLens`."""
    name = path.rpartition("/")[2]
    stored = package_file("@venusprotocol/venus-protocol", f"artifacts/contracts/{path}.sol/{name}.json").read_text()
    return Artifact.hardhat(json.loads(stored))
