"""Bringing messages from the outbox to whoever they are for. The outbox is the truth, waking is a hint."""
