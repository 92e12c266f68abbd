"""Vaults of Sky (MakerDAO): of the CDP manager, of the staking engine, and urns that an address holds by itself.

`calls` is what is read, `ilks` how one kind of vault is read, `maths` what the contracts make of it, `terms` what is
laid down in words, `reader` the plugin that ties them.
"""

from watcher.protocols.sky.reader import Sky

__all__ = ["Sky"]
