"""A network over frames as they come: what came out when, and whether the clip at once agrees."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from codsl.media.footage import Unusable
from codsl.network import Network

TOLERANCE = {torch.float64: 1e-10, torch.float32: 5e-6}
"""How far stream and clip may be apart, relative to `max(1, |clip|)`."""

ROUNDINGS = 64
"""The same for other dtypes, in units of their precision."""

Sink = Callable[[NDArray[np.floating]], None]


@dataclass
class Playback:
    """A stream so far. `seconds` were spent in the network; with `keep`, `clip` and `outputs` are
    what went in and what came out."""

    net: Network
    sinks: Sequence[Sink] = ()
    keep: bool = False
    frames: int = 0
    first: int | None = None
    stepped: int = 0
    flushed: int = 0
    seconds: float = 0.0
    clip: list[Tensor] = field(default_factory=list)
    outputs: list[Tensor] = field(default_factory=list)

    @property
    def misplaced(self) -> bool:
        """Whether the first output came at another frame than the declared one."""
        begins = self.net.graph.begins
        return self.frames > begins if self.first is None else self.first != begins

    @property
    def tolerance(self) -> float:
        """How far stream and clip may be apart in the network's precision."""
        dtype = self.net.init_state().dtype
        return TOLERANCE.get(dtype) or ROUNDINGS * torch.finfo(dtype).eps

    def play(self, frames: Iterable[NDArray[np.floating]], together: int = 1) -> None:
        """Step through frames `(C, *S)`, or through chunks of so many. Raises `Unusable` at those
        whose numbers the network does not take."""
        dtype = self.net.init_state().dtype
        given = iter(frames)
        while some := list(islice(given, together)):
            x = self._taken(torch.from_numpy(np.stack(some, 1)), dtype).unsqueeze(0)
            start = perf_counter()
            try:
                made = self._stepped(x)
            except ValueError as error:
                raise Unusable(f"frame {self.frames} is refused: {error}") from error
            self.seconds += perf_counter() - start
            if self.keep:
                self.clip.append(x)
            self._note(made, len(some))

    def _taken(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        """A chunk `(C, T, *S)` in a dtype, which has all of its numbers."""
        made = x.to(dtype)
        beyond = made.isinf() & ~x.isinf()
        if beyond.any():
            largest = float(x[beyond].abs().max())
            at = self.frames + int(beyond.transpose(0, 1).flatten(1).any(1).nonzero()[0])
            kind = str(dtype).removeprefix("torch.")
            raise Unusable(
                f"frame {at} has {largest:.4g}, and the largest {kind} is "
                f"{torch.finfo(dtype).max:.4g}"
            )
        return made

    def _stepped(self, x: Tensor) -> tuple[Tensor, ...]:
        """What the frames of a chunk make due."""
        if x.shape[2] > 1 or self.net.graph.time.bursts:
            made = only(self.net.forward_steps(self._named(x)))
            return () if made is None else made.unbind(2)
        y = only(self.net.forward_step(self._named(x.squeeze(2))))
        return () if y is None else (y,)

    def _named(self, x: Tensor) -> Any:
        """What comes to the one input, under its name where it has one."""
        name = self.net.graph.inputs[0].name
        return {name: x} if name else x

    def _note(self, made: tuple[Tensor, ...], frames: int) -> None:
        """Count a chunk and the outputs that came with it; the first at the frame that was
        declared, if that is among those of the chunk."""
        if made and self.first is None:
            begins = self.net.graph.begins
            within = self.frames <= begins < self.frames + frames
            self.first = begins if within else self.frames
        self.frames += frames
        for y in made:
            self._give(y)
            self.stepped += 1

    def end(self) -> None:
        """Take the outputs that the end makes due."""
        rest = only(self.net.flush())
        for y in rest.unbind(2) if rest is not None else ():
            self._give(y)
            self.flushed += 1

    def difference(self) -> tuple[float, float] | None:
        """How far stream and clip are apart, relative to `max(1, |clip|)`, number by number, and
        the largest number of the clip; None where they differ in how many outputs they have."""
        at_once = only(self.net(self._named(torch.cat(self.clip, 2))))
        streamed = torch.stack(self.outputs, 2) if self.outputs else at_once[:, :, :0]
        if streamed.shape != at_once.shape:
            return None
        sizes = at_once.abs()
        same = torch.isclose(streamed, at_once, rtol=0, atol=0, equal_nan=True)
        apart = ((streamed - at_once).abs() / sizes.clamp(min=1)).masked_fill(same, 0)
        return float(apart.max()), float(sizes.max())

    def _give(self, y: Tensor) -> None:
        if self.keep:
            self.outputs.append(y)
        values = y[0].to(storable(y.dtype)).numpy()
        for sink in self.sinks:
            sink(values)


def only(y: Any) -> Any:
    """What comes of the one output, whether it has a name or not."""
    return next(iter(y.values())) if isinstance(y, Mapping) else y


def storable(dtype: torch.dtype) -> torch.dtype:
    """The dtype of a recording: double precision where the network has it, else single."""
    return torch.float64 if dtype == torch.float64 else torch.float32
