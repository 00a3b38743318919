"""What to say where values cannot meet in time: the layers that make them differ, and a mend."""

from collections.abc import Callable
from fractions import Fraction

from codsl.algebra.time import Time, longest, lost, shortens
from codsl.diagnostics import Applicability, Edit, Findings, Help, Label, plural
from codsl.layers.mistake import Give
from codsl.layers.padding import shorthand
from codsl.source import Span
from codsl.spec.mend import added, edits_of
from codsl.spec.spec import Item, Spec

MOST = 3
"""Layers that are pointed at, at most."""

_RESIDUAL = ("shortcut", "body")
_CHOICE = Applicability.CHOICE


def report(spec: Spec, item: Item, times: list[Time], kind: str, findings: Findings) -> None:
    """Say which values cannot meet in `item`, with their numbers, the layers at fault and a mend.

    `kind` is `stride` or `length`.
    """
    if kind == "stride":
        _strides(spec, item, times, findings)
    else:
        _lengths(spec, item, times, findings)


def _strides(spec: Spec, item: Item, times: list[Time], findings: Findings) -> None:
    alone = _alone(spec, item, [True] * len(times))
    findings.add(
        "E0412",
        "the strides over time differ",
        *_labels(item, _culprits(alone, _strided)),
        notes=[
            f"`{label}` gives one item every {_nth(time.stride)} of the input"
            for label, time in zip(item.labels, times, strict=True)
        ],
        helps=(*_raised(spec, item, times), _unstrided(spec, alone)),
    )


def _lengths(spec: Spec, item: Item, times: list[Time], findings: Findings) -> None:
    most = longest(times)
    fewer = [max(0, lost(most, time)) for time in times]
    notes = [
        f"`{label}` gives {plural(count, 'item')} fewer than the longest"
        for label, count in zip(item.labels, fewer, strict=True)
        if count
    ]
    why = "item `j` of a stream is joined with item `j`, and the last ones would find no partner"
    shorter = _alone(spec, item, [count > 0 for count in fewer])
    culprits = _culprits(shorter, _loses)
    longer: list[Item] = []
    if not culprits:
        longer = _alone(spec, item, [count == 0 for count in fewer])
        culprits = _culprits(longer, _adds)
    findings.add(
        "E0407",
        "the lengths over time differ",
        *_labels(item, culprits),
        notes=[*notes, why],
        helps=_less(longer, max(fewer)) if culprits and longer else _more(item, shorter, fewer),
    )


def _labels(item: Item, culprits: list[Label]) -> list[Label]:
    uses = [Label(use, f"in this use of `{use.text}`") for use in item.origin.uses]
    return [Label(item.origin.span, "these meet here"), *culprits, *uses]


def shrinking(spec: Spec, item: Item) -> tuple[Edit, ...]:
    """The edits that let the residuals around an item crop their shortcuts, if it shortens time."""
    edits: dict[Span, Edit] = {}
    after: set[int] = set()
    for value, each in enumerate(spec.items, len(spec.inputs)):
        if each is not item and after.isdisjoint(each.inputs):
            continue
        after.add(value)
        shorter = each.labels == _RESIDUAL and after.isdisjoint(each.inputs[:1])
        if shorter and each.shrink is None:
            edits.update((edit.span, edit) for edit in _shrunk(each))
    return tuple(edits.values())


def _shrunk(item: Item) -> tuple[Edit, ...]:
    return added(item.origin, {"shrink": "centered"})


def _nth(stride: int | Fraction) -> str:
    return "frame" if stride == 1 else f"{stride} frames"


def _raised(spec: Spec, item: Item, times: list[Time]) -> list[Help]:
    """The stride of the other branches for the one layer of the only one that has a lesser."""
    most = max(time.stride for time in times)
    lesser = [time.stride < most for time in times]
    own = [each for each in _alone(spec, item, lesser) if _stride_of(each)]
    if sum(lesser) != 1 or len(own) != 1:
        return []
    branch = lesser.index(True)
    ratio = Fraction(most) / Fraction(times[branch].stride)
    edits = _restrided(spec, own, ratio) if ratio.denominator == 1 else ()
    said = f"give `{item.labels[branch]}` the stride over time that the rest has"
    return [Help(said, edits, _CHOICE)] if edits else []


