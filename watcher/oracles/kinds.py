"""The kinds of price sources that we can see through, the most telling first. To add one: its file, and a line here."""

from __future__ import annotations

from typing import Final

from watcher.oracles import chainlink
from watcher.oracles.shape import Kind

KINDS: Final[tuple[Kind, ...]] = (chainlink.PROXY,)
