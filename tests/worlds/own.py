"""The tests' own contracts: what speaks a protocol's interface where no package carries the protocol's bytecode.

Each file below `contracts/` holds one family. They are compiled together, once, and again when one of them changes.
"""

import hashlib
import json
import os
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from .artifacts import Artifact
from .node import CACHE, HERE, LOCK, MissingToolError, forget_others, package_file

_SCRIPT = HERE / "compile_own.mjs"
_LONGEST_SECONDS = 120


def own(name: str) -> Artifact:
    """One of the tests' own contracts, by its name. Raises KeyError on a name that no file below `contracts/` has."""
    return _compiled()[name]


@lru_cache(maxsize=1)
def _compiled() -> dict[str, Artifact]:
    sources = sorted((HERE / "contracts").glob("*.sol"))
    kept = CACHE / f"own-{_inputs_hash(sources)[:16]}.json"
    if not kept.is_file():
        _compile(kept, sources)
        forget_others(kept, "own-*.json")
    return {name: Artifact.hardhat(stored) for name, stored in json.loads(kept.read_bytes()).items()}


def _compile(kept: Path, sources: list[Path]) -> None:
    package_file("solc", "index.js")  # names `npm ci` when nothing is installed
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        output = Path(folder) / "own.json"
        command = ["node", str(_SCRIPT), str(output), *map(str, sources)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_LONGEST_SECONDS)
        except FileNotFoundError as error:
            raise MissingToolError("no `node` on PATH: the tests' contracts are compiled with Node 20+") from error
        except subprocess.CalledProcessError as error:
            raise RuntimeError(f"the tests' own contracts did not compile:\n{error.stderr}") from error
        os.replace(output, kept)


def _inputs_hash(sources: list[Path]) -> str:
    """The sources, the script, and the lock's own hash of the compiler."""
    solc = json.loads(LOCK.read_bytes())["packages"]["node_modules/solc"]["integrity"]
    digest = hashlib.sha256(_SCRIPT.read_bytes() + solc.encode())
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()
