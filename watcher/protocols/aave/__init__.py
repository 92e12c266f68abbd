"""What Aave v2 and Aave v3 have in common: the state, the arithmetic, the oracle, and what they lay down.

Each of the two has its own reads; what becomes of the answers is here once.
"""
