"""A layer as a module: torch's own class, weights and names, with the ways of a stream."""

from functools import cache
from inspect import signature
from math import isinf
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time
from codsl.graph.node import Node
from codsl.layers.recipe import Pointwise, Recipe, normed_of
from codsl.layers.table import load_functions, table
from codsl.nn.counting import count_as
from codsl.nn.functions.operation import Operation, Settled
from codsl.nn.learned import holder, known
from codsl.nn.module import CoModule
from codsl.nn.running.streaming import Laying, check_clip, check_length
from codsl.nn.running.trace import Trace
from codsl.nn.running.ways import Run, clip, pointwise
from codsl.nn.weight_norm import WeightNorm, normalise


class Layer(Laying, abstract=True):
    """One operation on frames. Its concrete classes derive from a class of torch.nn too."""

    holder: ClassVar[Any]
    operation: Operation
    path: str

    @property
    def time(self) -> Time:
        """When its outputs see what, relative to its own input."""
        return self.operation.time()

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add itself to a graph."""
        return trace.layer(path or self.path, self, self.operation, values)

    def forward(self, x: Tensor, run: Run | None = None) -> Any:
        """The layer over a clip `(B, C, T, *S)`, as torch.nn computes it.

        A stream gives items, and says what to `run` on them.
        """
        if run is not None:
            return run(self, x)
        frame = self._read(x)
        check_length(x, self.operation.time().shortest, self.path or type(self).__name__)
        return clip(self, self.operation.recipe(frame), x)

    def _read(self, x: Tensor) -> Frame:
        """The frame of a clip; raises `ValueError` for a clip that does not fit."""
        if self._taken is not None:
            return self._taken[0]
        check_clip(x, "a clip")
        frame = Frame(x.shape[1], tuple(x.shape[3:]))
        self.operation.shape(frame)
        return frame

    def own_forward(self, x: Tensor, *more: Any) -> Any:
        """The forward of the torch class."""
        return self.holder.forward(self, x, *more)


class Join(CoModule):
    """A join of several values, item by item; its numbers are relative to them.

    It takes its values one by one or as a list; it remembers nothing.
    """

    receptive_field = IDENTITY.receptive_field

    def __init__(self, recipe: Pointwise, word: str, rank: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.word = word
        self.stride = (1,) * rank
        self.padding = (0,) * rank

    def forward(self, *inputs: Any) -> Any:
        """The join of clips of equal length."""
        given = inputs[0] if isinstance(inputs[0], list | tuple) else inputs
        return pointwise(self, self.recipe, *given)

    def forward_step(self, *frames: Any, update_state: bool = True) -> Any:
        """The join of frames."""
        return self.forward(*frames)

    def forward_steps(self, *chunks: Any, pad_end: bool = False, update_state: bool = True) -> Any:
        """The join of chunks of equal length."""
        return self.forward(*chunks)

    def get_state(self) -> None:
        """None: nothing is remembered."""

    def set_state(self, state: Any) -> None:
        """Nothing is remembered."""

    def clean_state(self) -> None:
        """Nothing is remembered."""

    def extra_repr(self) -> str:
        """The aggregation."""
        return self.word


@cache
def layer_class(name: str) -> type[Layer]:
    """The class of layers that are torch's `name`, or of the row of that name; it can be found
    under that name for pickling."""
    own = name in {row.__name__ for row in table().values()}
    held = nn.Module if own and not known(name) else holder(name)
    members = {"__module__": __name__, "__doc__": held.__doc__, "holder": held}
    made = type(name, (Layer, held), members)
    count_as(made, held)
    return made


@cache
def normed_class(name: str) -> type[Layer]:
    """The class of layers of that name whose weight is normalised."""
    return type(f"WeightNorm{name}", (WeightNorm, layer_class(name)), {"__module__": __name__})


def __getattr__(name: str) -> Any:
    inner = name.removeprefix("WeightNorm")
    return normed_class(inner) if inner != name else layer_class(name)


def layer(
    node: Node, x: Frame, device: torch.device | None, dtype: torch.dtype | None
) -> nn.Module:
    """The module of a node that reads frames `x`; weights are drawn as torch draws them.

    Raises `ValueError` where a function that was registered with its row cannot be imported.
    """
    recipe = node.recipe
    if isinstance(recipe, Pointwise) and len(node.edges) > 1:
        return Join(recipe, node.type, node.frame.rank)
    load_functions(node.type)
    module = create(layer_class(recipe.module), recipe, device, dtype)
    module.operation = Settled(node, x)
    module.path = node.path
    module._taken = (x,)
    axes = (node.edges[0].reach, *node.space)
    stride, padding = strides(axes), paddings(axes)
    module.__dict__.update(stride=stride, padding=padding)
    return module


def create(made: type[Layer], recipe: Recipe, device: Any, dtype: torch.dtype | None) -> Layer:
    """A layer of this class, with what the recipe's class holds; it still lacks its operation."""
    held: Any = holder(recipe.module)
    settings = {name: value for name, value in recipe.settings.items() if name != "dtype"}
    if _takes_dtype(held):
        settings |= {"device": device, "dtype": dtype}
    module = made.__new__(made)
    if issubclass(made, held):
        held.__init__(module, **settings)
    else:
        nn.Module.__init__(module)
        module.__dict__.update(held(**settings).__dict__, holder=held)
    match normed_of(recipe):
        case magnitude, direction:
            normalise(module, (magnitude, direction), normed_class(recipe.module))
    return module


@cache
def _takes_dtype(holder: Any) -> bool:
    """Whether a class of modules has weights of a dtype and on a device that are said."""
    return "dtype" in signature(holder).parameters or issubclass(holder, nn.RNNBase)


def strides(axes: tuple[Time, ...]) -> tuple[Any, ...]:
    """The stride in every dimension."""
    return tuple(axis.stride for axis in axes)


def paddings(axes: tuple[Time, ...]) -> tuple[Any, ...]:
    """The padding before the first input in every dimension; an endless past is none."""
    return tuple(0 if isinf(axis.past) else max(0, axis.past) for axis in axes)
