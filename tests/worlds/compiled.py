"""Aave v3.6 compiled from its npm sources, once: kept until a source, the compiler or the script changes."""

import hashlib
import json
import os
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from .artifacts import Artifact
from .node import CACHE, HERE, LOCK, MissingToolError, forget_others, package_file

_SCRIPT = HERE / "compile.mjs"
_INPUTS = ("@aave-dao/aave-v3-origin", "@openzeppelin/contracts", "solc")
_LONGEST_SECONDS = 300

_SOURCES = {
    "protocol/configuration": ("PoolAddressesProvider", "ACLManager"),
    "protocol/libraries/logic": (
        *("BorrowLogic", "ConfiguratorLogic", "FlashLoanLogic", "LiquidationLogic", "PoolLogic", "SupplyLogic"),
    ),
    "protocol/libraries/helpers": ("Errors",),
    "instances": ("PoolInstance", "PoolConfiguratorInstance", "ATokenInstance", "VariableDebtTokenInstance"),
    "misc": ("AaveOracle", "DefaultReserveInterestRateStrategyV2"),
    "helpers": ("AaveProtocolDataProvider",),
}
_PATHS = tuple(f"{folder}/{name}" for folder, names in _SOURCES.items() for name in names)


@lru_cache(maxsize=1)
def aave_v36() -> dict[str, Artifact]:
    """All contracts of a v3.6 market by name. The first call on a machine takes the compiler about twenty seconds."""
    kept = CACHE / f"compiled-{_inputs_hash()[:16]}.json"
    if not kept.is_file():
        _compile(kept)
        forget_others(kept, "compiled-*.json")
    return {name: Artifact.hardhat(stored) for name, stored in json.loads(kept.read_bytes()).items()}


def _compile(kept: Path) -> None:
    package_file("solc", "index.js")  # names `npm ci` when nothing is installed
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        output = Path(folder) / "compiled.json"
        try:
            subprocess.run(
                ["node", str(_SCRIPT), str(output), *_PATHS],
                check=True,
                capture_output=True,
                text=True,
                timeout=_LONGEST_SECONDS,
            )
        except FileNotFoundError as error:
            raise MissingToolError(
                "no `node` on PATH: the v3.6 contracts are compiled with Node 20 or newer"
            ) from error
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"the v3.6 contracts did not compile:\n{error.stderr}") from error
        os.replace(output, kept)


def _inputs_hash() -> str:
    """The lock's own hashes stand for the sources and the compiler."""
    packages = json.loads(LOCK.read_bytes())["packages"]
    digest = hashlib.sha256(_SCRIPT.read_bytes())
    for part in (*_PATHS, *(packages[f"node_modules/{name}"]["integrity"] for name in _INPUTS)):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()
