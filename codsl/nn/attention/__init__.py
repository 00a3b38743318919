"""Attention by hand over the last frames, under torch's names, and what is built of it."""
