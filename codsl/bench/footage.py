"""Random frames for a network, and a stream of it that is beyond its beginning."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isinf
from typing import Any

import torch
from torch import Tensor

from codsl.graph.graph import Graph
from codsl.graph.ids import ids
from codsl.network import Network
from codsl.nn.running.drawn import drawn
from codsl.nn.running.state import State

CHUNK = 64
"""Frames that are run at once on the way beyond the beginning, at most."""

NUMBERS = 1 << 25
"""Numbers that a value may have meanwhile."""

FARTHEST = 4096
"""Frames on that way at most."""


class Footage:
    """Random frames for a network, the same whenever they are asked for in the same order."""

    def __init__(self, net: Network, seed: int = 0) -> None:
        self._graph = net.graph
        self._like = net.init_state(1)
        self._generator = torch.Generator().manual_seed(seed)

    def clip(self, frames: int, streams: int = 1) -> Any:
        """A clip `(B, C, T, *S)`, or a dict of clips by the names of the inputs."""
        clips = {
            inlet.name: self._drawn(inlet.frame.shape, frames, streams, ids(self._graph, value))
            for value, inlet in enumerate(self._graph.inputs)
        }
        return clips.get("", clips)

    def _drawn(self, shape: Sequence[int], frames: int, streams: int, most: int | None) -> Tensor:
        channels, *space = shape
        sizes = streams, channels, frames, *space
        made = drawn(sizes, most, self._generator, torch.float32)
        return made.to(self._like.device, self._like.dtype)


def frame(clip: Any, index: int) -> Any:
    """A frame `(B, C, *S)` of a clip, in memory of its own."""
    if isinstance(clip, Mapping):
        return {name: frame(each, index) for name, each in clip.items()}
    return clip[:, :, index].clone()


def joined(clips: Sequence[Any]) -> Any:
    """Clips one after the other."""
    if isinstance(clips[0], Mapping):
        return {name: joined([each[name] for each in clips]) for name in clips[0]}
    return torch.cat(list(clips), 2)


def last(clip: Any, frames: int) -> Any:
    """The last frames of a clip, as many as there are up to `frames`."""
    if isinstance(clip, Mapping):
        return {name: last(each, frames) for name, each in clip.items()}
    return clip[:, :, max(clip.shape[2] - frames, 0) :].clone()


def beyond(graph: Graph) -> int:
    """Frames after which a stream no longer feels its beginning, in whole turns; where that is
    never or late, as many as show all that it ever does."""
    cycle, field = graph.cycle, graph.receptive_field
    seen = 0 if isinf(field) else min(int(field) + graph.delay, FARTHEST)
    return -(-max(seen, cycle.start + 1) // cycle.turn) * cycle.turn


def run_in(net: Network, footage: Footage, frames: int, kept: int) -> tuple[State, Any]:
    """The state of one stream that has had so many frames, and the last `kept` of these."""
    largest = max(each.size for each in net.graph.frames)
    chunk = max(1, min(CHUNK, NUMBERS // largest))
    net.reset()
    seen: list[Any] = []
    for start in range(0, frames, chunk):
        seen.append(footage.clip(min(chunk, frames - start)))
        net.forward_steps(seen[-1])
        seen = [last(joined(seen), kept)] if kept else []
    state = net.get_state()
    net.reset()
    if state is None:
        raise ValueError("a stream begins with a frame")
    return state, seen[0] if seen else None


def spread(state: State, streams: int) -> State:
    """The state of so many streams, all of which saw the same."""
    tensors = tuple(each.repeat_interleave(streams, 0) for each in state.tensors)
    return replace(state, tensors=tensors, batch_size=streams)
