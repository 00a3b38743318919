"""`codsl report`: what a network is, node by node, or as a picture."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from codsl.cli.misuse import MISTAKE, Misuse
from codsl.cli.sparing import check_results
from codsl.cli.spec import declare_spec, read, tell
from codsl.cli.use import declare_use
from codsl.diagnostics import escape
from codsl.graph.report import Report
from codsl.report import html, svg
from codsl.report.save import write

DIGITS = 4
"""Of a number of levels at most."""

WORDS = "show the layers of a network, their time, cost and state"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_spec(parser)
    declare_use(parser)
    parser.add_argument("--format", choices=("text", "json"))
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="same as --format json"
    )
    parser.add_argument(
        "--html",
        metavar="FILE",
        type=Path,
        help="write a page that draws it along time",
    )
    parser.add_argument(
        "--svg", metavar="FILE", type=Path, help="write the picture alone, for a document"
    )
    parser.add_argument(
        "--depth", metavar="N", type=_depth, help="unfold N levels of blocks in the picture"
    )


def command(options: Namespace) -> int:
    """The report on stdout; 1 where the spec has mistakes."""
    check_results(options, "svg", "html")
    graph, diagnostics = read(options)
    if graph is None and options.format == "json":
        print(json.dumps({"diagnostics": [each.to_json() for each in diagnostics]}, indent=2))
        return MISTAKE
    tell(diagnostics)
    if graph is None:
        return MISTAKE
    drawn = _draw(graph.report(), options)
    if options.format or not drawn:
        _show(graph.report(), options.format)
    return 0


def _depth(text: str) -> int:
    if not text.isdecimal() or len(text) > DIGITS:
        raise ArgumentTypeError(f"`{escape(text)}` is not a number of levels: 0, 1, 2, ...")
    return int(text)


def _draw(report: Report, options: Namespace) -> bool:
    """Write the pictures that are asked for; whether there are any."""
    asked = [(svg, options.svg), (html, options.html)]
    for draw, path in asked:
        if path is None:
            continue
        if str(path) == "-":
            print(draw(report, options.depth))
        else:
            _write(draw(report, options.depth), path)
    return any(path is not None for _, path in asked)


def _write(text: str, path: Path) -> None:
    try:
        write(text, path)
    except OSError as error:
        raise Misuse(f"`{path}` cannot be written: {error.strerror or error}") from None
    print(f"written to {escape(str(path))}")


def _show(report: Report, form: str | None) -> None:
    if form == "json":
        print(report.to_json())
    elif sys.stdout.isatty():
        from rich.console import Console

        from codsl.report.table import show

        show(report, Console())
    else:
        print(report)