def _unstrided(spec: Spec, alone: list[Item]) -> Help:
    """A stride of one over time for all that strides in one branch alone."""
    edits = _restrided(spec, list(filter(_strided, alone)), None)
    return Help("give every branch the same stride over time", edits, _CHOICE)


def _restrided(spec: Spec, items: list[Item], ratio: Fraction | None) -> tuple[Edit, ...]:
    """The edits that give layers a stride over time so many times as large, or of one; none where
    other layers stand at the same place of the text."""
    edits: list[Edit] = []
    for each in items:
        stride = _stride_of(each)
        same = [other for other in spec.items if other.origin.span == each.origin.span]
        if not stride or any(other not in items for other in same):
            return ()
        first = 1 if ratio is None else int(stride[0] * ratio)
        edits += edits_of(Give(shorthand((first, *stride[1:]))), "stride", each.origin)
    return tuple(dict.fromkeys(edits))


def _stride_of(item: Item) -> tuple[int, ...]:
    """The strides of a layer that can have such, in every dimension."""
    row = item.operation
    if not hasattr(row, "stride"):
        return ()
    stride = row.stride or getattr(row, "kernel_size", ())
    return stride if isinstance(stride, tuple) else ()


def _more(item: Item, shorter: list[Item], fewer: list[int]) -> list[Help]:
    """Padding for the layers that make a branch shorter; for a body, `shrink` before that."""
    losing = [each for each in shorter if _loses(each)]
    edits = [_padded(each, "same") for each in losing]
    whole = tuple(dict.fromkeys(edit for each in edits for edit in each)) if all(edits) else ()
    if item.labels != _RESIDUAL:
        return [Help("pad the shorter over time", whole, _CHOICE)]
    if not fewer[-1]:
        return [
            Help("pad the shortcut over time, or make the body as much shorter", whole, _CHOICE)
        ]
    said = "say which frames of the shortcut the body meets: `shrink` is "
    return [
        Help(f"{said}`centered`, `lagging` or `leading`", _shrunk(item), _CHOICE),
        Help("or pad the body over time", whole, _CHOICE),
    ]


def _less(longer: list[Item], count: int) -> list[Help]:
    """Ways to make what is too long shorter, with edits where one layer alone makes it so."""
    adding = [each for each in longer if _adds(each)]
    one = len({each.origin.span for each in adding}) == 1
    edits = [_padded(adding[-1], word) if one else () for word in ("causal", "same")]
    return [
        Help("`causal` padding keeps the length, and looks at nothing to come", edits[0], _CHOICE),
        Help("`same` padding keeps it too, and looks as far ahead as back", edits[1], _CHOICE),
        Help(f"a `crop` behind it leaves out the last ones: `back` is {count}"),
    ]


def _padded(item: Item, word: str) -> tuple[Edit, ...]:
    """The edit that pads a layer over time so that it keeps the length, where it can."""
    padding = getattr(item.operation, "padding", None)
    if not isinstance(padding, tuple) or _time(item).stride != 1:
        return ()
    return edits_of(Give(shorthand((word, *padding[1:]))), "padding", item.origin)


def _alone(spec: Spec, item: Item, which: list[bool]) -> list[Item]:
    """The items of these branches, but not those that all branches have in common."""
    behind = [_behind(spec, value) for value in item.inputs]
    chosen = [indices for indices, wanted in zip(behind, which, strict=True) if wanted]
    alone = set().union(*chosen) - behind[0].intersection(*behind[1:])
    return [spec.items[index] for index in sorted(alone)]


def _culprits(items: list[Item], said: Callable[[Item], str]) -> list[Label]:
    """The layers of which something is said, each once."""
    labels = {each.origin.span: Label(each.origin.span, said(each)) for each in reversed(items)}
    return [label for label in reversed(labels.values()) if label.text][:MOST]


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


def _strided(item: Item) -> str:
    time = _time(item)
    return f"one item every {_nth(time.stride)}" if time.stride > 1 else ""


def _loses(item: Item) -> str:
    missing = shortens(_time(item))
    return f"loses {plural(missing, 'item')}" if missing > 0 else ""


def _adds(item: Item) -> str:
    missing = shortens(_time(item))
    return f"adds {plural(-missing, 'item')}" if missing < 0 else ""


def _time(item: Item) -> Time:
    time: Time = getattr(item.operation, "time", Time)()
    return time
