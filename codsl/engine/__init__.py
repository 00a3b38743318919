"""The fast step: a plan of a network for inference, and the backends that run it."""
