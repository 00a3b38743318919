"""Streams made to wait, and clips cut at their ends, by hand."""

from typing import Any

from torch import nn

from codsl.layers.cropping import Crop
from codsl.layers.plain import Delay as Wait
from codsl.nn.classes import settle
from codsl.nn.layer import Layer
from codsl.nn.older import RingView, fill_of


class Waiting(Layer, nn.Identity, abstract=True):
    """A layer that computes nothing."""

    holder = nn.Identity

    def __init__(self, operation: Wait | Crop) -> None:
        nn.Identity.__init__(self)
        settle(self, operation)


class Delay(RingView, Waiting):
    """What came in `delay` frames ago, while streaming; a clip passes unchanged.

    Joins are aligned without it: it is for making a stream wait on purpose.

    Args:
        delay: how many frames.
        temporal_fill: accepted; a stream gives nothing before the first frame came.
        auto_shrink: crop the clip instead: `delay` frames at both ends (`centered`, True) or at
            the end (`lagging`).
    """

    def __init__(
        self, delay: int, temporal_fill: Any = "zeros", auto_shrink: bool | str = False
    ) -> None:
        fill_of(temporal_fill)
        if isinstance(delay, bool) or not isinstance(delay, int) or delay < 0:
            raise ValueError(f"a delay is a number of frames, 0 or more, got {delay!r}")
        if auto_shrink not in (True, False, "centered", "lagging"):
            raise ValueError(f"`auto_shrink` is True, centered or lagging, got {auto_shrink!r}")
        front = 0 if auto_shrink == "lagging" else delay
        super().__init__(Crop(front, delay) if auto_shrink else Wait(delay))
        self.frames = delay
        self.auto_shrink = auto_shrink

    def extra_repr(self) -> str:
        """How many frames."""
        return f"{self.frames}{f', auto_shrink={self.auto_shrink}' if self.auto_shrink else ''}"


class Skip(Waiting):
    """All frames but the first `steps`."""

    def __init__(self, steps: int) -> None:
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise ValueError(f"`steps` is a number of frames, 0 or more, got {steps!r}")
        super().__init__(Crop(steps))
        self.steps = steps

    def extra_repr(self) -> str:
        """How many frames."""
        return str(self.steps)


class Cropped(Waiting):
    """All frames but the first `front` and the last `back`."""

    def __init__(self, front: int, back: int) -> None:
        super().__init__(Crop(front, back))

    def extra_repr(self) -> str:
        """How many frames at either end."""
        return f"{self.operation.front}, {self.operation.back}"  # type: ignore[attr-defined]


def crop_of(front: int, back: int) -> nn.Module:
    """A shortcut that leaves out frames at either end."""
    return Cropped(front, back) if front or back else Delay(0)
