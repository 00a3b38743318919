"""Numbers on the command line."""

import re
from argparse import ArgumentTypeError
from dataclasses import dataclass

from codsl.diagnostics import escape


def count(text: str) -> int:
    """A number of things, from 1 on."""
    if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) == 0:
        raise ArgumentTypeError(f"`{escape(text)}` is not a whole number from 1 on")
    return int(text)


def seed(text: str) -> int:
    """A seed, from 0 on."""
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise ArgumentTypeError(f"`{escape(text)}` is not a seed, an integer from 0 on")
    return int(text)


@dataclass(frozen=True)
class Start:
    """Where to begin: at a frame, or at a second."""

    frame: int = 0
    second: float = 0.0


_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def start(text: str) -> Start:
    """A frame, counted from 0, or with an `s` behind it a second."""
    number = text.removesuffix("s")
    if _NUMBER.fullmatch(number) and (number != text or "." not in number):
        return Start(second=float(number)) if number != text else Start(frame=int(number))
    raise ArgumentTypeError(f"`{escape(text)}` is neither a frame, `40`, nor a second, `2.5s`")


def seconds(text: str) -> float:
    """A time, more than nothing."""
    if not _NUMBER.fullmatch(text) or not float(text):
        raise ArgumentTypeError(f"`{escape(text)}` is not a number of seconds above 0")
    return float(text)


def rate(text: str) -> float:
    """A number of frames or samples a second, a fraction of FFmpeg's (30000/1001) too."""
    above, _, below = text.partition("/")
    if all(_NUMBER.fullmatch(each) for each in (above, below or "1")) and float(below or 1):
        found = float(above) / float(below or 1)
        if 1e-3 <= found <= 1e6:
            return found
    raise ArgumentTypeError(f"`{escape(text)}` is not a number of frames a second")
