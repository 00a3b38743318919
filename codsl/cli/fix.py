"""`codsl check --fix`: the remedies of a spec carried out, and written or only shown."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from codsl.cli.misuse import Misuse
from codsl.cli.spec import found_in, read
from codsl.cli.texts import difference, put, show
from codsl.diagnostics import Applicability, Diagnostic, escape, plural
from codsl.graph.graph import Graph
from codsl.mending import Mended, errors, mend
from codsl.pipeline import weights_in
from codsl.source import Source
from codsl.syntax.surface import MARK

Found = tuple[Graph | None, tuple[Diagnostic, ...]]


def declare_fix(parser: ArgumentParser) -> None:
    """Whether remedies are carried out, which of them, and whether the file is written."""
    add = parser.add_argument
    add("--fix", action="store_true", help="carry out the remedies that are sure, in the file")
    add("--diff", action="store_true", help="show what --fix would change, and write nothing")
    likely = "with --fix or --diff: also the remedies that are only likely"
    add("--unsafe-fixes", action="store_true", dest="likely", help=likely)


def wanted(options: Namespace) -> bool:
    """Whether anything is to be mended. Raises `Misuse` where it is said how, but not that."""
    if options.likely and not (options.fix or options.diff):
        raise Misuse("--unsafe-fixes goes with --fix or --diff")
    return bool(options.fix or options.diff)


def fixed(options: Namespace) -> Found:
    """What is wrong with the spec once it is mended; with `--diff`, what is wrong as it stands.

    Raises `Misuse` where the spec is in no file of its own, or cannot be written.
    """
    path = Path(options.spec)
    if weights_in(path):
        raise Misuse("a spec inside a file of weights stays as it was saved")
    try:
        source = Source.load(path)
    except (OSError, ValueError):
        return read(options)
    sure = (Applicability.SURE, *((Applicability.LIKELY,) if options.likely else ()))
    mended = mend(source, lambda each: found_in(each, options)[1], sure)
    if options.diff:
        show("".join(difference(source.text, mended.source.text, escape(source.name))))
        _tell(mended, options.spec, "would mend")
        return found_in(source, options)
    if mended.remedies:
        _write(path, source, mended.source)
    _tell(mended, options.spec, "mended")
    return found_in(mended.source, options)


def _tell(mended: Mended, spec: str, verb: str) -> None:
    if mended.remedies:
        words = f"{verb} {plural(mended.remedies, 'mistake')}"
        print(f"{escape(spec)}: {words}", file=sys.stderr)
    if mended.refused is not None:
        left = plural(errors(mended.left), "error")
        then = f"{mended.refused} after the next remedies, which are left out"
        if mended.refused <= errors(mended.left):
            then = "the next remedies would break the text and are left out"
        print(f"{escape(spec)}: {left}, but {then}", file=sys.stderr)


def _write(path: Path, before: Source, after: Source) -> None:
    """Write the new text where the old one still is, with its mark at the start if it had one."""
    raw = path.read_bytes()
    if raw.decode("utf-8-sig") != before.text:
        raise Misuse(f"`{path}` has changed meanwhile")
    put(path, f"{MARK if raw.startswith(MARK.encode()) else ''}{after.text}")
