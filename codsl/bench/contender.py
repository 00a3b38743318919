"""What can run a stream: the network itself, its fast steps, and a clip that is run again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, isinf
from typing import Any

from codsl.bench.footage import Footage, joined, last
from codsl.engine.fast import BACKENDS
from codsl.graph.graph import Graph
from codsl.network import Network
from codsl.nn.laid import as_clips
from codsl.nn.state import State

PLAIN = "plain"
CLIP = "clip"


@dataclass(frozen=True)
class Contender:
    """Something that takes a frame, or a chunk of frames, and gives what is due with it.

    A call is worth `frames`. `same` says that it promises the outputs of the network.
    """

    name: str
    words: str
    run: Callable[[Any], Any]
    frames: int
    same: bool = True


@dataclass(frozen=True)
class Absent:
    """What cannot run here, and why."""

    name: str
    reason: str


def plain(net: Network, state: State, chunk: int) -> Contender:
    """The network's own step from a state on, or its chunks of so many frames."""
    net.set_state(state)
    run = net.forward_steps if chunk else net.forward_step
    return Contender(PLAIN, "the network itself", run, chunk or 1)


def fast(net: Network, backend: str, state: State, chunk: int) -> Contender | Absent:
    """A backend's step from a state on, or its chunks of so many frames."""
    try:
        step = net.compile_step(backend=backend)
        step.set_state(state)
    except ImportError as error:
        return Absent(backend, f"not installed: {error}")
    except ValueError as error:
        return Absent(backend, str(error))
    words = f"compile_step(backend={backend!r})"
    return Contender(backend, words, step.forward_steps if chunk else step, chunk or 1)


def backends(names: Sequence[str] | None = None) -> tuple[str, ...]:
    """The backends that there are, or those named; raises `ValueError` for one that is none."""
    known = tuple(BACKENDS)
    unknown = [name for name in names or () if name not in known]
    if unknown:
        listed = ", ".join(f"`{name}`" for name in known)
        raise ValueError(f"there is no backend `{unknown[0]}`; there is {listed}")
    return known if names is None else tuple(dict.fromkeys(names))


def at_once(net: Network, footage: Footage, streams: int, chunk: int) -> Contender:
    """A clip on its own, as long as a chunk or as the network asks for."""
    frames = max(chunk, net.graph.min_frames)
    clip = footage.clip(frames, streams)
    words = f"a clip of {frames} at once, in torch"
    return Contender(CLIP, words, lambda _: net(clip), frames, same=False)


def rerun(net: Network, past: Any, window: int | None) -> Contender | Absent:
    """The clip of the last frames again and again: of all that an output sees, or of `window`;
    `past` has these frames, or is None where they are too many."""
    found = Window.of(net.graph, window)
    if isinstance(found, str):
        return Absent(CLIP, found)
    if past is None:
        return Absent(CLIP, f"a clip of {found.frames} frames takes too much memory")
    words = f"a clip of the last {found.frames} again and again, in torch"
    return Contender(CLIP, words, Rerun(net, last(past, found.frames), found), 1, same=not window)


@dataclass(frozen=True)
class Window:
    """The clip that is run where a stream would step: its length, which of its outputs belongs to
    the newest frame, and every how many frames one is due, from which on."""

    frames: int
    output: int
    stride: int
    first: int

    @classmethod
    def of(cls, graph: Graph, frames: int | None = None) -> "Window | str":
        """All that an output sees, or so many frames; or why there is no such clip."""
        time = graph.time
        if len(graph.outputs) > 1 or len(time.phases) > 1:
            return "several outputs come of a clip"
        if frames is not None:
            least = max(frames, graph.min_frames)
            return cls(least, -1, time.period, time.delay % time.period)
        if isinf(time.past):
            return "no clip has all that an output sees: every frame so far"
        before = max(0, ceil(time.past / time.period))
        frames = before * time.period + time.delay + 1
        return cls(frames, before, time.period, time.delay % time.period)


class Rerun:
    """A clip of the last frames that is run again whenever an output is due."""

    def __init__(self, net: Network, past: Any, window: Window) -> None:
        self._net, self._clip, self._window = net, past, window
        self._seen = 0

    def __call__(self, frame: Any) -> Any:
        """The output that is due with a frame `(B, C, *S)`, or None."""
        window = self._window
        self._clip = last(joined([self._clip, as_clips(frame)]), window.frames)
        due = self._seen % window.stride == window.first
        self._seen += 1
        return self._net(self._clip)[:, :, window.output] if due else None
