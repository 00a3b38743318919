"""`codsl convert`: a spec in the other surface."""

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from codsl.cli.misuse import MISTAKE, Misuse
from codsl.cli.spec import tell
from codsl.cli.texts import load, put, show
from codsl.cli.use import declare_use
from codsl.diagnostics import SpecError
from codsl.surfaces import convert

WORDS = "write a spec as YAML, or in the text form"
SURFACES = {".codsl": "text", ".yaml": "yaml", ".yml": "yaml"}
"""What files of a name are written in."""


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    spec = "a spec, `.yaml` or `.codsl`; `-` for standard input"
    parser.add_argument("spec", metavar="FILE", help=spec)
    words = "what to write; if not given, what OUT is named after, else the other one"
    parser.add_argument("--to", choices=("yaml", "text"), help=words)
    output = "the file to write; if not given, it is printed"
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, help=output)
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    declare_use(parser)


def command(options: Namespace) -> int:
    """The spec in the other surface, comments and all; 1 where it has a mistake."""
    to = _target(options.to, options.output)
    _check_output(options.output, options.force)
    try:
        converted = convert(load(options.spec), to)
    except SpecError as error:
        tell(error.diagnostics)
        return MISTAKE
    if options.output is None:
        show(converted)
    else:
        put(options.output, converted)
    return 0


def _target(to: str | None, output: Path | None) -> str | None:
    """What to write, if it is said; files are read as their names say."""
    named = SURFACES.get(output.suffix) if output else None
    if to and named and to != named:
        raise Misuse(f"`{output}` is named after {named}, not {to}")
    return to or named


def _check_output(output: Path | None, force: bool) -> None:
    """Refuse an output that cannot be written, or would be lost."""
    if output is None:
        return
    try:
        if output.is_dir():
            raise Misuse(f"`{output}` is a directory")
        if not output.parent.is_dir():
            raise Misuse(f"`{output.parent}` is no folder that is there")
        if os.path.lexists(output) and not force:
            raise Misuse(f"`{output}` is there already; --force writes over it")
        if os.path.lexists(output) and not output.is_file():
            raise Misuse(f"`{output}` is no plain file to write over")
    except OSError as error:
        raise Misuse(f"`{output}` cannot be written: {error.strerror}") from error
