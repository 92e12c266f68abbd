"""What a tick costs, measured against a real market on a local node: `python -m benchmarks.requests`, `… .speed`."""
