"""Arguments onto parameters: of a row, of a template, of the network."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from codsl.diagnostics import Edit, Findings, Help, Label, did_you_mean, plural
from codsl.layers.mistake import Mistake
from codsl.source import Span
from codsl.spec.mend import added
from codsl.spec.spec import Origin
from codsl.spec.values import Given, Hole, LayerValue, Value, describe
from codsl.syntax import tree


@dataclass(frozen=True)
class Passed:
    """An argument as it is passed: its name, or None by position, and how to work it out."""

    name: str | None
    key: Span
    span: Span
    value: Callable[[], Value]


def passed(
    arguments: Iterable[tree.Argument], value: Callable[[tree.Expression], Value]
) -> list[Passed]:
    """The arguments of a call in the text, to be worked out by `value`."""
    return [
        Passed(
            each.name.text if each.name else None,
            each.name.span if each.name else each.value.span,
            each.value.span,
            lambda each=each: value(each.value),  # type: ignore[misc]
        )
        for each in arguments
    ]


def given(arguments: Iterable[tuple[str | None, Given]]) -> list[Passed]:
    """The arguments that came along with a layer as a value."""
    return [
        Passed(name, each.span, each.span, lambda each=each: each.value)  # type: ignore[misc]
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
) -> dict[str, Given]:
    """The value of each argument by name; raises `Hole` once all that is wrong is reported."""
    bound: dict[str, Given] = {}
    order = iter(positional)
    sound = True
    for argument in arguments:
        name = argument.name or next(order, None)
        if name is None:
            _refuse_position(what, argument, len(positional), findings)
            sound = False
        elif name not in names:
            helps = _offers(name, names, argument.key)
            message = f"`{what}` has no argument `{name}`"
            findings.add("E0303", message, argument.key, helps=helps)
            sound = False
        elif name in bound:
            there = Label(bound[name].span, "first here")
            findings.add("E0303", f"`{name}` is given twice", argument.key, there)
            sound = False
        else:
            try:
                bound[name] = Given(argument.value(), argument.span)
            except Hole:
                sound = False
                bound[name] = Given(None, argument.span)
    missing = [name for name in required if name not in bound]
    if missing and sound:
        listed = ", ".join(f"`{name}`" for name in missing)
        findings.add("E0304", f"`{what}` needs {listed}", at)
    if missing or not sound:
        raise Hole
    return bound


def _refuse_position(what: str, argument: Passed, most: int, findings: Findings) -> None:
    """Report an argument by position that is one too many."""
    takes = f"{plural(most, 'argument')} by position" if most else "no arguments"
    findings.add("E0303", f"`{what}` takes {takes}", argument.span)


def _offers(name: str, names: Sequence[str], at: Span) -> list[Help | str]:
    if near := did_you_mean(name, names, at):
        return list(near)
    if not names:
        return ["it takes no arguments"]
    return ["its arguments are " + ", ".join(f"`{each}`" for each in names)]


def pin(
    mistake: Mistake,
    what: str,
    origin: Origin,
    findings: Findings,
    shrinking: tuple[Edit, ...] = (),
) -> None:
    """Report what a row found wrong, at the places where it was written.

    `shrinking` are the edits that a remedy needs besides where it shortens time.
    """
    argument = origin.arguments.get(mistake.argument or "")
    culprit = Label(argument or origin.span, mistake.about if argument else mistake.layer)
    labels = [culprit]
    if argument and mistake.layer:
        labels.append(Label(origin.span, mistake.layer))
    labels += [Label(use, f"in this use of `{use.text}`") for use in origin.uses]
    helps: list[Help] = []
    if mistake.help:
        edits = () if origin.uses else _mend(mistake, what, argument, origin)
        helps.append(Help(mistake.help, edits))
    for remedy in mistake.remedies:
        edits = _given(origin, mistake.argument or "", remedy.replacement)
        besides = shrinking if edits and remedy.shortens else ()
        words = ", with `shrink` in the residuals around it" if besides else ""
        helps.append(Help(f"{remedy.help}{words}", (*edits, *besides)))
    notes = (mistake.note,) if mistake.note else ()
    findings.add(mistake.code, str(mistake), *labels, notes=notes, helps=helps)


def _mend(mistake: Mistake, what: str, argument: Span | None, origin: Origin) -> tuple[Edit, ...]:
    """What a row would have written instead: for an argument, behind the last, or as its name."""
    if mistake.replacement is None:
        return ()
    if argument:
        return (Edit(argument, mistake.replacement),)
    if mistake.argument is None:
        named = origin.span.text == what
        return (Edit(origin.span, mistake.replacement),) if named else ()
    return added(origin, mistake.argument, mistake.replacement) if origin.arguments else ()


def _given(origin: Origin, argument: str, value: str) -> tuple[Edit, ...]:
    """A value for an argument that is left out, or is written as none."""
    written = origin.arguments.get(argument)
    if written is None:
        return added(origin, argument, value)
    return (Edit(written, value),) if written.text in ("none", "null", "~") else ()


TYPES: Mapping[str, Callable[[Value], bool]] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "tuple": lambda value: isinstance(value, tuple),
    "layer": lambda value: isinstance(value, str | LayerValue),
}


def typed(parameter: tree.Parameter, value: Value, at: Span | None, findings: Findings) -> Value:
    """The value of a parameter, once its type is known to fit; raises `Hole` where it does not."""
    if parameter.type is None:
        return value
    kind = parameter.type.text
    if kind not in TYPES:
        findings.add(
            "E0312",
            f"`{kind}` is no type",
            parameter.type.span,
            helps=("the types are " + ", ".join(f"`{each}`" for each in TYPES),),
        )
        raise Hole
    if not TYPES[kind](value):
        findings.add(
            "E0312",
            f"the parameter `{parameter.name.text}` is of type `{kind}`, found {describe(value)}",
            at or parameter.name.span,
        )
        raise Hole
    return LayerValue(value) if kind == "layer" and isinstance(value, str) else value
