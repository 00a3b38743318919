"""How fast a network runs here: what can run it, measured side by side, and what is possible."""
