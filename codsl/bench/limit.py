"""What no step can be faster than: its arithmetic, and the memory that it has to read."""

from dataclasses import dataclass
from functools import cache

import torch

from codsl.bench.machine import copy_rate, matrix_rate
from codsl.graph.align import FLOAT32
from codsl.graph.graph import Graph


@dataclass(frozen=True)
class Limit:
    """Seconds of a frame of all streams: `arithmetic` is twice its multiply-accumulates at the rate
    of a matrix product, `memory` its weights and states, each read once, at the rate of a copy."""

    flops: float
    bytes: int
    arithmetic: float
    memory: float

    @property
    def seconds(self) -> float:
        """The larger of the two."""
        return max(self.arithmetic, self.memory)


def limit(graph: Graph, streams: int, frames: int = 1) -> Limit:
    """The limit of a frame, one of `frames` that come together and share the reading.

    Activations count for nothing, since they may stay in the caches.
    """
    total = graph.report().total
    flops = 2 * total["macs"] * streams
    size = FLOAT32 * total["params"] + total["state_bytes"] * streams
    copying = _copy(size, torch.get_num_threads())
    return Limit(flops, size, flops / matrix(), size / copying / frames)


def matrix() -> float:
    """The rate of matrix products with the threads that there are, measured once."""
    return _matrix(torch.get_num_threads())


@cache
def _matrix(threads: int) -> float:
    return matrix_rate()


@cache
def _copy(size: int, threads: int) -> float:
    return copy_rate(size)
