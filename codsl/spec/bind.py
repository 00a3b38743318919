"""Arguments onto parameters: of a row, of a template, of the network."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from codsl.diagnostics import (
    Applicability,
    Edit,
    Findings,
    Help,
    Label,
    did_you_mean,
    plural,
    surely_meant,
)
from codsl.layers.meant import TRUTHS
from codsl.layers.mistake import Give, Mistake, Remedy
from codsl.source import Span
from codsl.spec.mend import added, edits_of
from codsl.spec.spec import Origin
from codsl.spec.values import Given, Hole, LayerValue, Value, describe
from codsl.syntax import tree
from codsl.syntax.brackets import whole_entry
from codsl.syntax.surface import is_text, written


class Unbound(Hole):
    """Arguments that do not fit their parameters; `bound` are those whose values are known."""

    def __init__(self, bound: dict[str, Given]) -> None:
        super().__init__()
        self.bound = bound


@dataclass(frozen=True)
class Passed:
    """An argument as it is passed: its name, or None by position, and how to work it out.

    `root` is where its value stands, if that is literal.
    """

    name: str | None
    key: Span
    span: Span
    value: Callable[[], Value]
    root: Span | None = None


def passed(
    arguments: Iterable[tree.Argument],
    value: Callable[[tree.Expression], Value],
    root: Callable[[tree.Expression], Span | None],
) -> list[Passed]:
    """The arguments of a call in the text, to be worked out by `value`."""
    return [
        Passed(
            each.name.text if each.name else None,
            each.name.span if each.name else each.value.span,
            each.value.span,
            lambda each=each: value(each.value),  # type: ignore[misc]
            root(each.value),
        )
        for each in arguments
    ]


def given(arguments: Iterable[tuple[str | None, Given]]) -> list[Passed]:
    """The arguments that came along with a layer as a value."""
    return [
        Passed(name, each.key or each.span, each.span, lambda each=each: each.value, each.root)  # type: ignore[misc]
        for name, each in arguments
    ]


def bind(
    what: str,
    at: Span,
    arguments: Sequence[Passed],
    names: Sequence[str],
    positional: Sequence[str],
    required: Sequence[str],
    findings: Findings,
    samples: Mapping[str, Any] | None = None,
) -> dict[str, Given]:
    """The value of each argument by name; raises `Unbound` once all that is wrong is reported.

    `samples` are values to offer for those that are missing.
    """
    bound: dict[str, Given] = {}
    lost: set[str] = set()
    order = iter(positional)
    sound = True
    for argument in arguments:
        name = argument.name or next(order, None)
        if name is not None and name not in names:
            given_too = {each.name for each in arguments}
            name = _unknown(what, name, argument, names, given_too, findings)
            sound = False
        elif name is None:
            _refuse_position(what, argument, len(positional), findings)
            sound = False
        if name in bound:
            _refuse_second(str(name), argument, bound[name], findings)
            sound = False
        elif name is not None:
            try:
                bound[name] = Given(argument.value(), argument.span, argument.root)
            except Hole:
                lost.add(name)
                bound[name] = Given(None, argument.span)
    missing = [name for name in required if name not in bound]
    if missing and sound and not lost:
        spans = {name: each.span for name, each in bound.items()}
        _lacks(missing, samples or {}, Origin(at, spans, type=what), findings)
    if missing or lost or not sound:
        raise Unbound({name: each for name, each in bound.items() if name not in lost})
    return bound


def _unknown(
    what: str,
    name: str,
    argument: Passed,
    names: Sequence[str],
    given_too: Collection[str | None],
    findings: Findings,
) -> str | None:
    """Report an argument that does not exist; gives the one that was surely meant, which is none of
    those that are given too."""
    near = did_you_mean(name, [each for each in names if each not in given_too], argument.key)
    listed = "its arguments are " + ", ".join(f"`{each}`" for each in names)
    out = Help("leave it out", (Edit(_whole(argument), ""),))
    helps = near or [Help(listed if names else "it takes no arguments"), out]
    findings.add("E0303", f"`{what}` has no argument `{name}`", argument.key, helps=helps)
    return surely_meant(near)


def _whole(argument: Passed) -> Span:
    """An argument with its name, and the comma or the line that goes with it."""
    return whole_entry(Span(argument.key.source, argument.key.start, argument.span.end))


def _lacks(
    missing: Sequence[str], samples: Mapping[str, Any], origin: Origin, findings: Findings
) -> None:
    """Report arguments that are missing, with a value for each as a placeholder."""
    said = ", ".join(f"`{name}`" for name in missing)
    known = all(name in samples for name in missing)
    edits = added(origin, {name: samples[name] for name in missing}) if known else ()
    add = Help(f"add {said} with a value of yours", edits, Applicability.CHOICE)
    message = f"`{origin.type}` needs {said}"
    findings.add("E0304", message, origin.span, helps=(add,) if edits else ())


def _refuse_second(name: str, argument: Passed, first: Given, findings: Findings) -> None:
    """Report an argument that is given already."""
    there = Label(first.span, "first here")
    out = (Help("leave one of them out", (Edit(_whole(argument), ""),)),)
    helps = out if argument.name else ()
    findings.add("E0303", f"`{name}` is given twice", argument.key, there, helps=helps)


def _refuse_position(what: str, argument: Passed, most: int, findings: Findings) -> None:
    """Report an argument by position that is one too many."""
    takes = f"{plural(most, 'argument')} by position" if most else "no arguments"
    out = Help("leave it out", (Edit(_whole(argument), ""),))
    findings.add("E0303", f"`{what}` takes {takes}", argument.span, helps=(out,))


def pin(
    mistake: Mistake,
    what: str,
    origin: Origin,
    findings: Findings,
    shrinking: tuple[Edit, ...] = (),
    remedies: Sequence[Help] = (),
) -> None:
    """Report what a row found wrong, at the places where it was written.

    `shrinking` are the edits that a remedy needs besides where it shortens time; `remedies` come
    before those of the row.
    """
    argument = origin.arguments.get(mistake.argument or "")
    culprit = Label(argument or origin.span, mistake.about if argument else mistake.layer)
    labels = [culprit]
    root = origin.roots.get(mistake.argument or "")
    if argument and root not in (None, argument):
        labels.append(Label(root, "its value is from here"))
    if argument and mistake.layer:
        labels.append(Label(origin.span, mistake.layer))
    labels += [Label(use, f"in this use of `{use.text}`") for use in origin.uses]
    helps = [_help(each, mistake, origin, shrinking) for each in mistake.remedies]
    if argument and mistake.choices:
        word = argument.text.strip("\"'")
        helps = did_you_mean(word, mistake.choices, (root or argument).within(word)) or helps
    helps = [*remedies, *helps]
    notes = (mistake.note,) if mistake.note else ()
    findings.add(mistake.code, str(mistake), *labels, notes=notes, helps=helps)


def _help(remedy: Remedy, mistake: Mistake, origin: Origin, shrinking: tuple[Edit, ...]) -> Help:
    """A remedy with the edits that carry it out."""
    edits = edits_of(remedy.change, mistake.argument, origin)
    shortens = isinstance(remedy.change, Give) and remedy.change.shortens
    besides = shrinking if edits and shortens else ()
    words = ", with `shrink` in the residuals around it" if besides else ""
    how = Applicability.SURE if remedy.sure else Applicability.LIKELY
    worked_out = mistake.argument in origin.arguments and mistake.argument not in origin.roots
    if len(mistake.remedies) > 1 or (worked_out and isinstance(remedy.change, Give)):
        how = Applicability.CHOICE
    return Help(f"{remedy.help}{words}", (*edits, *besides), how)


TYPES: Mapping[str, Callable[[Value], bool]] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "tuple": lambda value: isinstance(value, tuple),
    "layer": lambda value: isinstance(value, str | LayerValue),
}


def _of_type(kind: str, value: Value, at: Span) -> list[Help]:
    """The value of this type that was probably meant."""
    meant: Value = None
    if kind == "tuple" and isinstance(value, int | float) and not isinstance(value, bool):
        meant = (value,)
    elif kind in ("int", "float") and isinstance(value, int | float | str):
        number = _number(value)
        meant = int(number) if number is not None and number.is_integer() else number
    elif kind == "bool" and str(value).lower() in TRUTHS:
        meant = TRUTHS[str(value).lower()]
    if meant is None or not TYPES[kind](meant):
        return []
    text = written(meant, at.source)
    return [Help(f"write `{text}`", (Edit(at, text),))]


def _number(value: Value) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except ValueError:
        return None


def check_type(kind: tree.Name, findings: Findings) -> bool:
    """Whether a parameter can be of this type; reports where it cannot."""
    if kind.text in TYPES:
        return True
    helps = did_you_mean(kind.text, TYPES, kind.span)
    listed = "the types are " + ", ".join(f"`{each}`" for each in TYPES)
    findings.add("E0312", f"`{kind.text}` is no type", kind.span, helps=helps or (listed,))
    return False


def by_name(word: Value, at: Span, names: Collection[str]) -> list[Help]:
    """The value of a name, where the name, or one a slip away, stands as a text."""
    if not isinstance(word, str) or at.text.strip("\"'") != word:
        return []
    written = {each: each if is_text(at.source) else f"${each}" for each in names}
    if word in written:
        said = f"the value of that name is `{written[word]}`"
        return [Help(said, (Edit(at, written[word]),), Applicability.SURE)]
    likely = did_you_mean(word, names, at, written)
    return [replace(each, applicability=Applicability.LIKELY) for each in likely]


def typed(
    parameter: tree.Parameter,
    value: Value,
    at: Span | None,
    findings: Findings,
    names: Collection[str] = (),
) -> Value:
    """The value of a parameter, once its type is known to fit; raises `Hole` where it does not.

    `names` are those of values where it stands.
    """
    if parameter.type is None:
        return value
    kind = parameter.type.text
    if not check_type(parameter.type, findings):
        raise Hole
    if not TYPES[kind](value):
        findings.add(
            "E0312",
            f"the parameter `{parameter.name.text}` is of type `{kind}`, found {describe(value)}",
            at or parameter.name.span,
            helps=(_of_type(kind, value, at) or by_name(value, at, names)) if at else (),
        )
        raise Hole
    return LayerValue(value) if kind == "layer" and isinstance(value, str) else value
