"""Modules of torch.nn that look at single frames, with the ways of a stream around them."""

import copy
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time
from codsl.nn.functions.operation import FrameByFrame
from codsl.nn.joint import probe
from codsl.nn.measured import macs_of
from codsl.nn.running.streaming import Laying
from codsl.nn.running.trace import Trace


class Around(Laying, abstract=True):
    """A module of any class, its parameters and keys, with a stream around it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        twin = _beside(module)
        self._parameters, self._buffers, self._modules = (
            twin._parameters,
            twin._buffers,
            twin._modules,
        )
        self.training = module.training
        self.__dict__["_twin"] = twin

    _twin: Any

    @property
    def time(self) -> Time:
        """When its outputs see what: frame by frame."""
        return IDENTITY

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The module's own forward."""
        twin = self._twin
        twin.training = self.training
        return twin(*args, **kwargs)

    def own_forward(self, x: Tensor) -> Tensor:
        """The module over items."""
        return self.forward(x)  # type: ignore[no-any-return]

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add itself to a graph; raises `ValueError` where the module mixes frames of time."""
        sizes = {name: tuple(each.shape) for name, each in self._twin.named_parameters()}
        return trace.layer(path, self, FrameByFrame(self._made, sizes, self._work), values)

    def _made(self, x: Frame) -> Frame:
        tried = self._tried()
        return probe(lambda xs: tried(xs[0]), [x], type(self._twin).__name__)

    def _work(self, x: Frame, y: Frame) -> Fraction:
        tried = self._tried()
        return macs_of(lambda xs: tried(xs[0]), [x])

    def _tried(self) -> Any:
        return copy.deepcopy(self._twin).eval().to("cpu", torch.float32)

    def __repr__(self) -> str:
        return repr(self._twin)


def _beside(module: nn.Module) -> nn.Module:
    """A module with the tensors of `module`, whose parts have a mode of their own."""
    twin: nn.Module = object.__new__(type(module))
    twin.__dict__.update(module.__dict__)
    parts = {id(each): _beside(each) for each in module.children()}
    twin._modules = {
        name: each if each is None else parts[id(each)] for name, each in module._modules.items()
    }
    return twin


class Tried(Around):
    """A module that is tried on the first clip or frame: it looks at single frames only, or is
    refused."""


class ForwardStepping(Around):
    """A module that is said to look at single frames only."""

    def __init__(self, module: nn.Module, dim: int = 2) -> None:
        super().__init__(module)
        self.dim = dim

    def forward_step(self, frame: Tensor, update_state: bool = True) -> Any:
        """The module over one frame, whose time is put in at `dim`."""
        return self.forward(frame.unsqueeze(self.dim)).squeeze(self.dim)

    def forward_steps(self, chunk: Any, pad_end: bool = False, update_state: bool = True) -> Any:
        """The module over the frames of a chunk; None where it is empty."""
        return self.forward(chunk) if chunk.shape[self.dim] else None


def forward_stepping(module: nn.Module, dim: int = 2) -> ForwardStepping:
    """A new module that shares parameters with `module` and runs on streams too.

    `module` looks at single frames only: at any position of dimension `dim`, time, its output
    depends on that position alone. In a container that is tried before it is believed.
    """
    return ForwardStepping(module, dim)
