"""`codsl fmt`: specs in the one style."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from codsl.cli.misuse import MISTAKE, Misuse
from codsl.cli.spec import tell
from codsl.cli.texts import STDIN, difference, load, put, show
from codsl.cli.use import declare_use
from codsl.diagnostics import SpecError, escape
from codsl.shipped import is_named
from codsl.surfaces import format

WORDS = "write specs in the one style, in place"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    files = "specs, `.yaml` or `.codsl`; `-` for standard input, to standard output"
    parser.add_argument("files", metavar="FILE", nargs="+", help=files)
    check = "write nothing; name what would change, and exit 1 if anything would"
    parser.add_argument("--check", action="store_true", help=check)
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change")
    declare_use(parser)


def command(options: Namespace) -> int:
    """Format every file, and name those that change; one with a mistake is left as it is.

    1 where a file has a mistake, which is shown, or would change with `--check`.
    """
    return max([_format(name, options.check, options.diff) for name in options.files])


def _format(name: str, check: bool, diff: bool) -> int:
    """Format one file, and give the exit status."""
    if is_named(name):
        raise Misuse(f"`{name}` comes with codsl and stays as it is")
    try:
        source = load(name)
        formatted = format(source)
    except SpecError as error:
        tell(error.diagnostics)
        return MISTAKE
    changes = formatted != source.text
    if diff:
        show("".join(difference(source.text, formatted, escape(source.name))))
    elif check and changes:
        print(f"{escape(source.name)}: would change")
    elif name == STDIN and not check:
        show(formatted)
    elif changes:
        put(Path(name), formatted)
        print(f"{escape(source.name)}: formatted")
    return MISTAKE if check and changes else 0
