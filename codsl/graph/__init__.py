"""What follows from a spec: when each node sees what, at what cost, and where values are held."""
