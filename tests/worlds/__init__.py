"""Real contracts on a local chain, for tests and the demo. Nothing here ships in the wheel."""
