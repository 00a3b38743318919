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
from codsl.layers.recipe import Pointwise, normed_of
from codsl.nn import holders
from codsl.nn.operation import Operation, Settled
from codsl.nn.streaming import Laying
from codsl.nn.trace import Trace
from codsl.nn.ways import Run, clip, pointwise
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

    def extend(self, trace: Trace, path: str, values: Any) -> Any:
        """Add itself to a graph."""
        return trace.layer(path or self.path, self, self.operation, values)

    def forward(self, x: Tensor, run: Run | None = None) -> Any:
        """The layer over a clip `(B, C, T, *S)`, as torch.nn computes it.

        A stream gives items, and says what to `run` on them.
        """
        if run is not None:
            return run(self, x)
        recipe = self.operation.recipe(Frame(x.shape[1], tuple(x.shape[3:])))
        return clip(self, recipe, x)

    def own_forward(self, x: Tensor, *more: Any) -> Any:
        """The forward of the torch class."""
        return self.holder.forward(self, x, *more)


class Join(nn.Module):
    """A join of several values, item by item; its numbers are relative to them."""

    def __init__(self, recipe: Pointwise, word: str, rank: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.word = word
        self.receptive_field, self.delay = IDENTITY.receptive_field, IDENTITY.delay
        self.stride = (1,) * rank
        self.padding = (0,) * rank

    def forward(self, *inputs: Tensor) -> Tensor:
        """The join of clips of equal length."""
        return pointwise(self, self.recipe, *inputs)

    def extra_repr(self) -> str:
        """The aggregation."""
        return self.word


def holder(name: str) -> Any:
    """The class that holds the weights: codsl's own of that name, or torch's."""
    return getattr(holders, name, None) or getattr(nn, name, None)


@cache
def layer_class(name: str) -> type[Layer]:
    """The class of layers that are torch's `name`; it can be found under that name for pickling."""
    torch_class = holder(name)
    members = {"__module__": __name__, "__doc__": torch_class.__doc__, "holder": torch_class}
    return type(name, (Layer, torch_class), members)


@cache
def normed_class(name: str) -> type[Layer]:
    """The class of layers of that name whose weight is normalised."""
    return type(f"WeightNorm{name}", (WeightNorm, layer_class(name)), {"__module__": __name__})


def __getattr__(name: str) -> Any:
    inner = name.removeprefix("WeightNorm")
    if inner != name:
        return normed_class(inner)
    if isinstance(holder(name), type):
        return layer_class(name)
    raise AttributeError(name)


def layer(
    node: Node, x: Frame, device: torch.device | None, dtype: torch.dtype | None
) -> nn.Module:
    """The module of a node that reads frames `x`; weights are drawn as torch draws them."""
    recipe = node.recipe
    if isinstance(recipe, Pointwise) and len(node.edges) > 1:
        return Join(recipe, node.type, node.frame.rank)
    made = layer_class(recipe.module)
    settings = {name: value for name, value in recipe.settings.items() if name != "dtype"}
    if _takes_dtype(made.holder):
        settings |= {"device": device, "dtype": dtype}
    module = made(**settings)
    match normed_of(recipe):
        case magnitude, direction:
            normalise(module, (magnitude, direction), normed_class(recipe.module))
    module.operation = Settled(node, x)
    module.path = node.path
    module._taken = (x,)
    axes = (node.edges[0].reach, *node.space)
    stride, padding = strides(axes), paddings(axes)
    module.__dict__.update(stride=stride, padding=padding)
    return module


def _takes_dtype(holder: Any) -> bool:
    """Whether a class of modules has weights of a dtype and on a device that are said."""
    return "dtype" in signature(holder).parameters or issubclass(holder, nn.RNNBase)


def strides(axes: tuple[Time, ...]) -> tuple[Any, ...]:
    """The stride in every dimension."""
    return tuple(axis.stride for axis in axes)


def paddings(axes: tuple[Time, ...]) -> tuple[Any, ...]:
    """The padding before the first input in every dimension; an endless past is none."""
    return tuple(0 if isinf(axis.past) else max(0, axis.past) for axis in axes)
