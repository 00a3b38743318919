"""`codsl report`: what a network is, node by node."""

import json
import sys
from argparse import ArgumentParser, Namespace

from codsl.cli.misuse import MISTAKE
from codsl.cli.spec import declare_spec, read, tell
from codsl.cli.use import declare_use
from codsl.graph.report import Report

WORDS = "show the layers of a network, their time, cost and state"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_spec(parser)
    declare_use(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--json", action="store_const", const="json", dest="format", help="same as --format json"
    )


def command(options: Namespace) -> int:
    """The report on stdout; 1 where the spec has mistakes."""
    graph, diagnostics = read(options)
    if graph is None and options.format == "json":
        print(json.dumps({"diagnostics": [each.to_json() for each in diagnostics]}, indent=2))
        return MISTAKE
    tell(diagnostics)
    if graph is None:
        return MISTAKE
    _show(graph.report(), options.format)
    return 0


def _show(report: Report, form: str) -> None:
    if form == "json":
        print(report.to_json())
    elif sys.stdout.isatty():
        from rich.console import Console

        from codsl.report.table import show

        show(report, Console())
    else:
        print(report)
