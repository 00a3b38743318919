"""Networks out of Python: their step as a file for other runtimes, tried in these."""
