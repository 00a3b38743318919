"""What is wrong with a file, said where its path is not known, and turned into a refusal of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import NoReturn

from codsl.diagnostics import shorten
from codsl.weights.entry import Array, Entry
from codsl.weights.refusal import WeightsError, oversized, unreadable, unsafe

DIMENSIONS = 32
"""Dimensions of a tensor at most."""
LARGEST = 2**62
"""Numbers of a tensor at most, even of one that has none since another dimension is 0."""


class Doubt(Exception):
    """A reason not to read on, and remedies."""

    def __init__(self, reason: str, *helps: str) -> None:
        super().__init__(reason)
        self.helps = helps


class Broken(Doubt):
    """The file is not what it should be."""


class Unsafe(Doubt):
    """The file asks for code to be run, or for other files."""


class Excessive(Doubt):
    """The file claims more than it holds."""


REFUSALS: tuple[tuple[type[Doubt], Callable[..., WeightsError]], ...] = (
    (Broken, unreadable),
    (Unsafe, unsafe),
    (Excessive, oversized),
)


@contextmanager
def refusing(path: Path, *troubles: type[Exception]) -> Iterator[None]:
    """Turns a doubt into the refusal of `path`; `troubles` and what the system says as broken.

    Raises `WeightsError`.
    """
    try:
        yield
    except Doubt as doubt:
        _refuse(path, doubt)
    except OSError as trouble:
        raise unreadable(path, shorten(trouble.strerror or str(trouble))) from None
    except troubles as trouble:
        raise unreadable(path, shorten(f"{type(trouble).__name__}: {trouble}")) from None


def _refuse(path: Path, doubt: Doubt) -> NoReturn:
    for kind, refusal in REFUSALS:
        if isinstance(doubt, kind):
            raise refusal(path, shorten(str(doubt)), *doubt.helps) from None
    raise unreadable(path, shorten(str(doubt)), *doubt.helps) from None


def guarded(path: Path, entry: Entry, *troubles: type[Exception]) -> Entry:
    """An entry of `path` that raises `WeightsError` where its numbers turn out to be wrong."""

    def read() -> Array:
        with refusing(path, *troubles):
            return entry.read()

    return Entry(entry.shape, entry.dtype, read)


def checked(shape: tuple[int, ...], itemsize: int, held: int, what: str) -> int:
    """Bytes of a tensor of that shape, at most `held`.

    Raises `Excessive` for more, `Broken` for a shape that no tensor has.
    """
    if len(shape) > DIMENSIONS or any(size < 0 for size in shape):
        raise Broken(f"{what} has the shape {quoted(shape)}")
    if prod(max(size, 1) for size in shape) > LARGEST:
        raise Excessive(f"{what} has the shape {quoted(shape)}")
    needed = prod(shape) * itemsize
    if needed > held:
        raise Excessive(f"{what} takes {needed} bytes, and there are {held}")
    return needed


def quoted(value: object) -> str:
    """A name or a shape out of a file, fit for a message: short, and in plain characters."""
    text = ascii(value)
    text = text[1:-1] if isinstance(value, str) else text
    return f"`{text if len(text) <= 100 else text[:97] + '...'}`"
