"""A network whose images have channels in a multiple of some number, and which gives the same.

What is added are channels that nobody reads: the weights are zero by which a convolution makes
them, and those by which one takes them.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from codsl.engine.bare import bare
from codsl.engine.kernels import NOTHING, convolution_of, kept_of
from codsl.engine.numbers import ELEMENTWISE
from codsl.graph.node import Node
from codsl.layers.recipe import Call, Folded, Pointwise, Windowed, normed_of
from codsl.nn.running.program import Program

ALIKE = frozenset({"join_sum", "join_mul", "join_max", "join_mean"})
"""Joins whose channels are those of each that they join."""


def widened(program: Program, multiple: int) -> Program:
    """A program with the inner images of another in a multiple of channels; itself where they are.

    Nodes, times and feeds are the same. Modules that change are copied.
    """
    widths = _Widths(program, multiple).found()
    if not widths:
        return program
    graph = program.graph
    nodes, modules = list(graph.nodes), list(program.modules)
    for index in sorted(graph.live):
        node, width = nodes[index], widths.get(graph.base + index)
        sources = {edge.source for edge in node.edges}
        if width is None and sources.isdisjoint(widths):
            continue
        taken = next((widths[source] for source in sources if source in widths), None)
        modules[index] = _module(node, modules[index], taken, width)
        nodes[index] = _node(node, taken, width)
    return Program(replace(graph, nodes=tuple(nodes)), modules)


class _Widths:
    """How wide the values become that can be widened."""

    def __init__(self, program: Program, multiple: int) -> None:
        self._graph = program.graph
        self._modules = program.modules
        self._multiple = multiple
        self._values: dict[int, int] = {}

    def found(self) -> Mapping[int, int]:
        """The new channels of each; they can only be widened together."""
        graph = self._graph
        shown = {outlet.value for outlet in graph.outputs}
        for index in graph.live:
            frame, value = graph.nodes[index].frame, graph.base + index
            odd = frame.channels % self._multiple and frame.channels > self._multiple
            if odd and len(frame.space) == 2 and value not in shown:
                self._values[value] = frame.channels + -frame.channels % self._multiple
        while lost := set(self._stuck()):
            for value in lost:
                del self._values[value]
        return self._values

    def _stuck(self) -> Iterator[int]:
        """Values that cannot be wider while the others are as they are."""
        for index in self._graph.live:
            node, module = self._graph.nodes[index], self._modules[index]
            value = self._graph.base + index
            sources = {edge.source for edge in node.edges}
            if _remakes(node, module):
                continue
            if value in self._values and not (
                sources <= set(self._values) and _hands_on(node, module)
            ):
                yield value
            if value not in self._values:
                yield from sources & set(self._values)


def _remakes(node: Node, module: nn.Module) -> bool:
    """Whether a node makes channels of all that it gets."""
    call = _convolves(node, module)
    return call is not None and call.arguments["groups"] == 1


def _hands_on(node: Node, module: Any) -> bool:
    """Whether each channel of a node is made of the same one of all that it reads."""
    call = _convolves(node, module)
    if call is not None:
        outs, ins, *_ = module.weight.shape
        return bool(ins == 1 and outs == call.arguments["groups"])
    if not bare(module):
        return False
    if isinstance(node.recipe, Windowed):
        return kept_of(node.recipe, node.frame) is not None
    recipe = node.recipe.inner if isinstance(node.recipe, Folded) else node.recipe
    if not isinstance(recipe, Pointwise):
        return False
    if recipe.call is not None:
        return recipe.call.function in ALIKE
    if isinstance(module, _BatchNorm):
        return module.running_mean is not None
    return recipe.module in NOTHING | ELEMENTWISE.keys() and not module._parameters


def _convolves(node: Node, module: nn.Module) -> Call | None:
    """The call of a convolution whose weight can be changed."""
    plain = bare(module) and not normed_of(node.recipe)
    return convolution_of(node.recipe) if plain and "weight" in module._parameters else None


def _node(node: Node, taken: int | None, width: int | None) -> Node:
    """A node as it reads and gives so many channels."""
    frame = node.frame if width is None else replace(node.frame, channels=width)
    recipe = node.recipe
    if isinstance(recipe, Windowed):
        keeps = recipe.keeps
        if keeps is not None and taken is not None:
            keeps = replace(keeps, channels=taken)
        recipe = replace(recipe, keeps=keeps, window=_grouped(recipe.window, width))
    elif isinstance(recipe, Folded) and isinstance(recipe.inner, Pointwise) and recipe.inner.call:
        recipe = replace(
            recipe, inner=replace(recipe.inner, call=_grouped(recipe.inner.call, width))
        )
    return replace(node, frame=frame, recipe=recipe)


def _grouped(call: Call, groups: int | None) -> Call:
    """A convolution of each channel by itself, of so many."""
    if call.arguments.get("groups", 1) == 1 or groups is None:
        return call
    return replace(call, arguments={**call.arguments, "groups": groups})


def _module(node: Node, module: nn.Module, taken: int | None, width: int | None) -> Any:
    """A module with weights for so many channels."""
    made: Any = deepcopy(module)
    remakes = _remakes(node, module)
    for held in (made._parameters, made._buffers):
        for name, tensor in held.items():
            if tensor is not None and tensor.dim():
                ins = taken if remakes and tensor.dim() > 1 else None
                fill = 1.0 if name == "running_var" else 0.0
                wide = _padded(tensor.detach(), width, ins, fill)
                held[name] = nn.Parameter(wide, False) if held is made._parameters else wide
    return made


def _padded(x: Tensor, outs: int | None, ins: int | None, fill: float) -> Tensor:
    """A tensor `(out, in, ...)` with more of the first and of the second dimension."""
    for dim, size in ((0, outs), (1, ins)):
        if size is not None:
            more = (*x.shape[:dim], size - x.shape[dim], *x.shape[dim + 1 :])
            x = torch.cat([x, x.new_full(more, fill)], dim)
    return x
