"""What commands exit with, and wrong use that argparse cannot see."""

MISTAKE = 1
"""The spec or the run has a mistake."""

WRONG_USE = 2
"""The command cannot be carried out as it was given."""

INTERRUPTED = 130
"""Ctrl-C: 128 and the number of SIGINT, as shells have it."""

NO_READER = 141
"""The reader of the output has gone: 128 and the number of SIGPIPE."""


class Misuse(Exception):
    """The command cannot be carried out as it was given; the message says why in one line."""
