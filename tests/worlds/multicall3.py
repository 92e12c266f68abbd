"""Multicall3 at its canonical address, with its canonical runtime.

The runtime is read from the source text of the `multicall` package: importing that package would connect, patch
and configure things that a test world has no use for.
"""

import ast
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path

from eth_utils.crypto import keccak

from .chain import Address, Chain
from .node import MissingToolError

MULTICALL3: Address = "0xcA11bde05977b3631167028862bE2a173976CA11"  # https://www.multicall3.com/deployments
_RUNTIME_HASH_PREFIX = "d5c15df6"  # of the code deployed on mainnet


def install(chain: Chain) -> Address:
    chain.set_code(MULTICALL3, runtime())
    return MULTICALL3


@lru_cache(maxsize=1)
def runtime() -> bytes:
    source = Path(str(distribution("multicall").locate_file("multicall/constants.py"))).read_text()
    code = bytes.fromhex(_string_constant(source, "MULTICALL3_BYTECODE").removeprefix("0x"))
    if not keccak(code).hex().startswith(_RUNTIME_HASH_PREFIX):
        raise MissingToolError(
            f"the Multicall3 runtime in the installed `multicall` package hashes to {keccak(code).hex()}, not to"
            f" {_RUNTIME_HASH_PREFIX}…: install the version pinned in the lock file"
        )
    return code


def _string_constant(source: str, name: str) -> str:
    """The one string literal that a module assigns to `name`, whatever it is wrapped in."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            constants = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            if len(constants) == 1:
                return str(constants[0])
    raise MissingToolError(
        f"the installed `multicall` package has no {name}: install the version pinned in the lock file"
    )
