"""Aave v4: a spoke, which holds the positions, and the hubs behind it, which hold the liquidity and the indices.

`calls` is what is read, `maths` what the contracts make of it, `actions` what they would make of a repayment or a
supply, `terms` what they lay down, `reader` the plugin that ties them.
"""

from watcher.protocols.aave_v4.reader import AaveV4

__all__ = ["AaveV4"]
