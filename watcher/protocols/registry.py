"""The protocols we can read: the `protocol` of a deployment in `protocols.toml`, and its plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watcher.protocols.aave_v3 import AaveV3

PROTOCOLS: Mapping[str, type[Any]] = {
    "aave_v3": AaveV3,
}
