"""`codsl new`: a spec to begin with, which explains itself."""

import re
from argparse import ArgumentParser, Namespace
from importlib.resources import files
from pathlib import Path

from codsl.cli.misuse import Misuse
from codsl.cli.sparing import check_output
from codsl.cli.texts import STDIN, put, show, surface_of
from codsl.diagnostics import escape
from codsl.surfaces import convert
from codsl.syntax.words import RESERVED

WORDS = "write a small spec with comments, to begin with"
NAME = "starter"
"""Of the network where that of the file is no name."""


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    words = "the file to write, `.codsl` or `.yaml`; `-` or none prints the spec"
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help=words)
    to = "what to write; if not given, what FILE is named after, else text"
    parser.add_argument("--to", choices=("yaml", "text"), help=to)
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    parser.set_defaults(use=())


def command(options: Namespace) -> int:
    """The spec in a file, all at once, or on stdout."""
    path: Path | None = options.file
    to = surface_of(options.to, path)
    if path is None or str(path) == STDIN:
        show(starter(NAME, to or "text"))
        return 0
    if to is None:
        raise Misuse(f"`{path}` is named after no surface: end it in .codsl or .yaml, or say --to")
    check_output(path, options.force)
    put(path, starter(_name(path), to))
    print(f"written to {escape(str(path))}")
    return 0


def starter(name: str, to: str) -> str:
    """The text of the spec in a surface, its network under this name."""
    text = files("codsl.cli").joinpath("starter.codsl").read_text("utf-8")
    return convert(text.replace(f"network {NAME}(", f"network {name}("), to)


def _name(path: Path) -> str:
    """The name of a file as one of a network."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", path.stem).strip("_")
    return name if re.match(r"[A-Za-z]", name) and name not in RESERVED else NAME
