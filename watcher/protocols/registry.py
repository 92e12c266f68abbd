"""The protocols we can read: the `protocol` of a deployment in `protocols.toml`, and its plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field
from typing import Any, ClassVar, Protocol

from watcher.protocols.aave_v3 import AaveV3
from watcher.protocols.comet import Comet
from watcher.protocols.liquity import LiquityV1, LiquityV2
from watcher.protocols.reader import Place, Reader


class Plugin(Reader[Any, Any], Protocol):
    """A reader that is a dataclass: its fields are what is configured. The type checker holds each one to this."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(self, *, place: Place, **configured: Any) -> None: ...


PROTOCOLS: Mapping[str, type[Plugin]] = {
    "aave_v3": AaveV3,
    "comet": Comet,
    "liquity_v1": LiquityV1,
    "liquity_v2": LiquityV2,
}
