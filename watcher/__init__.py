"""Watches on-chain lending positions and warns before they are liquidated. Holds no keys and signs nothing."""

__version__ = "0.1.0"
