"""Analytics over positions: what would have to happen, and what would have to be done. Pure."""
