"""A module or another one, as a predicate says."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn

from codsl.algebra.time import IDENTITY, Time, lost
from codsl.graph.node import Edge
from codsl.layers.cropping import Crop
from codsl.layers.frames_of_time import Subsample
from codsl.layers.recipe import OWN
from codsl.nn.classes import hand_class
from codsl.nn.closures import written
from codsl.nn.convert import adopt
from codsl.nn.joint import beside
from codsl.nn.running.streaming import Laying
from codsl.nn.running.timed import Composed
from codsl.nn.running.trace import Trace


class Conditional(Composed, Laying):
    """`on_true` where the predicate holds, else `on_false`, or the input where there is none.

    Both see every frame, so that the stream stays exact where the answer changes. They give as many
    outputs of a clip, at one rate; what they look at may differ.

    Args:
        predicate: gets this module and a frame of one stream, `(1, C, 1, *S)`, for each output:
            every `stride`-th where the sides have one. Rows of a batch and frames of a clip are
            asked about one by one, so that each has the answer that it has in a stream of its own.
        on_true: the module where it holds.
        on_false: the module where it does not; None passes the input.
    """

    adopts = staticmethod(adopt)

    def __init__(
        self,
        predicate: Callable[[Any, Tensor], bool],
        on_true: nn.Module,
        on_false: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if not callable(predicate):
            raise TypeError("a predicate is a function of the module and its input")
        self.predicate = predicate
        self.add_module("0", on_true)
        if on_false is not None:
            self.add_module("1", on_false)

    def forward(self, input: Tensor) -> Any:
        """The outputs of a clip `(B, C, T, *S)` at once."""
        return self._run_clip(input)

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add both modules to a graph, and the choice between them."""
        level = f"{path}." if path else ""
        sides: list[tuple[str, Any]] = list(self._modules.items())
        ends = [module.lay(trace, f"{level}{name}", values) for name, module in sides]
        ends = ends if len(ends) > 1 else [*ends, values]
        frames = {trace.frames[end] for end in ends}
        if len(frames) > 1:
            listed = ", ".join(map(str, frames))
            raise ValueError(f"both sides of a Conditional give the same frames, got {listed}")
        _check_alike(path or "Conditional", *(trace.times[end] for end in ends))
        seen = _every(trace, path, ends[0], values)
        edges = [*beside(ends), _newest(trace, ends[0], seen)]
        return trace.join(path, _Choice(self), OWN, edges, frames.pop(), "Conditional")

    def extra_repr(self) -> str:
        """The predicate."""
        return f"predicate={written(self.predicate)}"


def _check_alike(path: str, yes: Time, no: Time) -> None:
    """Raise `ValueError` where the sides differ in how many outputs a clip has."""
    if yes.stride != no.stride:
        raise ValueError(
            f"`{path}`: a stream has one rate, and the sides have different strides over time: "
            f"{yes.stride} and {no.stride}"
        )
    if lost(yes, no) or lost(no, yes):
        raise ValueError(
            f"`{path}`: what meets here differs in length: clips of some lengths have more outputs "
            "of one side than of the other"
        )


def _every(trace: Trace, path: str, end: int, value: int) -> int:
    """The input at the rate of the sides: of each output the frame that it begins with."""
    stride = Fraction(trace.times[end].stride) / Fraction(trace.times[value].stride)
    if stride == 1:
        return value
    if stride.denominator > 1:
        raise ValueError(
            f"`{path or 'Conditional'}`: the predicate sees a frame for every output; sides with a "
            f"stride of {stride} over time have more outputs than frames"
        )
    made: Any = hand_class(Subsample)(int(stride))
    return trace.layer(f"{path}.seen" if path else "seen", made, made.operation, value)


def _newest(trace: Trace, end: int, value: int) -> Edge:
    """What the predicate sees: where the sides lose frames, the last ones of the input."""
    fewer = lost(trace.times[value], trace.times[end])
    if fewer < 0:
        raise ValueError(
            "both sides of a Conditional may have more outputs than there are frames for the "
            "predicate: pad them less"
        )
    return Edge(value, Crop(fewer).time() if fewer else IDENTITY)


class _Choice(nn.Module):
    """The choice as a node of a graph; what it chooses for is no part of it."""

    _owner: Any

    def __init__(self, owner: Conditional) -> None:
        super().__init__()
        self.__dict__["_owner"] = owner

    def forward(self, yes: Tensor, no: Tensor, x: Tensor) -> Tensor:
        """One of two values, for each frame of each row."""
        rows, frames = x.shape[0], x.shape[2]
        each = product(range(rows), range(frames))
        holds = [self._holds(x[row : row + 1, :, at : at + 1]) for row, at in each]
        if all(holds) or not any(holds):
            return yes if all(holds) else no
        size = (rows, 1, frames, *(1,) * (x.dim() - 3))
        return torch.where(torch.tensor(holds, device=x.device).reshape(size), yes, no)

    def _holds(self, frame: Tensor) -> bool:
        holds = self._owner.predicate(self._owner, frame)
        if isinstance(holds, Tensor) and holds.numel() != 1:
            raise ValueError(
                f"`{written(self._owner.predicate)}` says True or False of a frame, but gives "
                f"{tuple(holds.shape)} numbers"
            )
        return bool(holds)
