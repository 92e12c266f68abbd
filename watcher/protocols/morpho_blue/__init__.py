"""Morpho Blue: isolated markets of one loan token and one collateral token, all in one contract.

`calls` is what is read, `maths` what the contract makes of it, `guards` the pre-liquidations that a borrower may have
authorised, `shared` how a market is read, `terms` what it lays down in words, `reader` the plugin that ties them.
"""

from watcher.protocols.morpho_blue.reader import MorphoBlue

__all__ = ["MorphoBlue"]
