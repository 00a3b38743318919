"""What a network needs of this machine's memory, and whether that is there."""

import os
from collections.abc import Iterator
from typing import TypeVar

from codsl.cli.misuse import Misuse
from codsl.diagnostics import plural
from codsl.graph.align import FLOAT32
from codsl.graph.graph import Graph
from codsl.graph.report import amount

COPIES = 3
"""How many values as large as the largest are in memory at once: two that are joined, and what
comes of them."""

T = TypeVar("T")


def check_network(graph: Graph, frames: int = 1, streams: int = 1) -> None:
    """Refuse a network that cannot be built here, or not run on so many frames at once of each of
    so many streams."""
    of = "" if frames == 1 else f" on {frames} frames at once"
    of += "" if streams == 1 else f" of {streams} streams"
    _check(needed(graph, frames, streams), f"the network{of} needs")


def bounded(frames: Iterator[T], graph: Graph) -> Iterator[T]:
    """The frames, as long as all of them can be run at once; raises `Misuse` beyond that."""
    for count, frame in enumerate(frames, 1):
        what = f"--verify of {plural(count, 'frame')} needs"
        _check(needed(graph, count), what, "; use --frames")
        yield frame


def needed(graph: Graph, frames: int, streams: int = 1) -> int:
    """Bytes for the weights, and for the state and a clip of so many frames of each stream,
    about."""
    largest = max(frame.size for frame in graph.frames)
    state = sum(feed.size for feed in graph.schedule.feeds)
    return FLOAT32 * (graph.parameters + streams * (state + COPIES * frames * largest))


def there() -> int | None:
    """Bytes of this machine's memory, where the system says."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def out_of_memory(error: Exception) -> bool:
    """Whether an error is that of an allocator, Python's, NumPy's or torch's."""
    return isinstance(error, MemoryError) or "can't allocate memory" in str(error)


def _check(size: int, what: str, remedy: str = "") -> None:
    most = there()
    if most is not None and size > most:
        figures = f"{amount(size, 'B')} of memory, this machine has {amount(most, 'B')}"
        raise Misuse(f"{what} {figures}{remedy}")
