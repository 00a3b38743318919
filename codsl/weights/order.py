"""In which order channels stand that were space or become it: in a row torch has `(C, *S)`, others
`(*S, C)`."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from codsl.algebra.shape import Frame
from codsl.graph.graph import Graph
from codsl.graph.node import Node
from codsl.weights.channels import (
    COUNTING,
    JOINS,
    KEEPING,
    MIXING,
    NORMING,
    RESHAPING,
    Order,
    call_of,
    in_a_row,
    row_of,
    same_axes,
    shuffled,
)
from codsl.weights.demands import Demands, demands


@dataclass(frozen=True)
class Orders:
    """Those of the channels that a layer reads, and of those that its weights make."""

    read: Order = ()
    made: Order = ()


@dataclass(frozen=True)
class _Value:
    """The frames of a value and the order of their channels; `turned` where its space was
    permuted, so that nobody knows in which order others flatten it; `was` is the value whose
    numbers it has, or what became of each, in other sizes."""

    frame: Frame
    order: Order = ()
    turned: bool = False
    was: "_Value | None" = None


def orders(graph: Graph) -> dict[str, Orders]:
    """The orders of the channels of each layer, by its path."""
    asked = demands(graph)
    values = [_Value(inlet.frame, _chosen(asked[at])) for at, inlet in enumerate(graph.inputs)]
    found: dict[str, Orders] = {}
    for node in graph.nodes:
        there = [values[edge.source] for edge in node.edges]
        made = _chosen(asked[len(values)]) if issubclass(row_of(node), MIXING) else ()
        found[node.path] = Orders(_read(node, there), made)
        values.append(_value(node, there, made))
    return found


def _chosen(asked: Demands) -> Order:
    """The order of channels that a layer makes, or that the network is given."""
    return next(iter(asked)) if len(asked) == 1 else ()


def _read(node: Node, there: Sequence[_Value]) -> Order:
    """The order of what the weights of a layer read."""
    if not there:
        return ()
    row, x, order = row_of(node), there[0].frame, there[0].order
    whole = any(shape == x.shape for shape in node.weights.values())
    if x.space and (whole or not issubclass(row, COUNTING)):
        return None if order != () or (whole and there[0].turned) else ()
    known = issubclass(row, (*KEEPING, *NORMING, *MIXING))
    return order if known or not order else None


def _value(node: Node, there: Sequence[_Value], made: Order) -> _Value:
    row, call = row_of(node), call_of(node)
    if issubclass(row, MIXING):
        return _Value(node.frame, made)
    before = there[0] if len(there) == 1 else _Value(node.frame)
    was = before.was if issubclass(row, (*KEEPING, *NORMING)) else None
    if call.function in RESHAPING:
        was = before.was or before
        if was.frame == node.frame:
            return was
    turned = call.function == "permute_frames" or any(each.turned for each in there)
    return _Value(node.frame, _given(node, there), turned and node.frame.positions > 1, was)


def _given(node: Node, there: Sequence[_Value]) -> Order:
    row, call, y = row_of(node), call_of(node), node.frame
    if call.function in RESHAPING:
        return _reshaped(there[0], y)
    if call.function == "pixel_shuffle_frames":
        return () if there[0].order == shuffled(call, there[0].frame, y) else None
    if call.function == "pixel_unshuffle_frames":
        return shuffled(call, there[0].frame, y) if there[0].order == () else None
    if all(each.order == () for each in there):
        return ()
    keeps = issubclass(row, (*KEEPING, *NORMING)) or call.function in JOINS
    own = {(each.order, each.frame.channels) for each in there}
    return there[0].order if keeps and own == {(there[0].order, y.channels)} else None


def _reshaped(x: _Value, y: Frame) -> Order:
    """The order of the channels of a frame whose numbers are those of another."""
    if x.frame.channels == y.channels or x.order is None:
        return x.order
    if x.order == () and same_axes(x.frame, y):
        return ()
    row: Order = x.order
    if x.frame.positions > 1:
        row = in_a_row(x.frame.channels, x.frame.positions)
        if x.order or (row and x.turned):
            return None
    wanted = in_a_row(y.channels, y.positions)
    return row if y.positions == 1 else () if row == wanted else None


def fills(order: Order, channels: int) -> bool:
    """Whether an order is known of so many channels."""
    return order is not None and (not order or prod(order) == channels)
