"""Where npm put things, what we keep between runs, and which anvil to run."""

import os
import platform
import shutil
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
CACHE = HERE / ".cache"
LOCK = HERE / "package-lock.json"

_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class MissingToolError(RuntimeError):
    """Something that `npm ci` or the system should have provided; the message says how to get it."""


def package_file(package: str, path: str) -> Path:
    """A file of an installed npm package."""
    found = MODULES / package / path
    if not found.is_file():
        raise MissingToolError(f"{package}/{path} is not installed: run `npm ci --ignore-scripts` in {HERE}")
    return found


def forget_others(kept: Path, pattern: str) -> None:
    """Delete what the cache holds of earlier sources."""
    for stale in set(CACHE.glob(pattern)) - {kept}:
        if stale.is_dir():
            shutil.rmtree(stale, ignore_errors=True)  # another process may be deleting it too
        else:
            stale.unlink(missing_ok=True)


def anvil_binary() -> Path:
    """The platform package's own binary, else an `anvil` on PATH.

    Never the Node launcher of `@foundry-rs/anvil`: it spawns the binary as a child that survives it.
    """
    system, machine = platform.system(), platform.machine()
    package = f"@foundry-rs/anvil-{_SYSTEMS.get(system, system)}-{_MACHINES.get(machine, machine)}"
    packaged = MODULES / package / "bin" / "anvil"
    if packaged.is_file() and os.access(packaged, os.X_OK):
        return packaged
    on_path = shutil.which("anvil")
    if on_path is None:
        raise MissingToolError(
            f"no anvil: {package} is not under {MODULES} (run `npm ci --ignore-scripts` in {HERE}), and there is no"
            " `anvil` on PATH (on a platform without a pinned package, install Foundry 1.7.1)"
        )
    return Path(on_path)
