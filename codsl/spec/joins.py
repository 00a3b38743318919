"""Joins: the words that say how values meet, and whether their frames fit."""

from dataclasses import dataclass

from codsl.algebra.shape import Frame
from codsl.diagnostics import Findings, Label, did_you_mean, plural
from codsl.layers.joining import AGGREGATIONS, Aggregation
from codsl.source import Span
from codsl.spec.bind import bind, passed
from codsl.spec.names import Flow
from codsl.spec.spec import Item, Origin
from codsl.spec.values import Evaluator, Hole, describe
from codsl.syntax import tree

CHOICES = {"aggregation": AGGREGATIONS, "shrink": ("lagging", "leading", "centered")}
DEFAULTS = {"residual": "sum", "parallel": "concat", "join": "concat"}


@dataclass(frozen=True)
class How:
    """How values meet; `shrink` says what a residual does where its body shortens time."""

    aggregation: str
    shrink: str | None = None


def how_of(
    construct: str,
    arguments: tuple[tree.Argument, ...],
    evaluator: Evaluator,
    findings: Findings,
) -> How | None:
    """The words of a construct that joins, or None once what is wrong with them is reported."""
    if not arguments:
        return How(DEFAULTS[construct])
    known = list(CHOICES) if construct == "residual" else ["aggregation"]
    at = arguments[0].value.span
    for argument in arguments:
        if argument.name is None:
            message = f"`{construct}` takes {plural(len(known), 'argument')} by position"
            findings.add("E0303", message, argument.value.span)
            return None
    try:
        bound = bind(construct, at, passed(arguments, evaluator.value), known, known, (), findings)
    except Hole:
        return None
    words = {"aggregation": DEFAULTS[construct]}
    for name, each in bound.items():
        word = str(each.value)
        if not isinstance(each.value, str) or word not in CHOICES[name]:
            listed = ", ".join(f"`{choice}`" for choice in CHOICES[name])
            findings.add(
                "E0305",
                f"`{name}` is one of {listed}, found {describe(each.value)}",
                each.span,
                helps=did_you_mean(word, CHOICES[name], each.span.within(word)),
            )
            return None
        words[name] = word
    return How(**words)


def no_shrink(
    arguments: tuple[tree.Argument, ...], uses: tuple[Span, ...], findings: Findings
) -> None:
    """Report a crop over time where values are single frames."""
    for each in arguments:
        if each.name is not None and each.name.text == "shrink":
            findings.add(
                "E0420",
                "`shrink` crops the shortcut over time, and `per_frame` leaves time alone",
                each.value.span,
                *(Label(use, f"in this use of `{use.text}`") for use in uses),
                helps=("leave it out",),
            )


def _projection(labels: tuple[str, ...], frames: tuple[Frame, ...]) -> list[str]:
    """How a shortcut comes to the frame of its body, or branches to one size over space."""
    body = frames[-1]
    same_space = len({frame.space for frame in frames}) == 1
    if labels[0] != "shortcut":
        return [] if same_space else ["give every branch the same stride and padding over space"]
    if same_space:
        return [
            f"give the shortcut {body.channels} channels, by a convolution with `kernel_size=1`"
        ]
    return [
        f"give the shortcut a convolution with `kernel_size=1`, {body.channels} channels and the "
        "stride of the body, over time too"
    ]


def meet(
    flows: list[Flow],
    labels: tuple[str, ...],
    how: How,
    origin: Origin,
    findings: Findings,
) -> Item | None:
    """The item that joins these values, or None where one is not known or they do not fit."""
    values = tuple(flow.value for flow in flows if flow.value is not None)
    frames = tuple(flow.frame for flow in flows if flow.frame is not None)
    if len(values) < len(flows) or not values:
        return None
    operation = Aggregation(how.aggregation)
    try:
        frame = operation.shape(frames)
    except ValueError as error:
        findings.add(
            "E0405",
            f"`{how.aggregation}` cannot join these: {error}",
            origin.span,
            *(Label(use, f"in this use of `{use.text}`") for use in origin.uses),
            notes=[f"`{label}` is {each}" for label, each in zip(labels, frames, strict=True)],
            helps=_projection(labels, frames),
        )
        return None
    return Item("", how.aggregation, operation, values, frame, origin, {}, labels, how.shrink)
