"""Liquity: troves of v1 (LUSD) and of v2 (BOLD) and its forks. One file a version, and what both share."""

from watcher.protocols.liquity.v1 import LiquityV1
from watcher.protocols.liquity.v2 import LiquityV2

__all__ = ["LiquityV1", "LiquityV2"]
