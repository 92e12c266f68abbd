"""The protocols we can read: the `protocol` of a deployment in `protocols.toml`, and its plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field
from typing import Any, ClassVar, Protocol

from watcher.protocols.aave_v2 import AaveV2
from watcher.protocols.aave_v3 import AaveV3
from watcher.protocols.aave_v4 import AaveV4
from watcher.protocols.comet import Comet
from watcher.protocols.compound_v2 import Benqi, CompoundV2, Moonwell, VenusCore, VenusPool
from watcher.protocols.euler_v2 import EulerV2
from watcher.protocols.liquity import LiquityV1, LiquityV2
from watcher.protocols.morpho_blue import MorphoBlue
from watcher.protocols.reader import Place, Reader
from watcher.protocols.sky import Sky


class Plugin(Reader[Any, Any], Protocol):
    """A reader that is a dataclass: its fields are what is configured. The type checker holds each one to this."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(self, *, place: Place, **configured: Any) -> None: ...


PROTOCOLS: Mapping[str, type[Plugin]] = {
    "aave_v2": AaveV2,
    "aave_v3": AaveV3,
    "comet": Comet,
    "aave_v4": AaveV4,
    "benqi": Benqi,
    "compound_v2": CompoundV2,
    "moonwell": Moonwell,
    "venus_core": VenusCore,
    "venus_pool": VenusPool,
    "morpho_blue": MorphoBlue,
    "sky": Sky,
    "euler_v2": EulerV2,
    "liquity_v1": LiquityV1,
    "liquity_v2": LiquityV2,
}
