"""What a layer does to channels: makes its own, keeps them, or puts numbers elsewhere."""

from typing import TypeAlias

from codsl.algebra.shape import Frame
from codsl.graph.node import Node
from codsl.layers.activation import Elementwise, PReLU
from codsl.layers.convolution import Convolution
from codsl.layers.cropping import Crop
from codsl.layers.dropout import Dropping
from codsl.layers.elementwise import Function, WithConstant
from codsl.layers.embedding import Embedding
from codsl.layers.frame_normalization import InstanceNorm, OverSizes
from codsl.layers.frames_of_time import Subsample
from codsl.layers.learned import Learned
from codsl.layers.normalization import BatchNorm
from codsl.layers.plain import Delay, Identity, Linear
from codsl.layers.pooling import Pool
from codsl.layers.recipe import Call, Folded, Pointwise
from codsl.layers.recurrent import Recurrent
from codsl.layers.row import Layer
from codsl.layers.table import table
from codsl.layers.transposed import Transposed

Order: TypeAlias = tuple[int, ...] | None
"""The sizes `(C, P)` of what channels in a row are, of channels at so many places; empty where they
are the layers' own, None where nobody knows."""

ALIKE = (Elementwise, Dropping, Function, WithConstant, Identity, Delay, Subsample)
"""Layers to which all numbers of a frame are alike."""
KEEPING = (*ALIKE, Learned, PReLU, Crop, Pool)
NORMING = (BatchNorm, OverSizes, InstanceNorm)
"""Layers, and norms, that give every channel out of itself, or out of all alike."""
MIXING = (Linear, Convolution, Transposed, Recurrent, Embedding)
"""Layers whose weights make channels of their own."""
COUNTING = (*MIXING, BatchNorm, InstanceNorm, PReLU)
"""Layers with weights of each channel, whatever the space."""

JOINS = ("join_sum", "join_mul", "join_max", "join_mean")
RESHAPING = ("flatten_frames", "reshape_frames")
"""What leaves the numbers of a frame in their order, in other sizes."""


def row_of(node: Node) -> type[Layer]:
    """The class of a node's layer; of a join, that of all."""
    return table().get(node.type, Layer)


def call_of(node: Node) -> Call:
    """What a layer calls, if it does."""
    recipe = node.recipe.inner if isinstance(node.recipe, Folded) else node.recipe
    return (isinstance(recipe, Pointwise) and recipe.call) or Call("")


def in_a_row(channels: int, places: int) -> Order:
    """The order of channels at places, of which one alone changes nothing."""
    return (channels, places) if channels > 1 and places > 1 else ()


def shuffled(call: Call, x: Frame, y: Frame) -> Order:
    """The order of the channels that become space in `pixel_shuffle`, or come of it in
    `pixel_unshuffle`, where TensorFlow's `depth_to_space` has the places first."""
    few = min(x.channels, y.channels)
    return in_a_row(few, max(x.channels, y.channels) // few)


def same_axes(x: Frame, y: Frame) -> bool:
    """Whether two frames differ in sizes of one only."""
    return [size for size in x.shape if size > 1] == [size for size in y.shape if size > 1]
