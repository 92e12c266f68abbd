"""Aave v3, every revision from v3.0 to v3.7, and SparkLend.

`calls` is what is read, `maths` what the contract makes of it, `actions` what it would make of a repayment or a supply,
`reader` the plugin that ties them.
"""

from watcher.protocols.aave_v3.reader import AaveV3

__all__ = ["AaveV3"]
