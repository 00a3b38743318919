"""`codsl lsp`: the language server, over standard input and output."""

import os
import sys
from argparse import ArgumentParser, Namespace
from contextlib import redirect_stdout

from codsl import __version__
from codsl.cli.misuse import Misuse
from codsl.cli.use import declare_use

WORDS = "answer an editor as a language server, on standard input and output"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_use(parser)
    parser.add_argument("--stdio", action="store_true", help="as some editors say; it is so anyway")


def command(options: Namespace) -> int:
    """Answer until the editor ends it. Raises `Misuse` where pygls is not installed."""
    try:
        from codsl.editor.server import server
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise Misuse("pygls is not installed: pip install 'codsl[lsp]'") from error
    # The server closes what it writes to, and what is printed by others is no part of its answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with redirect_stdout(sys.stderr):
        server(__version__).start_io(sys.stdin.buffer, answers)
    return 0
