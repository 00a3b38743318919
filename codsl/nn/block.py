"""A block of layers as a module; a whole network is one."""

from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from codsl.graph.graph import Graph
from codsl.nn.layer import layer
from codsl.nn.module import CoModule, paddings, strides
from codsl.nn.program import Program


class Block(CoModule):
    """A graph with its modules, nested as the names were written.

    A named part has numbers and a stream of its own; one that reads values from outside itself
    raises `ValueError` when asked for them.
    """

    def __init__(self, owner: Graph, path: str) -> None:
        super().__init__()
        self._owner = owner
        self._path = path

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; one of the module's own is not mistaken for a part of that name.

        Raises `TypeError` for a part: the spec says what it is, and how it runs in a stream.
        """
        if isinstance(value, nn.Module):
            self._refuse(name)
        own = name in self.__dict__ or hasattr(type(self), name)
        if own and not isinstance(value, nn.Module | Tensor):
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def add_module(self, name: str, module: nn.Module | None) -> None:
        """Add a module that is no part; raises `TypeError` for one that is."""
        self._refuse(name)
        super().add_module(name, module)

    def _refuse(self, name: str) -> None:
        if name in self.__dict__.get("_modules", {}):
            raise TypeError(
                f"`{name}` is as the spec says and cannot be exchanged: load weights into it, or "
                "change the spec"
            )

    @cached_property
    def graph(self) -> Graph:
        """The graph of this block, relative to its own input."""
        return self._owner.block(self._path) if self._path else self._owner

    @cached_property
    def program(self) -> Program:
        """The graph with the modules below this one."""
        skip = len(self._path) + 1 if self._path else 0
        return Program(
            self.graph, [self.get_submodule(node.path[skip:]) for node in self.graph.nodes]
        )

    @property
    def stride(self) -> tuple[int, ...]:
        """Inputs per output, time first, then space."""
        return strides(self.graph)

    @property
    def padding(self) -> tuple[float, ...]:
        """Padding before the first input, time first, then space."""
        return paddings(self.graph)

    def forward(self, clip: Tensor) -> Tensor:
        """The outputs of a clip `(B, C, T, *S)` at once, as torch.nn computes them.

        Raises `ValueError` for a clip of another shape, or shorter than `graph.min_frames`.
        """
        self._check_clip(clip)
        return self.program.clip(clip)

    def get_submodule(self, target: str) -> nn.Module:
        """A part by its path; any word may be a name, also those that modules use themselves."""
        module: nn.Module = self
        for name in target.split(".") if target else ():
            found = module._modules.get(name)
            if found is None:
                raise AttributeError(f"`{self._path or 'the network'}` has no part `{target}`")
            module = found
        return module


def fill(root: Block, graph: Graph, device: torch.device | None, dtype: torch.dtype | None) -> None:
    """Give a block the modules of a graph, in the order written."""
    for node in graph.nodes:
        above, _, name = node.path.rpartition(".")
        made = layer(node, graph.frames[node.edges[0].source], device, dtype)
        _part(root, graph, above)._modules[name] = made
    for block in graph.blocks:
        _part(root, graph, block.path)


def _part(root: Block, graph: Graph, path: str) -> nn.Module:
    """The block of that path, made where it is not there yet."""
    place: nn.Module = root
    levels = path.split(".") if path else []
    for depth, level in enumerate(levels, 1):
        if level not in place._modules:
            place._modules[level] = Block(graph, ".".join(levels[:depth]))
        place = place._modules[level]  # type: ignore[assignment]
    return place
