"""The tests' own contracts: what speaks a protocol's interface where no package carries the protocol's bytecode.

Each file below `contracts/` holds one family. They are compiled together, once, and again when one of them changes.
"""

from functools import lru_cache

from .artifacts import Artifact
from .compiler import Job
from .node import HERE


def own(name: str) -> Artifact:
    """One of the tests' own contracts, by its name. Raises KeyError on a name that no file below `contracts/` has."""
    return _compiled()[name]


@lru_cache(maxsize=1)
def _compiled() -> dict[str, Artifact]:
    """Sources import each other as "./Name.sol"."""
    return Job(name="own", sources={path.name: path for path in sorted((HERE / "contracts").glob("*.sol"))}).artifacts()
