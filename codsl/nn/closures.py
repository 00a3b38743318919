"""Functions as modules: what they do to one frame does not depend on others."""

import linecache
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from inspect import getsource
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time
from codsl.nn.convert import makes
from codsl.nn.functions.operation import FrameByFrame
from codsl.nn.joint import probe
from codsl.nn.measured import macs_of
from codsl.nn.running.streaming import Laying
from codsl.nn.running.trace import Trace

Function = Callable[[Tensor], Tensor]


class Lambda(Laying):
    """A function of frames as a module; it is checked once to look at single frames only.

    Args:
        fn: gets a frame `(B, C, *S)`, or a clip where it `takes_time`.
        forward_only_fn: instead of `fn` in `forward`; gets a clip.
        forward_step_only_fn: instead of `fn` in `forward_step`; gets a frame.
        forward_steps_only_fn: instead of `fn` in `forward_steps`; gets a clip.
        takes_time: whether `fn` gets all frames at once, `(B, C, T, *S)`.
    """

    def __init__(
        self,
        fn: Function | None = None,
        forward_only_fn: Function | None = None,
        forward_step_only_fn: Function | None = None,
        forward_steps_only_fn: Function | None = None,
        takes_time: bool = False,
    ) -> None:
        super().__init__()
        own = (forward_only_fn, forward_step_only_fn, forward_steps_only_fn)
        if not callable(fn) and not all(map(callable, own)):
            raise ValueError("a Lambda takes a function, or one for each of the three modes")
        self.fn = fn
        self.forward_only_fn, self.forward_step_only_fn, self.forward_steps_only_fn = own
        self.takes_time = takes_time
        self._believed: set[Frame] = set()

    @staticmethod
    def build_from(module: Any, *args: Any, **kwargs: Any) -> "Lambda":
        """A function as a module."""
        return Lambda(module, *args, **kwargs)

    @property
    def time(self) -> Time:
        """When its outputs see what: frame by frame."""
        return IDENTITY

    def forward(self, input: Tensor) -> Tensor:
        """The function of every frame of a clip."""
        return self._over(self.forward_only_fn, input)

    def forward_steps(self, chunk: Tensor, pad_end: bool = False, update_state: bool = True) -> Any:
        """The function of every frame of a chunk, None where it is empty; raises `ValueError` where
        it mixes them."""
        if not chunk.shape[2]:
            return None
        if self.forward_steps_only_fn is None:
            self._try(chunk, tuple(chunk.shape[3:]))
        return self._over(self.forward_steps_only_fn, chunk)

    def forward_step(self, frame: Tensor, update_state: bool = True) -> Any:
        """The function of a frame; raises `ValueError` where it is one of several frames."""
        if self.forward_step_only_fn is None:
            self._try(frame, tuple(frame.shape[2:]))
        if self.forward_step_only_fn is not None:
            return self.forward_step_only_fn(frame)
        if self.fn is None:
            raise ValueError("this Lambda has no function of a frame")
        return self.fn(frame.unsqueeze(2)).squeeze(2) if self.takes_time else self.fn(frame)

    def _try(self, x: Tensor, space: tuple[int, ...]) -> None:
        """Try once for each kind of frame whether a function of clips is one of single frames."""
        frame = Frame(x.shape[1], space)
        if self.fn is not None and self.takes_time and frame not in self._believed:
            probe(lambda xs: self._over(None, xs[0]), [frame], repr(self), x)
            self._believed.add(frame)

    def _over(self, own: Function | None, clip: Tensor) -> Tensor:
        if own is not None:
            return own(clip)
        if self.fn is None:
            raise ValueError("this Lambda has no function of a clip")
        if self.takes_time:
            return self.fn(clip)
        return torch.stack([self.fn(frame) for frame in clip.unbind(2)], 2)

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add itself to a graph; raises `ValueError` where the function mixes frames."""
        made, work = partial(self._made, like=trace.like), partial(self._work, like=trace.like)
        return trace.layer(path, self, FrameByFrame(made, work=work), values)

    def _made(self, x: Frame, like: Tensor | None) -> Frame:
        return probe(lambda xs: self.own_forward(xs[0]), [x], repr(self), like)

    def _work(self, x: Frame, y: Frame, like: Tensor | None) -> Fraction:
        return macs_of(lambda xs: self.own_forward(xs[0]), [x], like)

    def own_forward(self, x: Tensor) -> Tensor:
        """The function of items, in a stream as in a clip."""
        return self._over(None if self.fn is not None else self.forward_only_fn, x)

    def __repr__(self) -> str:
        own = (self.fn, self.forward_only_fn, self.forward_step_only_fn, self.forward_steps_only_fn)
        words = [written(each) for each in own if each is not None]
        words += ["takes_time=True"] if self.takes_time else []
        return f"Lambda({', '.join(words)})"


def _of(function: Any, _: Any) -> Lambda:
    if callable(function):
        return Lambda(function)
    raise TypeError(f"a part is a module or a function, not of type {type(function).__name__}")


makes(object, _of)


def _multiply(x: Tensor, factor: Any) -> Tensor:
    return torch.mul(x, factor)


def _add(x: Tensor, constant: Any) -> Tensor:
    return torch.add(x, constant)


def _unity(x: Tensor) -> Tensor:
    return x


def _constant(x: Tensor, constant: Any) -> Tensor:
    return torch.full_like(x, constant)


def Multiply(factor: Any) -> Lambda:  # noqa: N802
    """Times `factor`, a number or a tensor that broadcasts."""
    return Lambda(partial(_multiply, factor=factor), takes_time=True)


def Add(constant: Any) -> Lambda:  # noqa: N802
    """Plus `constant`, a number or a tensor that broadcasts."""
    return Lambda(partial(_add, constant=constant), takes_time=True)


def Identity(*args: Any, **kwargs: Any) -> Lambda:  # noqa: N802
    """What comes in; arguments are ignored, as by `torch.nn.Identity`."""
    return Lambda(_unity, takes_time=True)


def Constant(constant: float) -> Lambda:  # noqa: N802
    """`constant` in place of every number."""
    return Lambda(partial(_constant, constant=constant), takes_time=True)


def Zero() -> Lambda:  # noqa: N802
    """Zero in place of every number."""
    return Lambda(torch.zeros_like, takes_time=True)


def One() -> Lambda:  # noqa: N802
    """One in place of every number."""
    return Lambda(torch.ones_like, takes_time=True)


class Reshape(Laying):
    """Frames `(B, C, *S)` in another shape; the batch is the first number of `shape`.

    Args:
        shape: the shape of a frame with its batch, as numbers or as one sequence.
        contiguous: whether the output is made contiguous.
    """

    def __init__(self, *shape: Any, contiguous: bool = False) -> None:
        super().__init__()
        sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        if not sizes or not all(isinstance(size, int) for size in sizes):
            raise ValueError(f"a shape is made of numbers, got {shape}")
        self.shape = tuple(sizes)
        self.contiguous = contiguous

    @property
    def time(self) -> Time:
        """When its outputs see what: frame by frame."""
        return IDENTITY

    def forward(self, input: Tensor) -> Tensor:
        """Every frame of a clip `(B, C, T, *S)` in another shape."""
        frames = input.movedim(2, 0)
        y = frames.reshape(frames.shape[0], *self.shape).movedim(0, 2)
        return y.contiguous() if self.contiguous else y

    def forward_step(self, frame: Tensor, update_state: bool = True) -> Tensor:
        """A frame in another shape."""
        return frame.reshape(self.shape)

    def forward_steps(self, chunk: Tensor, pad_end: bool = False, update_state: bool = True) -> Any:
        """Every frame of a chunk in another shape; None where it is empty."""
        return self.forward(chunk) if chunk.shape[2] else None

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add itself to a graph."""
        return trace.layer(path, self, FrameByFrame(self._made), values)

    def _made(self, x: Frame) -> Frame:
        _, channels, *space = self.shape
        if prod(self.shape[1:]) != x.size:
            raise ValueError(f"a frame of {x} cannot be reshaped to {self.shape[1:]}")
        return Frame(channels, tuple(space))

    def own_forward(self, x: Tensor) -> Tensor:
        """Items in another shape."""
        return self.forward(x)

    def extra_repr(self) -> str:
        """The shape."""
        return f"{self.shape}{', contiguous=True' if self.contiguous else ''}"


def written(function: Any) -> str:
    """A function as it was written: its name, or the text of a lambda."""
    if isinstance(function, nn.Module):
        return repr(function)
    inner = function.func if isinstance(function, partial) else function
    name = getattr(inner, "__name__", type(inner).__name__)
    return _text_of(inner) if name == "<lambda>" else name


def _text_of(function: Any) -> str:
    """The text of a lambda, as far as its line is at hand."""
    linecache.checkcache()
    try:
        text = getsource(function)
    except (OSError, TypeError):
        return "<lambda>"
    text = text[text.find("lambda") :]
    depth = 0
    for place in range(text.find(":") + 1, len(text)):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(text[place], 0)
        if depth < 0 or (depth == 0 and text[place] in ",\n"):
            return text[:place].rstrip()
    return text.rstrip()
