"""In which order channels stand that were space: torch flattens `(C, *S)`, others `(*S, C)`."""

from collections.abc import Sequence
from math import prod
from typing import TypeAlias

from codsl.algebra.shape import Frame
from codsl.graph.graph import Graph
from codsl.graph.node import Node
from codsl.layers.activation import Elementwise, PReLU
from codsl.layers.convolution import Convolution
from codsl.layers.cropping import Crop
from codsl.layers.dropout import Dropping
from codsl.layers.elementwise import Function, WithConstant
from codsl.layers.frame_normalization import InstanceNorm, OverSizes
from codsl.layers.frames_of_time import Subsample
from codsl.layers.learned import Learned
from codsl.layers.normalization import BatchNorm
from codsl.layers.plain import Delay, Identity, Linear
from codsl.layers.pooling import Pool
from codsl.layers.recipe import Folded, Pointwise
from codsl.layers.recurrent import Recurrent
from codsl.layers.row import Layer
from codsl.layers.table import table
from codsl.layers.transposed import Transposed

Order: TypeAlias = tuple[int, ...] | None
"""The frame `(C, *S)` whose numbers in a row are the channels; empty where these are the layers'
own, None where nobody knows."""

KEEPING = (
    *(Elementwise, Dropping, Function, WithConstant, Learned, PReLU),
    *(Identity, Delay, Crop, Subsample, Pool),
)
NORMING = (BatchNorm, OverSizes, InstanceNorm)
"""Layers, and norms, that give every channel out of itself, or out of all alike."""
MIXING = (Linear, Convolution, Transposed, Recurrent)
"""Layers whose weights make channels of their own."""

JOINS = ("join_sum", "join_mul", "join_max", "join_mean")
FLATTENING = ("flatten_frames", "reshape_frames", "permute_frames")
"""What gives the numbers of a frame in a row, where it gives no space."""
MOVING = (*FLATTENING, "pixel_shuffle_frames", "pixel_unshuffle_frames")
"""What puts numbers where another framework may put others."""


def orders(graph: Graph) -> dict[str, Order]:
    """The order of the channels that each layer reads, by its path."""
    frames = [*(inlet.frame for inlet in graph.inputs), *(node.frame for node in graph.nodes)]
    given: list[Order] = [() for _ in graph.inputs]
    rows = table()
    found: dict[str, Order] = {}
    for node in graph.nodes:
        row = rows.get(node.type, Layer)
        sources = [edge.source for edge in node.edges]
        there = [given[source] for source in sources]
        seen = [frames[source] for source in sources]
        found[node.path] = _read(node, row, seen, there)
        given.append(_given(node, row, seen, there))
    return found


def _read(node: Node, row: type[Layer], frames: Sequence[Frame], there: Sequence[Order]) -> Order:
    """What the weights of a layer read: along space, channels stand by themselves."""
    whole = any(shape == frames[0].shape for shape in node.weights.values()) if frames else False
    if not there or (frames[0].space and not whole):
        return ()
    known = issubclass(row, (*KEEPING, *NORMING, *MIXING))
    return there[0] if known or not there[0] else None


def _given(node: Node, row: type[Layer], frames: Sequence[Frame], there: Sequence[Order]) -> Order:
    call = _call(node)
    if call in FLATTENING and not node.frame.space:
        return _flattened(frames[0], there[0])
    if issubclass(row, MIXING):
        return ()
    if call in MOVING:
        return None
    if not any(order != () for order in there):
        return ()
    keeps = issubclass(row, (*KEEPING, *NORMING)) or call in JOINS
    alike = len(set(there)) == 1 and all(frame == node.frame for frame in frames)
    return there[0] if keeps and alike else None


def _flattened(frame: Frame, order: Order) -> Order:
    if frame.positions == 1:
        return order
    if order != ():
        return None
    return frame.shape if frame.channels > 1 else ()


def _call(node: Node) -> str:
    """The function that a layer calls, if it does."""
    recipe = node.recipe.inner if isinstance(node.recipe, Folded) else node.recipe
    return recipe.call.function if isinstance(recipe, Pointwise) and recipe.call else ""


def fills(order: Order, channels: int) -> bool:
    """Whether an order is known of so many channels."""
    return order is not None and (not order or prod(order) == channels)
