"""Modules whose outputs are made of the last `sequence_len` frames of a stream, worked out anew."""

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from torch import Tensor, nn

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, sees
from codsl.layers.recipe import OWN, Call, Windowed
from codsl.nn.attention.work_of_attention import Work
from codsl.nn.joint import beside
from codsl.nn.measured import evaluated, macs_in, macs_of
from codsl.nn.nest import leaves
from codsl.nn.running.streaming import Laying
from codsl.nn.running.trace import Trace
from codsl.nn.running.ways import Run


class LastFrames(Laying, abstract=True):
    """A module that projects each frame once, keeps that of the last `sequence_len` frames, and
    makes an output of it with every frame. The first comes with frame `sequence_len - 1`.

    Nothing is added up over time, so nothing drifts.
    """

    sequence_len: int

    @property
    def time(self) -> Time:
        """When its outputs see what: the last frames."""
        return sees(Window(self.sequence_len))

    @abstractmethod
    def taken(self) -> tuple[int, ...]:
        """The channels of each stream that comes in; one alone stands for all."""

    @abstractmethod
    def kept(self) -> int:
        """How many numbers are kept of each frame."""

    @abstractmethod
    def made(self) -> Frame:
        """The output for a frame."""

    @abstractmethod
    def keep(self, *items: Tensor) -> Tensor:
        """What is kept of items `(B, C, T)`, `(B, T, kept)`."""

    @abstractmethod
    def answer(self, windows: Tensor) -> Tensor:
        """The outputs `(N, C, *S)` of windows `(N, sequence_len, kept)`."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What tells its streams from others' of the same sizes."""

    @abstractmethod
    def work(self) -> Work:
        """What a step takes."""

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add the projection of frames and the window over them to a graph.

        Raises `ValueError` for frames that do not fit.
        """
        word = path or type(self).__name__
        sources = list(leaves(values))
        frames = [trace.frames[source] for source in sources]
        known = [frame for frame in frames if frame is not None]
        self._fits(word, known)
        kept = Frame(self.kept()) if len(known) == len(frames) else None
        with evaluated(self):
            macs = macs_of(lambda items: self.keep(*items), known, self._own()) if kept else 0
        projected = trace.join(
            f"{word}.projected", _Keep(self), OWN, beside(sources), kept, macs=macs
        )
        return trace.layer(path, _Answer(self), _Operation(self), projected, type(self).__name__)

    def _fits(self, word: str, frames: list[Frame]) -> None:
        wanted = [Frame(channels) for channels in self.taken()]
        single = len(set(wanted)) == 1 and len(frames) == 1
        if frames and frames != (wanted[:1] if single else wanted):
            given, asked = (" and ".join(map(str, each)) for each in (frames, wanted))
            raise ValueError(f"`{word}` takes frames of {asked}, got {given}")

    def over(self, kept: Tensor) -> Tensor:
        """The outputs `(B, C, n, *S)` of `n + sequence_len - 1` consecutive kept items."""
        batch, numbers, items = kept.shape
        outputs = items - self.sequence_len + 1
        if outputs == 1:
            return self.answer(kept.transpose(1, 2)).unsqueeze(2)
        windows = kept.unfold(2, self.sequence_len, 1).permute(0, 2, 3, 1)
        y = self.answer(windows.reshape(batch * outputs, self.sequence_len, numbers))
        return y.reshape(batch, outputs, *y.shape[1:]).movedim(1, 2)


class _Part(nn.Module):
    """A node of a graph that works for a module."""

    _owner: Any

    def __init__(self, owner: LastFrames) -> None:
        super().__init__()
        self.__dict__["_owner"] = owner


class _Keep(_Part):
    def forward(self, *items: Tensor) -> Tensor:
        """What is kept of items."""
        kept: Tensor = self._owner.keep(*items).transpose(1, 2)
        return kept


class _Answer(_Part):
    def forward(self, kept: Tensor, run: Run | None = None) -> Tensor:
        """The outputs of consecutive kept items."""
        y: Tensor = self._owner.over(kept)
        return y


@dataclass(frozen=True)
class _Operation:
    """A window over what is kept, as an operation."""

    owner: LastFrames

    def shape(self, x: Frame) -> Frame:
        return self.owner.made()

    def time(self) -> Time:
        return self.owner.time

    def weights(self, x: Frame) -> dict[str, tuple[int, ...]]:
        return {name: tuple(each.shape) for name, each in self.owner.named_parameters()}

    def macs(self, x: Frame, y: Frame) -> Fraction:
        window = self.owner._own().new_zeros(1, self.owner.sequence_len, x.channels)
        with evaluated(self.owner):
            return macs_in(lambda: self.owner.answer(window))

    def recipe(self, x: Frame) -> Windowed:
        over = Window(self.owner.sequence_len)
        return Windowed("Identity", self.owner.facts(), over, Call("as_is"), fill=None)

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(self.owner.made().space)


def length_of(sequence_len: Any) -> int:
    """A number of frames; raises `ValueError` for what is none."""
    if isinstance(sequence_len, bool) or not isinstance(sequence_len, int) or sequence_len < 1:
        raise ValueError(f"`sequence_len` is how many frames are attended to, got {sequence_len!r}")
    return sequence_len
