"""When to speak, and in which words. Pure: time and snapshots come in as arguments."""
