"""Checkpoints of others: read without running anything, renamed, laid out anew, loaded."""
