"""The time of a node: what each of its outputs sees, and after how many outputs that repeats."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from codsl.algebra.shared import Shared


@dataclass(frozen=True, slots=True)
class Phase:
    """An output: it depends on frames `oldest` to `newest`, comes out of a stream at frame `due`,
    and `first` frames are the shortest clip that has it."""

    oldest: float = 0
    newest: int = 0
    due: int = 0
    first: int = 1

    @property
    def blind(self) -> bool:
        """Whether it depends on no frame at all; then it stands behind frame `newest`."""
        return self.oldest > self.newest

    def later(self, frames: int) -> "Phase":
        """The output that is the same some frames later."""
        if not frames:
            return self
        return Phase(
            self.oldest + frames, self.newest + frames, self.due + frames, self.first + frames
        )


@dataclass(frozen=True, slots=True)
class Time(Shared):
    """All about a node's time, in input frames: its outputs repeat themselves every `period`.

    Output `j + len(phases)` is output `j`, `period` frames later; `due` and `first` never fall.
    Without upsampling there is one phase, and the period is the stride. Of the frames between its
    oldest and its newest an output sees every `spacing`-th only; what is composed has lost that.
    """

    period: int = 1
    phases: tuple[Phase, ...] = (Phase(),)
    spacing: int = field(default=1, compare=False)

    def output(self, index: int) -> Phase:
        """Output `index`, which may be negative."""
        turns, phase = divmod(index, len(self.phases))
        return self.phases[phase].later(turns * self.period)

    def count(self, frames: int, number: Callable[[Phase], int]) -> int:
        """How many outputs have a `due`, or a `first`, of at most `frames`.

        The outputs before output 0 count as well, so that it may be below zero.
        """
        start = number(self.phases[0])
        if len(self.phases) == 1:
            return (frames - start) // self.period + 1
        turns, rest = divmod(frames - start, self.period)
        return turns * len(self.phases) + bisect_right(self.phases, start + rest, key=number)

    @property
    def stride(self) -> int | Fraction:
        """Input frames per output; less than one where there are more outputs than frames."""
        if self.period % len(self.phases):
            return Fraction(self.period, len(self.phases))
        return self.period // len(self.phases)

    @property
    def past(self) -> float:
        """Frames that an output reaches back from its own at most, `floor(j * stride)`; -1 where no
        output depends on any."""
        return max((self._own(j) - phase.oldest for j, phase in self._seeing()), default=-1)

    @property
    def ahead(self) -> int:
        """Frames that an output reaches beyond its own at most; 0 where no output depends on
        any."""
        return max((phase.newest - self._own(j) for j, phase in self._seeing()), default=0)

    @property
    def delay(self) -> int:
        """Frames that an output comes later than its own at most.

        Without upsampling all do, and it is the frame of the first; else that is `phases[0].due`.
        """
        return max(phase.due - self._own(j) for j, phase in enumerate(self.phases))

    @property
    def receptive_field(self) -> float:
        """Frames from the oldest to the newest that one output depends on; may be `inf`."""
        return max(phase.newest - phase.oldest + 1 for phase in self.phases)

    @property
    def offset(self) -> int:
        """Frames that the end of a period comes early: without upsampling, `T` frames give
        `floor((T + offset) / stride)` outputs."""
        return self.period - self.phases[-1].first

    @property
    def shortest(self) -> int:
        """The least number of frames, one or more, that gives an output."""
        return max(1, self.phases[0].first)

    @property
    def pointwise(self) -> bool:
        """Whether output `j` is made of one frame, `j * stride`, and of no other."""
        return len(self.phases) == 1 and self.past == 0 == self.ahead

    @property
    def bursts(self) -> bool:
        """Whether two outputs come with the same frame."""
        dues = {phase.due for phase in self.phases}
        return len(dues) < len(self.phases) or self.output(len(self.phases)).due in dues

    @property
    def steady(self) -> bool:
        """Whether every output sees the same of its own frames; no upsampling makes it so."""
        return len(self.phases) == 1 and not self.phases[0].blind

    @property
    def orderly(self) -> bool:
        """Whether no output sees an older, or a less new, frame than the one before it."""
        line = (*self.phases, self.output(len(self.phases)))
        return not any(phase.blind for phase in line) and all(
            one.oldest <= two.oldest and one.newest <= two.newest for one, two in pairwise(line)
        )

    def shortened(self) -> "Time":
        """The same time with no more phases than it takes to repeat itself."""
        outputs = len(self.phases)
        for count in range(1, outputs):
            if outputs % count or self.period * count % outputs:
                continue
            short = Time(self.period * count // outputs, self.phases[:count])
            if all(short.output(j) == phase for j, phase in enumerate(self.phases)):
                return short
        return self

    def _seeing(self) -> Iterator[tuple[int, Phase]]:
        """The outputs of a period that depend on some frame."""
        return ((j, phase) for j, phase in enumerate(self.phases) if not phase.blind)

    def _own(self, index: int) -> int:
        return index * self.period // len(self.phases)


IDENTITY = Time()
