"""What no step can be faster than: its arithmetic, and the memory that it has to read."""

from dataclasses import dataclass

from codsl.graph.align import FLOAT32
from codsl.graph.graph import Graph


@dataclass(frozen=True)
class Least:
    """What a frame of so many streams takes at least: twice its multiply-accumulates, and the
    bytes that it has to read, of `bytes` in all.

    These are the weights and the states, each read once for the frames that come together, and of
    a layer at those alone at which it has an output. Activations count for nothing, since they may
    stay in the caches.
    """

    flops: float
    bytes: int
    read: float

    @classmethod
    def of(cls, graph: Graph, streams: int, frames: int = 1) -> "Least":
        """What a graph takes where so many frames come together."""
        report = graph.report()
        rows = [row for row in report.nodes if row.live]
        sizes = [FLOAT32 * row.params + row.state_bytes * streams for row in rows]
        read = sum(size / max(frames, row.stride) for row, size in zip(rows, sizes, strict=True))
        return cls(2 * report.total["macs"] * streams, sum(sizes), float(read))

    def seconds(self, flops: float, bytes: float) -> tuple[float, float]:
        """The seconds of the arithmetic at a rate of so many operations a second, and of the
        reading at one of so many bytes."""
        return self.flops / flops, self.read / bytes
