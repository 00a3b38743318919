"""The shape of a frame: channels and space, no batch and no time."""

from dataclasses import dataclass
from math import prod

from codsl.algebra.shared import Shared


@dataclass(frozen=True, slots=True)
class Frame(Shared):
    """One item of a sequence: `channels`, then the spatial sizes."""

    channels: int
    space: tuple[int, ...] = ()

    @property
    def rank(self) -> int:
        """The N of the layers that take it: time and the spatial dimensions."""
        return 1 + len(self.space)

    @property
    def positions(self) -> int:
        """How many places of space it has."""
        return prod(self.space)

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return self.channels * self.positions

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes without batch, channels first."""
        return (self.channels, *self.space)

    def __str__(self) -> str:
        """As shapes are always printed, time second: `16 x T x 28 x 28`."""
        return " x ".join([str(self.channels), "T", *map(str, self.space)])


def broadcast(frames: tuple[Frame, ...]) -> Frame:
    """The frame of an elementwise join: sizes of one repeat, as in torch.

    Raises `ValueError` where two sizes differ and neither is one.
    """
    if len({frame.rank for frame in frames}) > 1:
        raise ValueError("their numbers of dimensions differ")
    sizes: list[int] = []
    for column in zip(*(frame.shape for frame in frames), strict=True):
        wide = {size for size in column if size != 1}
        if len(wide) > 1:
            what = "channels" if not sizes else "sizes"
            raise ValueError(f"their {what} differ")
        sizes.append(wide.pop() if wide else 1)
    return Frame(sizes[0], tuple(sizes[1:]))


def concatenate(frames: tuple[Frame, ...]) -> Frame:
    """The frame of a join along channels; raises `ValueError` where space differs."""
    if len({frame.space for frame in frames}) > 1:
        raise ValueError("their sizes over space differ")
    return Frame(sum(frame.channels for frame in frames), frames[0].space)
