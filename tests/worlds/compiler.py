"""Solidity compiled with an npm compiler, once: kept until a source, the compiler or the script changes."""

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .artifacts import Artifact
from .node import CACHE, HERE, LOCK, MissingToolError, forget_others, package_file

_SCRIPT = HERE / "compile.mjs"
_LONGEST_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Sources by the name that they import each other by.

    `packages` are those that sources and imports are from, whose hashes in the lock stand for their files.
    """

    name: str
    sources: Mapping[str, Path]
    compiler: str = "solc"
    evm: str = "shanghai"
    packages: tuple[str, ...] = ()
    remapped: Mapping[str, str] = field(default_factory=dict)
    through_ir: bool = False

    @property
    def _settings(self) -> dict[str, Any]:
        optimizer = {"enabled": True, "runs": 200}
        return {"evmVersion": self.evm, "optimizer": optimizer, "viaIR": self.through_ir}

    @property
    def _asked(self) -> dict[str, Any]:
        sources = {name: str(path) for name, path in self.sources.items()}
        return {
            "compiler": self.compiler,
            "settings": self._settings,
            "sources": sources,
            "remapped": dict(self.remapped),
        }

    def artifacts(self) -> dict[str, Artifact]:
        """Every contract of the sources, by name. The first call on a machine takes the compiler some seconds."""
        kept = CACHE / f"compiled-{self.name}-{self._hash()[:16]}.json"
        if not kept.is_file():
            self._compile(kept)
            forget_others(kept, f"compiled-{self.name}-*.json")
        return {name: Artifact.hardhat(stored) for name, stored in json.loads(kept.read_bytes()).items()}

    def _compile(self, kept: Path) -> None:
        package_file(self.compiler, "index.js")  # names `npm ci` when nothing is installed
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            asked, output = Path(folder) / "job.json", Path(folder) / "compiled.json"
            asked.write_text(json.dumps(self._asked))
            command = ["node", str(_SCRIPT), str(asked), str(output)]
            try:
                subprocess.run(command, check=True, capture_output=True, text=True, timeout=_LONGEST_SECONDS)
            except FileNotFoundError as error:
                raise MissingToolError("no `node` on PATH: contracts are compiled with Node 20 or newer") from error
            except subprocess.CalledProcessError as error:
                raise RuntimeError(f"{self.name} did not compile:\n{error.stderr}") from error
            os.replace(output, kept)

    def _hash(self) -> str:
        locked = json.loads(LOCK.read_bytes())["packages"]
        digest = hashlib.sha256(_SCRIPT.read_bytes() + json.dumps([self._settings, dict(self.remapped)]).encode())
        for package in (self.compiler, *self.packages):
            digest.update(locked[f"node_modules/{package}"]["integrity"].encode() + b"\0")
        for name, path in self.sources.items():
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()
