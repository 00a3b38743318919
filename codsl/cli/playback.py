"""A network run over frames one by one: what came out when, and whether the clip at once agrees."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
    sink: Sink | None = None
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

    def play(self, frames: Iterable[NDArray[np.float32]]) -> None:
        """Step through frames `(C, *S)`."""
        dtype = self.net.init_state().dtype
        for frame in frames:
            x = torch.from_numpy(frame).to(dtype).unsqueeze(0)
            start = perf_counter()
            y = self.net.forward_step(x)
            self.seconds += perf_counter() - start
            if self.keep:
                self.clip.append(x)
            if y is not None:
                self.first = self.frames if self.first is None else self.first
                self.stepped += 1
                self._give(y)
            self.frames += 1

    def end(self) -> None:
        """Take the outputs that the end makes due."""
        rest = self.net.flush()
        for y in rest.unbind(2) if rest is not None else ():
            self.flushed += 1
            self._give(y)

    def difference(self) -> tuple[float, float] | None:
        """How far stream and clip are apart, relative to `max(1, |clip|)`, number by number, and
        the largest number of the clip; None where they differ in how many outputs they have."""
        at_once = self.net(torch.stack(self.clip, 2))
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
        if self.sink is not None:
            self.sink(y[0].to(storable(y.dtype)).numpy())


def storable(dtype: torch.dtype) -> torch.dtype:
    """The dtype of a recording: double precision where the network has it, else single."""
    return torch.float64 if dtype == torch.float64 else torch.float32
