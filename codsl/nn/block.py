"""A block of layers as a module; a whole network is one."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from codsl.algebra.ports import Inlet
from codsl.algebra.time import Time
from codsl.graph.graph import Graph
from codsl.nn.layer import layer, paddings, strides
from codsl.nn.nest import Nest
from codsl.nn.running.laid import Laid
from codsl.nn.running.program import Program
from codsl.nn.running.state import State
from codsl.nn.running.streaming import Streaming
from codsl.nn.running.trace import Trace


class Block(Streaming):
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

    @property
    def time(self) -> Time:
        """The time of the first output."""
        return self.graph.time

    @property
    def times(self) -> tuple[Time, ...]:
        """The time of every output."""
        return tuple(self.graph.times[each.value] for each in self.graph.outputs)

    @property
    def stride(self) -> tuple[Any, ...]:
        """Inputs per output, time first, then space; of several outputs the most."""
        return (self.graph.stride, *strides(self.graph.space))

    @property
    def padding(self) -> tuple[Any, ...]:
        """Padding before the first input, time first, then space; of several outputs the most."""
        return (max(paddings(self.times)), *paddings(self.graph.space))

    def _laid_for(self, inputs: Any, what: str) -> tuple[Laid, list[Tensor]]:
        """Itself, and the clips in the order of its inputs; raises `ValueError` for others."""
        graph = self.graph
        xs = _by_name(graph, inputs, what)
        for inlet, x in zip(graph.inputs, xs, strict=True):
            _check_frame(inlet, x, what)
        return self._laid, xs

    def _settled(self) -> Laid:
        return self._laid

    def _bound(self, state: State) -> Laid:
        return self._laid

    @cached_property
    def _laid(self) -> Laid:
        graph = self._owner.block(self._path) if self._path else self._owner
        skip = len(self._path) + 1 if self._path else 0
        modules = [self.get_submodule(node.path[skip:]) for node in graph.nodes]
        outputs: Nest = 0
        if graph.outputs[0].name:
            outputs = {outlet.name: number for number, outlet in enumerate(graph.outputs)}
        return Laid(Program(graph, modules), outputs)

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add its nodes to a graph."""
        return trace.graft(path, self.program, values)

    def forward(self, clip: Any) -> Any:
        """The outputs of a clip `(B, C, T, *S)` at once, as torch.nn computes them.

        Raises `ValueError` for a clip of another shape, or shorter than `graph.min_frames`.
        """
        return self._run_clip(clip)

    def get_submodule(self, target: str) -> nn.Module:
        """A part by its path; any word may be a name, also those that modules use themselves."""
        module: nn.Module = self
        for name in target.split(".") if target else ():
            found = module._modules.get(name)
            if found is None:
                raise AttributeError(f"`{self._path or 'the network'}` has no part `{target}`")
            module = found
        return module


def _by_name(graph: Graph, inputs: Any, what: str) -> list[Tensor]:
    """The tensors for each input of a graph."""
    names = [inlet.name for inlet in graph.inputs]
    if not names[0]:
        if not isinstance(inputs, Tensor):
            raise TypeError(f"{what} is a tensor, not of type {type(inputs).__name__}")
        return [inputs]
    if not isinstance(inputs, Mapping) or set(inputs) != set(names):
        listed = ", ".join(f"`{name}`" for name in names)
        raise ValueError(f"{what} is a dict of tensors with the keys {listed}")
    return [inputs[name] for name in names]


def _check_frame(inlet: Inlet, x: Any, what: str) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"{what} is a tensor, not of type {type(x).__name__}")
    frame = inlet.frame
    if x.dim() != 2 + frame.rank or (x.shape[1], *x.shape[3:]) != frame.shape:
        one = what == "a frame"
        wanted = " x ".join(map(str, frame.shape)) if one else f"{frame}"
        got = (*x.shape[:2], *x.shape[3:]) if one else tuple(x.shape)
        which = f" of `{inlet.name}`" if inlet.name else ""
        raise ValueError(f"{what}{which} is B x {wanted}, got one of shape {got}")


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
