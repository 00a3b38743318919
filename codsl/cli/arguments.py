"""Numbers on the command line."""

from argparse import ArgumentTypeError

from codsl.diagnostics import escape


def count(text: str) -> int:
    """A number of frames, from 1 on."""
    if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) == 0:
        raise ArgumentTypeError(f"`{escape(text)}` is not a number of frames")
    return int(text)


def seed(text: str) -> int:
    """A seed, from 0 on."""
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise ArgumentTypeError(f"`{escape(text)}` is not a seed, an integer from 0 on")
    return int(text)
