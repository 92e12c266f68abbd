"""Compound v2 and what became of it: Venus's core pool and its pools on other chains, Moonwell, Benqi.

`calls` is what is read, `maths` what the contracts make of it, `rules` what a comptroller lays down for one user,
`shared` how markets are read, `vai` Venus's own debt, `terms` the rules in words, `actions` what an action would leave,
`reader` what all have in common, `variants` the plugins.
"""

from watcher.protocols.compound_v2.variants import Benqi, CompoundV2, Moonwell, VenusCore, VenusPool

__all__ = ["Benqi", "CompoundV2", "Moonwell", "VenusCore", "VenusPool"]
