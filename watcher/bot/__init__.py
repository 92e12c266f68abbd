"""Telegram commands: who may give them, what they ask, and what is answered."""
