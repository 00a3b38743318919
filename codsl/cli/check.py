"""`codsl check`: all the mistakes of a spec, or that there are none."""

import json
from argparse import ArgumentParser, Namespace

from codsl.cli.misuse import MISTAKE
from codsl.cli.spec import declare_spec, read, tell
from codsl.cli.use import declare_use
from codsl.diagnostics import escape, plural
from codsl.graph.report import endless

WORDS = "say what is wrong with a spec"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_spec(parser)
    declare_use(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")


def command(options: Namespace) -> int:
    """Mistakes and warnings on stderr, or as JSON on stdout; 1 where there are mistakes."""
    graph, diagnostics = read(options)
    if options.format == "json":
        print(json.dumps({"diagnostics": [each.to_json() for each in diagnostics]}, indent=2))
        return 0 if graph else MISTAKE
    tell(diagnostics)
    if graph is None:
        return MISTAKE
    print(
        f"{escape(options.spec)}: fine: {plural(len(graph.nodes), 'layer')}, "
        f"receptive field {endless(graph.receptive_field)}, delay {graph.delay}"
    )
    return 0
