"""A layer as a module: torch's own class, weights and names, with the ways of a stream."""

from dataclasses import replace
from functools import cache, cached_property
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY
from codsl.graph.graph import Graph, times_of
from codsl.graph.node import Edge, Node
from codsl.layers.recipe import Call, Pointwise
from codsl.nn.learned import holder
from codsl.nn.module import CoModule, paddings, strides
from codsl.nn.program import Program
from codsl.nn.windows import call, pointwise, whole


class Layer(CoModule):
    """One node of a graph. Its concrete classes derive from a class of torch.nn too."""

    node: Node
    input: Frame

    @cached_property
    def graph(self) -> Graph:
        """The graph of this layer alone."""
        (edge,) = self.node.edges
        nodes = (replace(self.node, edges=(Edge(0, edge.reach),)),)
        return Graph(self.node.path, self.input, None, nodes, (), 1, None, times_of(nodes))

    @cached_property
    def program(self) -> Program:
        """The graph of this layer alone, with itself."""
        return Program(self.graph, (self,))

    def forward(self, x: Tensor, what: Call | None = None) -> Tensor:
        """The layer over a clip `(B, C, T, *S)`, as torch.nn computes it.

        A stream gives the padded items of some windows, and `what` of the recipe is to be called.
        """
        recipe = self.node.recipe
        if what is not None:
            return call(self, recipe, what, x)
        if isinstance(recipe, Pointwise):
            return pointwise(self, recipe, x)
        return whole(self, recipe, x)

    def own_forward(self, x: Tensor) -> Tensor:
        """The forward of the torch class."""
        return super().forward(x)  # type: ignore[no-any-return]


class Join(nn.Module):
    """A join of several values, item by item; its numbers are relative to them."""

    def __init__(self, recipe: Pointwise, node: Node) -> None:
        super().__init__()
        self.recipe = recipe
        self.word = node.type
        self.receptive_field, self.delay = IDENTITY.receptive_field, IDENTITY.delay
        self.stride = (1,) * node.frame.rank
        self.padding = (0,) * node.frame.rank

    def forward(self, *inputs: Tensor) -> Tensor:
        """The join of clips of equal length."""
        return pointwise(self, self.recipe, *inputs)

    def extra_repr(self) -> str:
        """The aggregation."""
        return self.word


@cache
def layer_class(name: str) -> type[Layer]:
    """The class of layers that are torch's `name`; it can be found under that name for pickling."""
    held = holder(name)
    return type(name, (Layer, held), {"__module__": __name__, "__doc__": held.__doc__})


def __getattr__(name: str) -> Any:
    return layer_class(name)


def layer(
    node: Node, x: Frame, device: torch.device | None, dtype: torch.dtype | None
) -> nn.Module:
    """The module of a node that reads frames `x`; weights are drawn as torch draws them."""
    recipe = node.recipe
    if isinstance(recipe, Pointwise) and len(node.edges) > 1:
        return Join(recipe, node)
    made = layer_class(recipe.module)
    settings = {name: value for name, value in recipe.settings.items() if name != "dtype"}
    if "dtype" in signature(holder(recipe.module)).parameters:
        settings |= {"device": device, "dtype": dtype}
    module = made(**settings)
    module.node = node
    module.input = x
    module.__dict__.update(stride=strides(module.graph), padding=paddings(module.graph))
    return module
