"""How the revisions of Aave v3 differ in their arithmetic, and SparkLend from all of them.

Read beside `GenericLogic.calculateUserAccountData` (aave-dao/aave-v3-origin tags v3.1.0 … v3.7.0; npm @aave/core-v3
1.19.3 for v3.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from watcher.domain.errors import ReadFailed
from watcher.protocols.aave.state import V30, Variant

_V32 = replace(V30, emodes_by_bitmap=True, stable_debt=False)
_V33 = replace(_V32, whole_debt_without_virtual_accounting=True)
_V35 = replace(_V32, floors_average=False, rounds_half_up=False)
_V36 = replace(_V35, threshold_required=False)
_SPARK = replace(V30, floors_average=False, rounds_half_up=False)

VARIANTS: Mapping[int, tuple[Variant, ...]] = {
    **dict.fromkeys((1, 2, 3, 4), (V30, _SPARK)),  # v3.0.x, v3.1, and SparkLend under its own numbers
    **dict.fromkeys((5, 6, 8), (_V32,)),  # v3.2.0, v3.2.1, v3.4
    7: (_V33,),
    9: (_V35,),
    **dict.fromkeys((10, 11), (_V36,)),  # v3.6, v3.7
}
"""Candidates by `POOL_REVISION()`, the likeliest first."""
NEWEST_REVISION = max(VARIANTS)


def variants_of(revision: int) -> tuple[Variant, ...]:
    """The candidates of a revision; a newer one than we know is tried as the newest, and the verdicts will tell.

    Raises `ReadFailed` for a revision that no Aave v3 pool has.
    """
    if revision < 1:
        raise ReadFailed(f"pool revision {revision} is none of Aave v3: we know 1 to {NEWEST_REVISION}")
    return VARIANTS[min(revision, NEWEST_REVISION)]
