"""What can run a stream: the network itself, its fast steps, and a clip that is run again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil, isinf
from time import perf_counter
from typing import Any

from codsl.bench.footage import joined, last
from codsl.bench.pick import Pick
from codsl.bench.scene import Scene
from codsl.engine.backends.eager import EAGER
from codsl.engine.fast import FastStep
from codsl.graph.graph import Graph
from codsl.layers.recipe import memory_of
from codsl.network import Network
from codsl.nn.running.laid import as_clips

PLAIN = "plain"
CLIP = "clip"


@dataclass(frozen=True)
class Contender:
    """Something that takes a frame, or a chunk of frames, and gives what is due with it.

    A call is worth `frames`. `same` says that it promises the outputs of the network, `exact` that
    it computes in the network's precision; `ready` are the seconds that it took to make it, `macs`
    the multiply-accumulates of a call for one stream.
    """

    name: str
    words: str
    run: Callable[[Any], Any]
    frames: int
    macs: float
    same: bool = True
    exact: bool = True
    ready: float = 0.0


@dataclass(frozen=True)
class Absent:
    """What cannot run here, and why."""

    name: str
    reason: str


def plain(scene: Scene) -> Contender:
    """The network's own step, or its chunks."""
    net = scene.net
    net.set_state(scene.begun)
    run = net.forward_step if scene.steps else net.forward_steps
    return Contender(PLAIN, "the network itself", run, scene.frames, scene.macs)


class Fast:
    """A backend's steps, and its chunks. What is made for so many streams serves all scenes of them
    that follow each other."""

    def __init__(self, pick: Pick) -> None:
        self._pick, self._streams = pick, 0
        self._made: _Made | Absent = Absent(str(pick), "")

    def __call__(self, scene: Scene) -> Contender | Absent:
        """What takes part in a scene."""
        if scene.streams != self._streams:
            self._streams = scene.streams
            self._made = Absent(str(self._pick), "")
            self._made = _made(self._pick, scene)
        if isinstance(self._made, Absent):
            return self._made
        name, step = str(self._pick), self._made.step
        if not scene.steps and name != EAGER.name and not step.chunks_by_steps(scene.frames):
            return Absent(name, f"its chunks are those of {EAGER.name}")
        step.set_state(scene.begun)
        return Contender(
            name,
            self._pick.call,
            step if scene.steps else step.forward_steps,
            scene.frames,
            scene.macs,
            exact=not self._pick.precision,
            ready=self._made.seconds,
        )


@dataclass(frozen=True)
class _Made:
    """A fast step that has taken all the frames of a turn, and the seconds until then."""

    step: FastStep
    seconds: float


def _made(pick: Pick, scene: Scene) -> _Made | Absent:
    begin = perf_counter()
    try:
        step = scene.net.compile_step(pick.backend, pick.dtype)
        step.set_state(scene.begun)
        alone = replace(scene, chunk=0 if scene.by_frames else 1)
        run = step if scene.by_frames else step.forward_steps
        for each in alone.inputs():
            run(each)
    except ImportError as error:
        return Absent(str(pick), f"not installed: {line(error)}")
    except (ValueError, RuntimeError) as error:
        return Absent(str(pick), line(error))
    return _Made(step, perf_counter() - begin)


def line(error: Exception) -> str:
    """The first line of what an error says."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def clip(window: int | None, scene: Scene) -> Contender | Absent:
    """The clip in torch, without streams: run again and again for steps, at once for chunks."""
    return at_once(scene) if scene.chunk else again(window, scene)


def at_once(scene: Scene) -> Contender:
    """A clip on its own, as long as a chunk or as the network asks for."""
    net, frames = scene.net, max(scene.chunk, scene.net.graph.min_frames)
    drawn = scene.footage.clip(frames, scene.streams)
    words = f"a clip of {frames} at once, in torch"
    macs = net.graph.clip_macs(frames)
    return Contender(CLIP, words, lambda _: net(drawn), frames, macs, same=False)


def again(window: int | None, scene: Scene) -> Contender | Absent:
    """The clip of the last frames at every output: of all that it sees, or of `window`."""
    found = Window.of(scene.net.graph, window)
    if isinstance(found, str):
        return Absent(CLIP, found)
    if scene.streams > 1:
        return Absent(CLIP, "it costs a stream what it costs alone")
    if scene.past is None:
        return Absent(CLIP, f"a clip of {found.frames} frames takes too much memory")
    past = last(scene.past, found.frames)
    words = f"a clip of the last {found.frames} again and again, in torch"
    macs = scene.net.graph.clip_macs(found.frames) / found.stride
    run = Rerun(scene.net, past, found)
    return Contender(CLIP, words, run, 1, macs, same=not window and not counts(scene.net.graph))


def counts(graph: Graph) -> bool:
    """Whether a network carries on more than frames, such as their number, which a clip of the
    last ones lacks."""
    return any(memory_of(graph.nodes[index].recipe) for index in graph.live)


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
        return _item(self._net(self._clip), window.output) if due else None


def _item(clip: Any, index: int) -> Any:
    """An item of a clip, or of the clips of outputs by name."""
    if isinstance(clip, Mapping):
        return {name: _item(each, index) for name, each in clip.items()}
    return clip[:, :, index]
