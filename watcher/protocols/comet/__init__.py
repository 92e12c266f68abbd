"""Compound v3 (Comet), in all its versions: with 15 collaterals, with 24, and with collaterals that are deactivated.

`calls` is what is read, `maths` what the contract makes of it, `terms` what it lays down in words, `reader` the plugin
that ties them.
"""

from watcher.protocols.comet.reader import Comet

__all__ = ["Comet"]
