"""`codsl check`: all the mistakes of a spec, or that there are none."""

import json
from argparse import ArgumentParser, Namespace

from codsl import __version__
from codsl.cli.fix import declare_fix, fixed, wanted
from codsl.cli.misuse import MISTAKE
from codsl.cli.spec import declare_spec, read, tell
from codsl.cli.use import declare_use
from codsl.diagnostics import Diagnostic, escape, plural
from codsl.explanations import titles
from codsl.graph.report import endless
from codsl.report.annotations import annotations
from codsl.report.sarif import sarif

WORDS = "say what is wrong with a spec, and mend it"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_spec(parser)
    declare_use(parser)
    declare_fix(parser)
    parser.add_argument("--format", choices=("text", "json", "sarif", "github"), default="text")


def command(options: Namespace) -> int:
    """Mistakes and warnings on stderr, or in another format on stdout; 1 where there are mistakes
    in the spec as it stands when the command ends."""
    graph, diagnostics = fixed(options) if wanted(options) else read(options)
    status = 0 if graph else MISTAKE
    if options.format != "text":
        print(_formatted(diagnostics, options), end="")
        return status
    tell(diagnostics)
    if graph and not options.diff:
        print(
            f"{escape(options.spec)}: fine: {plural(len(graph.nodes), 'layer')}, "
            f"receptive field {endless(graph.receptive_field)}, delay {graph.delay}"
        )
    return status


def _formatted(diagnostics: tuple[Diagnostic, ...], options: Namespace) -> str:
    match options.format:
        case "github":
            return annotations(diagnostics, options.spec)
        case "sarif":
            data = sarif(diagnostics, options.spec, titles(), __version__)
        case _:
            data = {"diagnostics": [each.to_json() for each in diagnostics]}
    return f"{json.dumps(data, indent=2)}\n"
