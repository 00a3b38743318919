"""The command `codsl`: which commands there are, and what every one of them exits with."""

import io
import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from errno import ENOSPC
from pathlib import Path

from codsl import __version__
from codsl.cli import (
    bench,
    check,
    convert,
    explain,
    export,
    fmt,
    lsp,
    networks,
    new,
    report,
    run,
    schema,
    verify,
    weights,
)
from codsl.cli.memory import out_of_memory
from codsl.cli.misuse import INTERRUPTED, NO_READER, WRONG_USE, Misuse
from codsl.cli.use import using
from codsl.diagnostics import escape
from codsl.layers.plugins import PluginError

COMMANDS = {
    "bench": bench,
    "check": check,
    "convert": convert,
    "explain": explain,
    "export": export,
    "fmt": fmt,
    "lsp": lsp,
    "networks": networks,
    "new": new,
    "report": report,
    "run": run,
    "schema": schema,
    "verify": verify,
    "weights": weights,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit status.

    0 where all is fine, 1 where the spec or the run has a mistake, 2 for wrong use. Raises
    `SystemExit` where argparse itself ends the program: for `--help` and wrong arguments.
    """
    _open_all_streams()
    _never_fail_to_print()
    options = parser().parse_args(argv)
    try:
        with using(options.use):
            status: int = options.command(options)
        sys.stdout.flush()
    except (Misuse, PluginError) as error:
        print(f"codsl {options.name}: error: {escape(str(error))}", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        print(f"codsl {options.name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return NO_READER
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        print(f"codsl {options.name}: error: this machine's memory is too small", file=sys.stderr)
        return WRONG_USE
    except OSError as error:
        if error.errno != ENOSPC:
            raise
        print(f"codsl {options.name}: error: {error.strerror}", file=sys.stderr)
        _forget_output()
        return WRONG_USE
    return status


def parser() -> ArgumentParser:
    """What the command line takes."""
    top = ArgumentParser("codsl", description="Neural networks on live streams, from a spec.")
    top.add_argument("--version", action="version", version=f"codsl {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True, dest="name")
    for name, module in COMMANDS.items():
        words = module.WORDS
        command = commands.add_parser(name, help=words, description=words[0].upper() + words[1:])
        module.declare(command)
        command.set_defaults(command=module.command)
    return top


def _open_all_streams() -> None:
    """Let those that the program was started without lead nowhere: any file opened first would
    otherwise be taken for one of them."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115


def _never_fail_to_print() -> None:
    """Spell what the terminal's encoding lacks, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _forget_output() -> None:
    """Let what is still to be printed go nowhere: the interpreter flushes once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
