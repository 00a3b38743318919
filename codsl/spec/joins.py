"""Joins: the words that say how values meet, and whether their frames fit."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from codsl.algebra.shape import Frame
from codsl.diagnostics import Applicability, Edit, Findings, Help, Label, did_you_mean, plural
from codsl.layers.joining import AGGREGATIONS, Aggregation
from codsl.layers.mistake import Give
from codsl.source import Span
from codsl.spec.bind import bind, passed
from codsl.spec.draft import row_of, stated_channels
from codsl.spec.mend import edits_of, raw_key
from codsl.spec.names import Flow
from codsl.spec.spec import Item, Origin
from codsl.spec.values import Evaluator, Hole, describe
from codsl.syntax import tree
from codsl.syntax.brackets import closing
from codsl.syntax.surface import is_text

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
        bound = bind(
            construct,
            at,
            passed(arguments, evaluator.value, evaluator.root),
            known,
            known,
            (),
            findings,
        )
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


def _remedies(
    labels: tuple[str, ...],
    frames: tuple[Frame, ...],
    how: How,
    origin: Origin,
    widens: Item | None,
) -> list[Help | str]:
    """How values of different shapes can meet; `widens` is what gives the last its channels."""
    residual = labels[0] == "shortcut"
    if len({frame.rank for frame in frames}) > 1:
        return [_RANK]
    if len({frame.space for frame in frames}) > 1:
        return [_over_space(frames[0], frames[-1]) if residual else _SPACE]
    word = origin.roots.get("aggregation")
    helps: list[Help | str] = []
    if not residual and how.aggregation != "concat" and word and not origin.uses:
        edit = Edit(word.within(how.aggregation), "concat")
        helps.append(Help("`concat` puts channels one after another", (edit,), _CHOICE))
    if residual:
        helps += _fewer(frames, widens)
        wanted = plural(frames[-1].channels, "channel")
        said = f"give the shortcut {wanted}, by a convolution with `kernel_size=1`"
        helps.append(Help(said, _projected(origin, widens), _CHOICE))
    return helps


_CHOICE = Applicability.CHOICE
_SPACE = "give every branch the same stride and padding over space"
_RANK = "`flatten` takes space away, once a pool has left one place of it; `reshape` gives it"


def _over_space(shortcut: Frame, body: Frame) -> str:
    """How a shortcut and a body come to the same space: where they differ by less than a stride
    would make them, it is the padding."""
    sizes = list(zip(body.space, shortcut.space, strict=True))
    if all(2 * one > other for one, other in sizes):
        return "pad the body so that it keeps its sizes: `same`, or half of an odd window"
    return (
        f"give the shortcut a convolution with `kernel_size=1`, {plural(body.channels, 'channel')} "
        "and the stride of the body, over time too"
    )


def _fewer(frames: tuple[Frame, ...], widens: Item | None) -> list[Help | str]:
    """The number of channels of a body as that of its shortcut, where it is written somewhere."""
    given = stated_channels(widens) if widens else None
    if widens is None or given is None or given not in widens.origin.roots:
        return []
    edits = edits_of(Give(frames[0].channels), given, widens.origin)
    said = f"give the body {plural(frames[0].channels, 'channel')}, as the shortcut has"
    return [Help(said, edits, _CHOICE)] if edits else []


def _projected(origin: Origin, widens: Item | None) -> tuple[Edit, ...]:
    """A shortcut that comes to the channels of the body, by a layer of the kind that gives it its
    own; none where they are worked out from the channels before."""
    given = stated_channels(widens) if widens else None
    if widens is None or given is None or "name" in origin.arguments:
        return ()
    source, channels = origin.span.source, widens.origin.arguments[given].text
    known = not hasattr(row_of(widens), "kernel_size") or "in_channels" in channels
    if known or widens.origin.uses != origin.uses:
        return ()
    if not is_text(source):
        layer = f"{{name: project, {given}: {channels}, kernel_size: 1}}"
        return raw_key(origin, "shortcut", f"[{{{widens.type}: {layer}}}]")
    end = closing(source.text, source.text.find("{", origin.span.end))
    if end is None or re.match(r"\s*shortcut\b", source.text[end + 1 :]):
        return ()
    layer = f"{widens.type}({given}={channels}, kernel_size=1)"
    return (Edit(source.span(end + 1, end + 1), f" shortcut {{ project = {layer} }}"),)


def meet(
    flows: list[Flow],
    labels: tuple[str, ...],
    how: How,
    origin: Origin,
    findings: Findings,
    widens: Callable[[int], Item | None],
) -> Item | None:
    """The item that joins these values, or None where one is not known or they do not fit.

    `widens` finds the layer that gives a value its channels.
    """
    values = tuple(flow.value for flow in flows if flow.value is not None)
    frames = tuple(flow.frame for flow in flows if flow.frame is not None)
    if len(values) < len(flows) or not values:
        return None
    operation = Aggregation(how.aggregation)
    try:
        frame = operation.shape(frames)
    except ValueError as error:
        last = widens(values[-1])
        same_space = len({each.space for each in frames}) == 1
        gives = f"{frames[-1].channels} channels" if same_space else str(frames[-1])
        pointed = [Label(last.origin.span, f"gives {gives}")] if last else []
        findings.add(
            "E0405",
            f"`{how.aggregation}` cannot join these: {error}",
            origin.span,
            *(pointed if labels[0] == "shortcut" else ()),
            *(Label(use, f"in this use of `{use.text}`") for use in origin.uses),
            notes=[f"`{label}` is {each}" for label, each in zip(labels, frames, strict=True)],
            helps=_remedies(labels, frames, how, origin, last),
        )
        return None
    return Item("", how.aggregation, operation, values, frame, origin, {}, labels, how.shrink)
