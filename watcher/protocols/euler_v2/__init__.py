"""Euler v2: the Ethereum Vault Connector (EVC) and the vaults of the Euler Vault Kit (EVK).

`calls` is what is read, `maths` what the contracts make of it, `worths` how an amount becomes a value, `actions` what a
repayment or a deposit would leave, `shared` how vaults and values are read, `terms` what they lay down, `reader` the
plugin that ties them.
"""

from watcher.protocols.euler_v2.reader import EulerV2

__all__ = ["EulerV2"]
