"""`codsl convert`: a spec in the other surface."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from codsl.cli.misuse import MISTAKE
from codsl.cli.sparing import check_output, spare_inputs
from codsl.cli.spec import tell
from codsl.cli.texts import STDIN, load, put, show, surface_of
from codsl.cli.use import declare_use
from codsl.diagnostics import SpecError
from codsl.surfaces import convert

WORDS = "write a spec as YAML, or in the text form"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    spec = "a spec, `.yaml` or `.codsl`; `-` for standard input"
    parser.add_argument("spec", metavar="FILE", help=spec)
    words = "what to write; if not given, what OUT is named after, else the other one"
    parser.add_argument("--to", choices=("yaml", "text"), help=words)
    output = "the file to write; `-` or none prints it"
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, help=output)
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    declare_use(parser)


def command(options: Namespace) -> int:
    """The spec in the other surface, comments and all; 1 where it has a mistake."""
    to = surface_of(options.to, options.output)
    printed = options.output is None or str(options.output) == STDIN
    if not printed:
        check_output(options.output, options.force)
        spare_inputs(options.output, options)
    try:
        converted = convert(load(options.spec), to)
    except SpecError as error:
        tell(error.diagnostics)
        return MISTAKE
    if printed:
        show(converted)
    else:
        put(options.output, converted)
    return 0
