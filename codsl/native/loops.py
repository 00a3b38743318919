"""Loops in C++ over the numbers of a view: each computed of others, or summed up."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan

import torch

from codsl.native.values import Expression, Scalar, Sizes, Unsupported, View

TYPES = {
    torch.float32: "float",
    torch.float64: "double",
    torch.int64: "int64_t",
    torch.int32: "int32_t",
    torch.bool: "bool",
}


TARGET = "@target@"
"""Where a line has the place of the target."""


def type_of(dtype: torch.dtype) -> str:
    """The type of C++ for numbers of a dtype; raises `Unsupported` for others."""
    if dtype not in TYPES:
        raise Unsupported(f"numbers of {dtype}")
    return TYPES[dtype]


def literal(number: float, dtype: torch.dtype) -> str:
    """A number in C++."""
    if dtype == torch.bool:
        return "true" if number else "false"
    if not dtype.is_floating_point:
        return f"{int(number)}"
    kind = TYPES[dtype]
    if isnan(number) or abs(number) == inf:
        what = "quiet_NaN" if isnan(number) else "infinity"
        return f"{'-' if number == -inf else ''}std::numeric_limits<{kind}>::{what}()"
    return f"{kind}({float(number)!r})"


@dataclass(frozen=True)
class Level:
    """A loop: how often, and how far each view goes on with it."""

    count: int
    steps: tuple[int, ...]


def levels(sizes: Sizes, views: Sequence[View], order: Sequence[int]) -> list[Level]:
    """The loops over all places, the outermost first; those that are one for all views are one."""
    found: list[Level] = []
    for dim in order:
        here = Level(sizes[dim], tuple(view.strides[dim] for view in views))
        if here.count == 1:
            continue
        outer = found[-1] if found else None
        if outer and outer.steps == tuple(step * here.count for step in here.steps):
            found[-1] = Level(outer.count * here.count, here.steps)
        else:
            found.append(here)
    return found


@dataclass(frozen=True, eq=False)
class Formula:
    """An expression as lines of C++ that compute `result` at a place of each of `views`."""

    views: tuple[View, ...]
    lines: tuple[str, ...]
    result: str


class _Writing:
    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self.views: list[View] = []
        self.lines: list[str] = []
        self._names: dict[int, str] = {}

    def name(self, value: object) -> str:
        """What a value is called, once its lines are there."""
        if isinstance(value, Scalar):
            return literal(value.number, value.dtype)
        if id(value) not in self._names:
            self._names[id(value)] = self._named(value)
        return self._names[id(value)]

    def _named(self, value: object) -> str:
        if isinstance(value, View):
            self.views.append(value.expanded(self._sizes))
            return self._line(value.dtype, f"@{len(self.views) - 1}@")
        if not isinstance(value, Expression):
            raise Unsupported(f"a {type(value).__name__} in a formula")
        operands = [self.name(each) for each in value.operands]
        return self._line(value.dtype, value.text.format(*operands))

    def _line(self, dtype: torch.dtype, text: str) -> str:
        name = f"t{len(self.lines)}"
        self.lines.append(f"const {type_of(dtype)} {name} = {text};")
        return name


def formula(value: View | Expression, sizes: Sizes) -> Formula:
    """A value as lines, for places of these sizes."""
    writing = _Writing(sizes)
    result = writing.name(value)
    return Formula(tuple(writing.views), tuple(writing.lines), result)


def filling(target: View, value: View | Expression) -> str:
    """Every number of a view computed."""
    made = formula(value, target.sizes)
    views = (target, *made.views)
    nest = levels(target.sizes, views, target.order)
    body = [*made.lines, f"{TARGET} = {made.result};"]
    return "\n".join(_nested(nest, [_placed(line, views, nest) for line in body]))


def following(target: View, value: View | Expression, channel: int) -> str | None:
    """The same for places from `first` up to `stop`, all channels of each; None where places do
    not follow each other alike in all that is read."""
    made = formula(value, target.sizes)
    views = (target, *made.views)
    others = [dim for dim in target.order if dim != channel]
    outer = levels(target.sizes, views, others)
    inner = levels(target.sizes, views, [channel])
    if len(outer) > 1 or not outer:
        return None
    nest = [*outer, *inner]
    body = [*made.lines, f"{TARGET} = {made.result};"]
    placed = [_placed(line, views, nest) for line in body]
    inside = _nested(inner, placed, 1) if inner else placed
    return "\n".join(["for (long i0 = first; i0 < stop; ++i0) {", *inside, "}"])


def reducing(target: View, value: View | Expression, start: str, gather: str) -> str:
    """Numbers gathered over some dimensions, which are of one in `target`: `start` is what there
    is before any, `gather` C++ of what there is, `{0}`, and of one more, `{1}`."""
    sizes = value.sizes
    made = formula(value, sizes)
    views = (target.expanded(sizes), *made.views)
    leading = max(made.views, key=lambda view: sum(map(bool, view.strides)), default=target)
    nest = levels(sizes, views, leading.order)
    first = levels(target.sizes, [target], target.order)
    begin = _nested(first, [_placed(f"{TARGET} = {start};", [target], first)])
    kind = type_of(target.dtype)
    if nest and not nest[-1].steps[0]:
        inner = nest[-1]
        more = [*made.lines, f"sum = {gather.format('sum', made.result)};"]
        loop = _nested([inner], [_placed(x, views, nest) for x in more], len(nest) - 1)
        there = _placed(TARGET, views, nest)
        body = [f"{kind} sum = {there};", *loop, f"{there} = sum;"]
        return "\n".join([*begin, *_nested(nest[:-1], body, plain=False)])
    into = TARGET
    body = [*made.lines, f"{into} = {gather.format(into, made.result)};"]
    return "\n".join([*begin, *_nested(nest, [_placed(line, views, nest) for line in body])])


def _placed(line: str, views: Sequence[View], nest: Sequence[Level]) -> str:
    """A line with the places of views put in: the target first, then those that are read."""
    line = line.replace(TARGET, place(views[0], 0, nest))
    for number, view in enumerate(views[1:]):
        line = line.replace(f"@{number}@", place(view, number + 1, nest))
    return line


def place(view: View, number: int, nest: Sequence[Level]) -> str:
    """Where a view is read or written in loops."""
    terms = [str(view.offset)] if view.offset else []
    for level, each in enumerate(nest):
        step = each.steps[number]
        if step:
            terms.append(f"i{level}" if step == 1 else f"i{level} * {step}")
    return f"{view.buffer.name}[{' + '.join(terms) or '0'}]"


def _nested(
    nest: Sequence[Level], body: Sequence[str], first: int = 0, plain: bool = True
) -> list[str]:
    """Lines within loops; of the innermost, with `plain`, no turn depends on another."""
    lines: list[str] = []
    for level, each in enumerate(nest, first):
        if plain and level == first + len(nest) - 1:
            lines.append("#pragma GCC ivdep")
        lines.append(f"for (long i{level} = 0; i{level} < {each.count}; ++i{level}) {{")
    return [*lines, *(body if nest else ["{", *body, "}"]), *["}"] * len(nest)]
