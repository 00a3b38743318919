"""What a format of files is to the rest: its name, its suffixes, and how it is read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from codsl.weights.entry import Tree


@dataclass(frozen=True)
class Format:
    """`is_one` says whether a file is one, by its first bytes; `read` gives what is in it.

    `read` runs nothing that a file asks for, takes memory in the order of the file's size, and
    raises `WeightsError` for whatever it does not trust.
    """

    name: str
    suffixes: tuple[str, ...]
    is_one: Callable[[bytes], bool]
    read: Callable[[Path], Tree]
