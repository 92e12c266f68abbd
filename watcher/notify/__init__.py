"""Delivery: the worker that empties the outbox, and the channels that it feeds."""
