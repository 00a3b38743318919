"""Processes of their own that begin with torch and codsl loaded: forks of one that does no more.

What a test says of another process, of a pipe or of a terminal they show as well as one that a
shell starts; what they do not show is how a program begins and how the interpreter ends.
"""

from __future__ import annotations

import os
import runpy
import sys
import warnings
from functools import cache
from multiprocessing import get_context
from multiprocessing.reduction import DupFd
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from multiprocessing.context import ForkServerContext, ForkServerProcess

LOADED = ["pytest", "torch", "numpy", "codsl.cli.main", "codsl.network", "codsl.cli.playback"]
PATIENCE = 120
"""Seconds after which a process hangs."""


def command(*line: str) -> int:
    """The command line of codsl."""
    from codsl.cli.main import main

    return main(line)


def script(path: str) -> None:
    """A file of Python, for which a warning is an error."""
    warnings.simplefilter("error")
    sys.path.insert(0, str(Path(path).parent))
    runpy.run_path(path, run_name="__main__")


def program(text: str, *arguments: str) -> None:
    """A text of Python with its arguments, for which a warning is an error."""
    warnings.simplefilter("error")
    sys.argv = ["-c", *arguments]
    exec(compile(text, "<string>", "exec"), {"__name__": "__main__"})


def begun(
    work: Callable[..., int | None],
    *arguments: str,
    streams: Sequence[int],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> ForkServerProcess:
    """A process that does some work with these as its input, its output and its errors."""
    place = str(folder or Path.cwd())
    given = (work, arguments, _Streams(streams), dict(environment or os.environ), place)
    process = _context().Process(target=_work, args=given, daemon=True)
    process.start()
    return process


def beside(work: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """A process that calls a function of a module, and prints where this one does."""
    process = _context().Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def done(
    work: Callable[..., int | None],
    *arguments: str,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> CompletedProcess[bytes]:
    """What a process prints that does some work with a pipe as its input."""
    read, write = os.pipe()
    with TemporaryFile() as out, TemporaryFile() as err:
        streams = (read, out.fileno(), err.fileno())
        process = begun(work, *arguments, streams=streams, environment=environment, folder=folder)
        os.close(read)
        with os.fdopen(write, "wb") as pipe:
            pipe.write(given)
        status = ended(process)
        return CompletedProcess(arguments, status, _all_of(out), _all_of(err))


def ended(process: ForkServerProcess) -> int:
    """The exit status of a process once it has ended."""
    process.join(PATIENCE)
    assert process.exitcode is not None, "a process hangs"
    return process.exitcode


class _Streams:
    """File descriptors that go to another process."""

    def __init__(self, streams: Sequence[int]) -> None:
        self._streams = streams

    def __getstate__(self) -> list[Any]:
        return [DupFd(each) for each in self._streams]

    def __setstate__(self, handles: list[Any]) -> None:
        self._streams = [each.detach() for each in handles]

    def take(self) -> None:
        """Make them those of this process."""
        for place, stream in enumerate(self._streams):
            os.dup2(stream, place)
            os.close(stream)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", 1)


@cache
def _context() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    return context


def _work(
    work: Callable[..., int | None],
    arguments: Sequence[str],
    streams: _Streams,
    environment: Mapping[str, str],
    folder: str,
) -> None:
    streams.take()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.exit(work(*arguments))


def _all_of(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()
