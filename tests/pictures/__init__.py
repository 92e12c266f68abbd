"""The messages of a day, as a telephone shows them: `python -m tests.pictures`, or `make pictures`."""
