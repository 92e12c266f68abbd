"""Aave v3, every revision from v3.0 to v3.7, and SparkLend.

`calls` is what is read, `variants` how the revisions differ, `reader` the plugin that ties them to what they share with
Aave v2 (`watcher.protocols.aave`).
"""

from watcher.protocols.aave_v3.reader import AaveV3

__all__ = ["AaveV3"]
