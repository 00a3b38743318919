"""What contenders are given: streams of a network that are beyond their beginning, and frames."""

from dataclasses import dataclass
from math import lcm
from typing import Any

from codsl.bench.footage import Footage, frame, spread
from codsl.network import Network
from codsl.nn.running.state import State


@dataclass(frozen=True, eq=False)
class Scene:
    """So many streams, which all saw what led to `state`, a state of one, and go on in steps (a
    chunk of 0) or in chunks of so many frames. `past` are the last frames of one, if kept."""

    net: Network
    footage: Footage
    state: State
    past: Any
    streams: int
    chunk: int

    @property
    def by_frames(self) -> bool:
        """Whether the network takes single frames: it gives one output with each at most."""
        graph = self.net.graph
        return not any(graph.times[outlet.value].bursts for outlet in graph.outputs)

    @property
    def steps(self) -> bool:
        """Whether a frame comes as such, alone."""
        return self.by_frames and not self.chunk

    @property
    def frames(self) -> int:
        """How many come at once."""
        return self.chunk or 1

    @property
    def macs(self) -> float:
        """Multiply-accumulates of these frames of one stream."""
        macs: float = self.net.graph.report().total["macs"]
        return macs * self.frames

    @property
    def begun(self) -> State:
        """The state of all streams, in memory of its own."""
        return spread(self.state, self.streams)

    def inputs(self) -> list[Any]:
        """What is fed: the frames of a turn, or so many chunks that they are whole turns."""
        if self.steps:
            return self.turn()
        count = lcm(self.net.graph.cycle.turn, self.frames) // self.frames
        return [self.footage.clip(self.frames, self.streams) for _ in range(count)]

    def turn(self) -> list[Any]:
        """The frames of a turn."""
        turn = self.net.graph.cycle.turn
        clip = self.footage.clip(turn, self.streams)
        return [frame(clip, index) for index in range(turn)]
