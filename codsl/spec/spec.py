"""The spec: layers in the order written, what flows into each, and the blocks that hold them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from codsl.algebra.ports import Inlet, Outlet
from codsl.algebra.shape import Frame
from codsl.layers.joining import Aggregation
from codsl.layers.row import Layer
from codsl.layers.still import Still
from codsl.source import Span
from codsl.spec.known import Known


@dataclass(frozen=True)
class Origin:
    """Where a layer was written: its word, its arguments, and the templates it came through.

    `roots` are where the values of arguments stand that are literal, here or under a name; `type`
    is its name in the table, `sourced` says that it names what it reads.
    """

    span: Span
    arguments: Mapping[str, Span] = field(default_factory=dict)
    uses: tuple[Span, ...] = ()
    roots: Mapping[str, Span] = field(default_factory=dict)
    type: str = ""
    sourced: bool = False


@dataclass(frozen=True)
class Item:
    """One layer or join. The first values are the network's inputs, the others what items give.

    `weights` are the shapes of its parameters, `labels` the words for its inputs.
    """

    path: str
    type: str
    operation: Layer | Still | Aggregation
    inputs: tuple[int, ...]
    frame: Frame
    origin: Origin
    weights: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    shrink: str | None = None


@dataclass(frozen=True)
class Block:
    """A named block: the items from `start` up to `stop`, from value `entry` to value `exit`."""

    path: str
    start: int
    stop: int
    entry: int
    exit: int


@dataclass(frozen=True)
class Spec:
    """A network as it was meant; `rate` is in frames per second, `dtype` what its layers state."""

    name: str
    inputs: tuple[Inlet, ...]
    rate: float | None
    items: tuple[Item, ...]
    blocks: tuple[Block, ...]
    outputs: tuple[Outlet, ...]
    origin: Span
    dtype: str | None = None
    knowns: tuple[Known, ...] = ()
