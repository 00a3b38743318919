"""How specs are written: a tree and its comments as text, in either surface."""
