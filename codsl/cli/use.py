"""Python files that the user types on the command line, for the layers that they register."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from codsl.cli.misuse import Misuse
from codsl.layers.table import registrations


def declare_use(parser: ArgumentParser) -> None:
    """Files to run first; nothing else on a command line, and nothing in a spec, runs code."""
    parser.add_argument(
        "--use",
        metavar="FILE.py",
        action="append",
        default=[],
        type=Path,
        help="run this Python file first, for the layers that it registers; repeatable",
    )


@contextmanager
def using(files: Sequence[Path]) -> Iterator[None]:
    """The table with what these files register, and their folders last on the search path.

    Raises `Misuse` for a file that cannot be run, with the line.
    """
    if not files:
        yield
        return
    path = list(sys.path)
    names = [f"codsl_use_{number}" for number in range(len(files))]
    try:
        with registrations():
            for name, file in zip(names, files, strict=True):
                sys.path.append(str(file.resolve().parent))
                _run(name, file)
            yield
    finally:
        sys.path[:] = path
        for name in names:
            sys.modules.pop(name, None)


def _run(name: str, file: Path) -> None:
    """Run a file as a module of this name."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Misuse(f"--use: `{file}` cannot be read: {error.strerror or error}") from error
    module = ModuleType(name)
    module.__file__ = str(file)
    sys.modules[name] = module
    try:
        exec(compile(content, str(file), "exec"), module.__dict__)
    except SyntaxError as error:
        line = error.lineno if error.filename == str(file) else _line(error, file)
        raise Misuse(_said(file, line, error, error.msg)) from error
    except (Exception, SystemExit) as error:
        raise Misuse(_said(file, _line(error, file), error, str(error))) from error


def _line(error: BaseException, file: Path) -> int | None:
    """The last line of the file that was being run."""
    lines = [each.lineno for each in extract_tb(error.__traceback__) if each.filename == str(file)]
    return lines[-1] if lines else None


def _said(file: Path, line: int | None, error: BaseException, words: str) -> str:
    place = "" if line is None else f", line {line}"
    said = " ".join(words.split())
    return f"--use: `{file}`{place}: {type(error).__name__}{': ' if said else ''}{said}"
