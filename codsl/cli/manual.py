"""The manual of the command line, made from its parsers: each command and all its options."""

from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Iterator
from itertools import chain

HEAD = """# Commands

Made from the parsers by `make generated`. `python -m codsl` is the same program as `codsl`, and
`codsl COMMAND --help` shows the same words.

| exit status | means |
| --- | --- |
| 0 | all is well; warnings leave it so |
| 1 | the spec is not there or has mistakes, or something does not fit: weights, a clip, a style |
| 2 | wrong use: an argument, or another file that cannot be read or written |
| 130 | Ctrl-C |
| 141 | nobody reads what is printed any more |

Mistakes are told on stderr, each with its place and a [code](errors.md).
"""
ALWAYS = ("help", "version")
"""Options of every program, by what they set."""


def manual(top: ArgumentParser) -> str:
    """The whole manual, in Markdown."""
    return "\n".join([HEAD, *chain.from_iterable(map(_entry, _commands(top)))])


def _commands(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    """The parsers of all commands, those of their parts in place of theirs."""
    parts = [each.choices for each in parser._actions if isinstance(each.choices, dict)]
    if not parts:
        yield parser
    for part in chain.from_iterable(each.values() for each in parts):
        yield from _commands(part)


def _entry(parser: ArgumentParser) -> list[str]:
    actions = [each for each in parser._actions if each.dest not in ALWAYS]
    lines = [f"## {parser.prog}", "", f"{parser.description}.", ""]
    lines += [f"    {' '.join([parser.prog, *filter(None, map(_usage, actions))])}", ""]
    if actions:
        lines += ["| argument | is |", "| --- | --- |", *map(_row, actions), ""]
    return lines


def _usage(action: Action) -> str:
    """An argument in the line that shows how a command is called; options that may be left out are
    in the table alone."""
    if action.option_strings:
        return f"{action.option_strings[-1]} {_value(action)}".rstrip() if action.required else ""
    shown = f"{_value(action)}..." if action.nargs in ("*", "+") else _value(action)
    return f"[{shown}]" if action.nargs in ("?", "*") else shown


def _row(action: Action) -> str:
    words = [f"{each} {_value(action)}".rstrip() for each in action.option_strings]
    names = ", ".join(f"`{each}`" for each in words or [_value(action)])
    help = "" if action.help in (None, SUPPRESS) else str(action.help)
    if action.choices is not None:
        listed = ", ".join(f"`{each}`" for each in action.choices)
        help = f"{help}: {listed}" if help else listed
    return "| {} | {} |".format(*(cell.replace("|", r"\|") for cell in (names, help)))


def _value(action: Action) -> str:
    """What stands for the value of an argument."""
    if action.nargs == 0:
        return ""
    shown = action.metavar or "WORD"
    return shown if isinstance(shown, str) else " ".join(shown)
