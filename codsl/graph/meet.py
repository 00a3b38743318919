"""What to say where values cannot meet in time: the layers that make them differ, and a mend."""

from fractions import Fraction

from codsl.algebra.time import Time, longest, lost, shortens
from codsl.diagnostics import Applicability, Edit, Findings, Help, Label, plural
from codsl.layers.mistake import Give
from codsl.layers.padding import shorthand
from codsl.spec.mend import added, edits_of
from codsl.spec.spec import Item, Spec

MOST = 3
"""Layers that are pointed at, at most."""

_RESIDUAL = ("shortcut", "body")


def report(spec: Spec, item: Item, times: list[Time], kind: str, findings: Findings) -> None:
    """Say which values cannot meet in `item`, with their numbers, the layers at fault and a mend.

    `kind` is `stride` or `length`.
    """
    strides = kind == "stride"
    labels = [
        Label(item.origin.span, "these meet here"),
        *_culprits(spec, item, times, strides),
        *(Label(use, f"in this use of `{use.text}`") for use in item.origin.uses),
    ]
    if strides:
        findings.add(
            "E0412",
            "the strides over time differ",
            *labels,
            notes=[
                f"`{label}` gives one item every {_nth(time.stride)} of the input"
                for label, time in zip(item.labels, times, strict=True)
            ],
            helps=(_unstrided(spec, item, times),),
        )
        return
    most = longest(times)
    fewer = [
        f"`{label}` gives {plural(lost(most, time), 'item')} fewer than the longest"
        for label, time in zip(item.labels, times, strict=True)
        if lost(most, time) > 0
    ]
    why = "item `j` of a stream is joined with item `j`, and the last ones would find no partner"
    findings.add(
        "E0407",
        "the lengths over time differ",
        *labels,
        notes=[*fewer, why],
        helps=_mend(spec, item, times),
    )


def shrinking(spec: Spec, item: Item) -> tuple[Edit, ...]:
    """The edits that let the residuals around an item crop their shortcuts, if it shortens time."""
    edits: dict[int, Edit] = {}
    after: set[int] = set()
    for value, each in enumerate(spec.items, len(spec.inputs)):
        if each is not item and after.isdisjoint(each.inputs):
            continue
        after.add(value)
        shorter = each.labels == _RESIDUAL and after.isdisjoint(each.inputs[:1])
        if shorter and each.shrink is None:
            edits.update((edit.span.start, edit) for edit in _shrunk(each))
    return tuple(edits.values())


def _shrunk(item: Item) -> tuple[Edit, ...]:
    return added(item.origin, {"shrink": "centered"})


def _nth(stride: int | Fraction) -> str:
    return "frame" if stride == 1 else f"{stride} frames"


def _mend(spec: Spec, item: Item, times: list[Time]) -> list[Help]:
    """Padding for the layers that make a branch shorter; for a residual, `shrink` before that."""
    edits = _padded(spec, item, times)
    how = Applicability.CHOICE
    if item.labels == _RESIDUAL and lost(times[0], times[-1]) > 0:
        said = "say which frames of the shortcut the body meets: `shrink` is "
        helps = [Help(f"{said}`centered`, `lagging` or `leading`", _shrunk(item), how)]
        return [*helps, Help("or pad the body over time", edits, how)]
    return [Help("pad the shorter over time", edits, how)]


def _unstrided(spec: Spec, item: Item, times: list[Time]) -> Help:
    """A stride of one over time for all that strides in one branch alone."""
    said = "give every branch the same stride over time"
    edits: list[Edit] = []
    for index in _guilty(spec, item, times, True):
        each = spec.items[index]
        stride = getattr(each.operation, "stride", None) or getattr(
            each.operation, "kernel_size", None
        )
        if not isinstance(stride, tuple):
            return Help(said)
        edits += edits_of(Give(shorthand((1, *stride[1:]))), "stride", each.origin)
    return Help(said, tuple(dict.fromkeys(edits)), Applicability.CHOICE)


def _padded(spec: Spec, item: Item, times: list[Time]) -> tuple[Edit, ...]:
    """`same` padding over time for all that shortens a value more than the longest."""
    edits: list[Edit] = []
    for index in _guilty(spec, item, times, False):
        each = spec.items[index]
        padding = getattr(each.operation, "padding", None)
        time = getattr(each.operation, "time", Time)()
        if not isinstance(padding, tuple) or time.stride != 1:
            return ()
        made = edits_of(Give(shorthand(("same", *padding[1:]))), "padding", each.origin)
        if not made:
            return ()
        edits += made
    return tuple(dict.fromkeys(edits))


def _guilty(spec: Spec, item: Item, times: list[Time], strides: bool) -> list[int]:
    """The layers of one branch alone that stride, or that make it shorter than the others."""
    behind = [_behind(spec, value) for value in item.inputs]
    most = longest(times)
    short = [
        indices
        for indices, time in zip(behind, times, strict=True)
        if strides or lost(most, time) > 0
    ]
    apart = sorted(set().union(*short) - behind[0].intersection(*behind[1:]))
    return [index for index in apart if _said(spec.items[index], strides)]


def _culprits(spec: Spec, item: Item, times: list[Time], strides: bool) -> list[Label]:
    """The places of those layers, and what each of them does."""
    labels: dict[object, Label] = {}
    for index in _guilty(spec, item, times, strides):
        at = spec.items[index].origin.span
        if (at.start, at.end) not in labels:
            labels[at.start, at.end] = Label(at, _said(spec.items[index], strides))
    return list(labels.values())[:MOST]


def _behind(spec: Spec, value: int) -> set[int]:
    """The items that a value comes from."""
    found: set[int] = set()
    pending = [value]
    while pending:
        index = pending.pop() - len(spec.inputs)
        if index >= 0 and index not in found:
            found.add(index)
            pending += spec.items[index].inputs
    return found


def _said(item: Item, strides: bool) -> str:
    time = getattr(item.operation, "time", Time)()
    if strides:
        return f"one item every {_nth(time.stride)}" if time.stride > 1 else ""
    missing = shortens(time)
    return f"loses {plural(missing, 'item')}" if missing > 0 else ""
