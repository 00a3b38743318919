"""What someone at a terminal sees of a stream while it runs: how far it is, and what came last."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from codsl.diagnostics import escape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.progress import Progress

    from codsl.media.forms import Stamps

LINES = 3
"""Outputs that are seen at once."""

NUMBERS = 6
"""Numbers of an output that are seen, where it has no classes."""


class Watch:
    """The last outputs of a stream, which are `shown` while it runs."""

    def __init__(self, stamps: "Stamps", shown: bool) -> None:
        self._stamps = stamps
        self._shown = shown
        self._last: deque[tuple[int, Any]] = deque(maxlen=LINES)
        self._count = 0
        self._taken = 0
        self._progress: Progress | None = None

    def add(self, values: "NDArray[np.floating]") -> None:
        """Note an output `(C, *S)`."""
        self._last.append((self._count, values))
        self._count += 1

    @property
    def lines(self) -> list[str]:
        """The last outputs in words, the newest last."""
        return [said(index, values, self._stamps) for index, values in self._last]

    @contextmanager
    def watched(self, frames: Iterator[Any], total: int | None) -> Iterator[Iterator[Any]]:
        """The frames, with a progress bar and the last outputs where these are shown."""
        if not self._shown:
            yield frames
            return
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        columns = (TextColumn("frames"), BarColumn(), MofNCompleteColumn(), Remaining())
        self._progress = Progress(*columns)
        self._progress.add_task("", total=total)
        console = Console(stderr=True)
        with Live(self, console=console, transient=True, refresh_per_second=8):
            yield self._counted(frames)

    def _counted(self, frames: Iterator[Any]) -> Iterator[Any]:
        for frame in frames:
            yield frame
            self._taken += 1

    def __rich__(self) -> Any:
        """The bar, and the last outputs below it."""
        from rich.console import Group
        from rich.text import Text

        bar = self._progress
        if bar is not None:
            bar.update(bar.task_ids[0], completed=self._taken)
        shown = [Text(line, no_wrap=True, overflow="ellipsis") for line in self.lines]
        return Group(*([] if bar is None else [bar]), *shown)


def said(index: int, values: "NDArray[np.floating]", stamps: "Stamps") -> str:
    """An output in a line: the frame that it is due with, the second, and what it says."""
    second = stamps.second(index)
    when = f"frame {stamps.due(index)}" + ("" if second is None else f", {second:.2f} s")
    if stamps.classes is not None:
        told = ", ".join(map(str, stamps.classes.best(values)))
    else:
        some = values.ravel()[:NUMBERS]
        told = " ".join(f"{each:.4g}" for each in some) + (" ..." if values.size > NUMBERS else "")
    return f"{when}: {escape(told)}"
