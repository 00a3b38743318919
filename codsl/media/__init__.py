"""Frames from files and for files; nothing here knows of torch."""
