"""`codsl explain`: what the code of a diagnostic means."""

import sys
from argparse import ArgumentParser, Namespace

from codsl.cli.misuse import Misuse
from codsl.diagnostics import near
from codsl.explanations import STAGES, codes, explanation, titles

WORDS = "say what a code means, why it matters, what is wrong and what is right"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    words = "a code such as E0407; all of them are listed if none is given"
    parser.add_argument("codes", metavar="CODE", nargs="*", help=words)
    parser.set_defaults(use=[])


def command(options: Namespace) -> int:
    """The explanations on stdout. Raises `Misuse` for a code that there is not."""
    asked = [each.upper() for each in options.codes]
    for code in asked:
        if code not in codes():
            likely = near(code, codes())
            words = f": did you mean {likely}?" if likely else "; `codsl explain` lists all"
            raise Misuse(f"there is no code `{code}`{words}")
    if asked:
        _show("\n".join(explanation(code).markdown() for code in asked))
        return 0
    for stage, name in STAGES.items():
        print(f"{name}:")
        for code, title in titles().items():
            if code.startswith(stage):
                print(f"  {code}  {title}")
    return 0


def _show(markdown: str) -> None:
    if not sys.stdout.isatty():
        print(markdown, end="")
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(markdown))
