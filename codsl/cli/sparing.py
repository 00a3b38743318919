"""Files that commands write: that they can be, and that nothing is lost by it."""

import os
from argparse import Namespace
from pathlib import Path

from codsl.cli.misuse import Misuse
from codsl.cli.texts import STDIN, SURFACES
from codsl.shipped import located

GIVEN = {
    "input": "the input itself",
    "file": "the input itself",
    "spec": "the spec",
    "weights": "the file of weights",
    "labels": "the file of labels",
    "rename": "the file of rules",
    "use": "a file of --use",
}
"""The arguments that name what is read, and what that is."""


def check_output(output: Path | None, force: bool) -> None:
    """Refuse an output that cannot be written, or would be lost."""
    if output is None:
        return
    try:
        check_place(output)
        if os.path.lexists(output) and not force:
            raise Misuse(f"`{output}` is there already; --force writes over it")
        if os.path.lexists(output) and not output.is_file():
            raise Misuse(f"`{output}` is no plain file to write over")
    except OSError as error:
        raise Misuse(f"`{output}` cannot be written: {error.strerror}") from error


def check_place(output: Path) -> None:
    """Refuse a file that is a folder, or in none that is there."""
    if output.is_dir():
        raise Misuse(f"`{output}` is a directory")
    if not output.parent.is_dir():
        raise Misuse(f"`{output.parent}` is no folder that is there")


def check_results(options: Namespace, *words: str) -> None:
    """Refuse files of results, by the names of their options, that cannot be written, are one and
    the same, or take the place of a spec or of what is read."""
    taken: dict[Path, str] = {}
    for word in words:
        output: Path | None = getattr(options, word)
        if output is None or str(output) == STDIN:
            continue
        try:
            check_place(output)
            if output.exists() and not output.is_file():
                raise Misuse(f"`{output}` is no plain file to write over")
            spare_inputs(output, options)
            other = taken.setdefault(output.resolve(), word)
        except OSError as error:
            raise Misuse(f"`{output}` cannot be written: {error.strerror}") from error
        if output.suffix in SURFACES:
            raise Misuse(f"`{output}` is named after a spec")
        if other != word:
            raise Misuse(f"--{other} and --{word} are the same file, `{output}`")


def spare_inputs(output: Path, options: Namespace) -> None:
    """Refuse to write over what the command reads."""
    for word, what in GIVEN.items():
        given = getattr(options, word, None)
        for each in given if isinstance(given, list) else [given]:
            if each is not None and _same(output, each):
                raise Misuse(f"`{output}` is {what}")


def _same(output: Path, given: str | Path) -> bool:
    """Whether a file that is there is one that is given; a name or a rule may be given as well."""
    try:
        return output.samefile(located(given))
    except (ValueError, OSError):
        return False
