"""What no step can be faster than: its arithmetic, and the memory that it has to read."""

from dataclasses import dataclass

from codsl.graph.align import FLOAT32
from codsl.graph.graph import Graph


@dataclass(frozen=True)
class Least:
    """What a frame of so many streams takes at least: twice its multiply-accumulates, and the bytes
    of the weights and of the states, each read once for `frames` that come together.

    Activations count for nothing, since they may stay in the caches.
    """

    flops: float
    bytes: int
    frames: int

    @classmethod
    def of(cls, graph: Graph, streams: int, frames: int = 1) -> "Least":
        """What a graph takes."""
        total = graph.report().total
        size = FLOAT32 * total["params"] + total["state_bytes"] * streams
        return cls(2 * total["macs"] * streams, size, frames)

    def seconds(self, flops: float, bytes: float) -> tuple[float, float]:
        """The seconds of the arithmetic at a rate of so many operations a second, and of the
        reading at one of so many bytes."""
        return self.flops / flops, self.bytes / bytes / self.frames
