"""The main job in a minute, for real: `python -m tests.demo`, or `make demo`, which installs what it needs first."""
