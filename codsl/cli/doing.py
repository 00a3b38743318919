"""What is being done, at a terminal: one line, which what is said takes the place of."""

import sys
from shutil import get_terminal_size
from types import TracebackType

from codsl.diagnostics import escape

CLEARED, MORE = "\r\x1b[K", " ..."


class Doing:
    """A line on stderr, where that is a terminal, while things are said on stdout."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> "Doing":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write(CLEARED)

    def now(self, words: str) -> None:
        """Show what is being done."""
        room = get_terminal_size().columns - len(MORE) - 1
        self._write(f"{CLEARED}{escape(words)[:room]}{MORE}")

    def say(self, words: str) -> None:
        """Say something that stays."""
        self._write(CLEARED)
        print(words, flush=True)

    def _write(self, text: str) -> None:
        if self._shown:
            sys.stderr.write(text)
            sys.stderr.flush()
