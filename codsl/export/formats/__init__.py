"""The forms that a step is written in, and the runtimes that run them."""
