"""Pure arithmetic of extents, shapes and time; the standard library only."""
