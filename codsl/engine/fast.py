"""The fast step of a network: a stream that goes on by a plan once it has begun."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from codsl.engine.backends.eager import EAGER
from codsl.engine.backends.table import backend_of
from codsl.engine.chunks import Chunks
from codsl.engine.lister import Lister
from codsl.engine.plan import Plan
from codsl.engine.trial import trial
from codsl.engine.widening import widened
from codsl.nn.nest import rebuild
from codsl.nn.running.intake import check_alike, check_stream
from codsl.nn.running.laid import Laid, as_clips
from codsl.nn.running.program import Values
from codsl.nn.running.state import State
from codsl.nn.running.streaming import Streaming, behind
from codsl.nn.weight_norm import settle

AT_ONCE, NUMBERS = 16, 3 << 20
"""Planes at most that are computed together, of a chunk of all streams, and numbers of the largest
value of these: more leave the caches. Of what has no planes so many frames of a chunk are few."""


class FastStep:
    """A stream of a network in `eval()`, under `torch.inference_mode`.

    Calling it with a frame `(B, C, *S)` is `forward_step`; its other methods are as those of the
    network, and so are its states: a stream can move between the two. The weights are those of
    when it was made. The first frames, those of `graph.cycle.start`, go by the network itself, and
    so do batches without streams, which some backends do not have.

    Attributes:
        error: how far the plan was from the network when it was tried, of the largest output of
            each or 1; None before the first frame, which decides the batch.
    """

    error: float | None = None

    def __init__(
        self, net: Streaming, backend: str = "eager", precision: torch.dtype | None = None
    ) -> None:
        """Raises `ValueError` for a network in training mode, an unknown backend or a precision
        that it lacks, and `ImportError` where a package is missing."""
        self._backend = backend_of(backend)
        self._backend.check(precision)
        training = next((name for name, each in net.named_modules() if each.training), None)
        if training is not None:
            raise ValueError(
                f"{f'`{training}`' if training else 'the network'} is in training mode, and a fast "
                "step is for inference: call eval() first"
            )
        self._net = deepcopy(net)
        settle(self._net)
        self._net.requires_grad_(False)
        self._net.reset()
        self._laid = self._net.laid
        self._precision = precision
        self._plan: Plan | None = None
        self._chunks: dict[tuple[int, torch.dtype, torch.device], Chunks] = {}
        self._running = False
        graph = self._graph = self._laid.program.graph
        self._plans = not self._laid.program.foreign
        self._planes = any(len(frame.space) == 2 for frame in graph.frames)
        self._light = sum(each.nbytes for each in net.parameters()) <= self._backend.light

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy is made anew and goes on from where this is: the steps of a plan are of its own
        memory."""
        return _going_on, (self._net, self._backend.name, self._precision, self.get_state())

    def __call__(self, frame: Any) -> Any:
        """The output that is due with a frame `(B, C, *S)`, or None where nothing is."""
        return self.forward_step(frame)

    @torch.inference_mode()
    def forward_step(self, frame: Any, update_state: bool = True) -> Any:
        """The output that is due with a frame `(B, C, *S)`, or None where nothing is."""
        plan = self._started() if update_state and not self._laid.program.bursts else None
        if plan is None:
            return self._by_the_network(frame, update_state)
        return rebuild(self._laid.outputs, plan.step(self._taken(frame)))

    def _by_the_network(self, frame: Any, update_state: bool) -> Any:
        """A frame by the network, with which the plan is made; the stream stays where it is where
        there is none to be had."""
        self._stop()
        before = self._net.get_state()
        y = self._net.forward_step(frame, update_state)
        state = self._net.get_state()
        if self._plans and state is not None and state.batch_size:
            try:
                self._plan_of(state, self._inputs(frame))
            except BaseException:
                self._net.set_state(before)
                raise
        return y

    def _plan_of(self, state: State, frame: list[Tensor]) -> Plan:
        """The plan for streams like this one, made if there is none yet."""
        if self._plan is None or not self._plan.fits(state):
            self._plan = self._made(state, frame)
        return self._plan

    def _inputs(self, frame: Any) -> list[Tensor]:
        """The frames of the inputs in order; raises as the network does for others."""
        _, xs = self._net._laid_for(as_clips(frame), "a frame")
        check_alike(xs, "a frame")
        return [x.squeeze(2) for x in xs]

    def _taken(self, frame: Any) -> list[Tensor]:
        """The frames of the inputs in order; raises as the network does for those that are not of
        this stream."""
        plan = self._plan
        if plan is None or (isinstance(frame, Tensor) and plan.takes(frame)):
            return [frame]
        xs = self._inputs(frame)
        check_stream([x.unsqueeze(2) for x in xs], plan.like, "a frame", True, self._net._like)
        return xs

    def _made(self, state: State, frame: list[Tensor]) -> Plan:
        """A plan for streams like this one, once it has been tried."""
        style = self._backend.style_on(state.device, state.batch_size, state.dtype, self._precision)
        exact, modules = self._laid.program, self._laid.program
        dtype = state.dtype
        if self._precision is not None and not self._backend.own_precision:
            dtype, modules = self._precision, deepcopy(self._net).to(self._precision).program
        like = torch.empty(0, dtype=dtype, device=state.device)
        wide = [widened(each, style.channels) for each in (modules, exact)]
        lister = Lister(wide[0], like, style, wide[1])
        plan = Plan(lister, exact, state, style, self._backend, self._precision)
        self.error = trial(plan, exact, frame, self._precision)
        return plan

    @torch.inference_mode()
    def forward_steps(self, chunk: Any, pad_end: bool = False, update_state: bool = True) -> Any:
        """The outputs that become due with a chunk `(B, C, T, *S)`; None where none does. With
        `pad_end` also those that end padding makes due."""
        plan = self._plan
        if plan and update_state and not pad_end:
            _, xs = self._net._laid_for(chunk, "a chunk")
            if self._by_steps(plan.like.batch_size, xs[0].shape[2]) and self._started():
                return self._go_on(plan, xs)
        self._stop()
        return self._net.chunked(chunk, pad_end, update_state, self._advance)

    def chunks_by_steps(self, frames: int) -> bool:
        """Whether the backend takes a chunk of so many frames frame by frame: one frame of networks
        that have no other step; by others than torch also a few of these, and of those whose
        weights stay in the caches, and planes, which one by one stay there. Torch's kernels take
        the others."""
        bursts = self._laid.program.bursts
        if not self._plans or self._backend is EAGER:
            return self._plans and bursts and frames == 1
        return self._planes or ((self._light or bursts) and frames <= AT_ONCE)

    def _go_on(self, plan: Plan, xs: list[Tensor]) -> Any:
        """A chunk by the plan, which keeps the state."""
        check_alike(xs, "a chunk")
        check_stream(xs, plan.like, "a chunk", True, self._net._like)
        return rebuild(self._laid.outputs, self._one_by_one(plan, xs))

    def _one_by_one(self, plan: Plan, xs: list[Tensor]) -> Values:
        """The outputs of a chunk, a frame at a time."""
        frames = zip(*(x.unbind(2) for x in xs), strict=True)
        steps = [plan.clips(list(each)) for each in frames]
        due = ([y for y in column if y is not None] for column in zip(*steps, strict=True))
        ys = tuple(torch.cat(column, 2) if column else None for column in due)
        return ys or (None,) * len(self._graph.outputs)

    def _advance(self, laid: Laid, xs: list[Tensor], state: State) -> tuple[Values, State]:
        """The outputs that become due with clips: at the beginning, and of no stream at all, by the
        network itself, then by kernels."""
        early = min(max(0, self._graph.cycle.start - state.frame), xs[0].shape[2])
        if laid.program.foreign or early == xs[0].shape[2] or not state.batch_size:
            return laid.program.steps(xs, state)
        parts: list[Values] = []
        if early:
            ys, state = laid.program.steps([x[:, :, :early] for x in xs], state)
            parts.append(ys)
        if self._by_steps(state.batch_size, xs[0].shape[2] - early):
            plan = self._plan_of(state, [x[:, :, early] for x in xs])
            plan.load(state)
            parts.append(self._one_by_one(plan, [x[:, :, early:] for x in xs]))
            return tuple(map(behind, *parts)), plan.dump()
        run = laid.program.steps if laid.program.bursts else self._chunks_of(state).steps
        size = self._at_once(state.batch_size) if self._planes else xs[0].shape[2]
        for some in zip(*(x[:, :, early:].split(size, 2) for x in xs), strict=True):
            ys, state = run(list(some), state)
            parts.append(ys)
        return tuple(map(behind, *parts)), state

    def _chunks_of(self, state: State) -> Chunks:
        """How chunks of such streams run: of one stream as clips."""
        batch = state.batch_size
        kind = batch, state.dtype, state.device
        if kind not in self._chunks:
            like = torch.empty(0, dtype=state.dtype, device=state.device)
            style = EAGER.style(batch * self._at_once(batch), state.device)
            lister = Lister(self._laid.program, like, replace(style, along=batch == 1))
            self._chunks = {kind: Chunks(lister, style.last)}
        return self._chunks[kind]

    def _by_steps(self, batch: int, frames: int) -> bool:
        """Whether chunks of so many streams and frames go frame by frame: also planes that would be
        computed one after the other."""
        alone = self._plans and self._planes and self._at_once(batch) == 1
        return alone or self.chunks_by_steps(frames)

    def _at_once(self, batch: int) -> int:
        """Frames of a chunk of so many streams that are computed together."""
        planes = min(AT_ONCE, NUMBERS // max(frame.size for frame in self._graph.frames))
        return max(1, planes // max(1, batch))

    @torch.inference_mode()
    def step(self, frame: Any, state: State) -> tuple[Any, State]:
        """The pure step: the output that is due with a frame `(B, C, *S)`, or None, and the new
        state. It leaves the stream where it is."""
        return self._net.step(frame, state)

    @torch.inference_mode()
    def flush(self) -> Any:
        """The outputs that are left, were the stream to end here; None where there are none. The
        stream can go on after it."""
        self._stop()
        return self._net.flush()

    def reset(self) -> None:
        """Forget the stream: the next frame is the first."""
        self._running = False
        self._net.reset()

    def get_state(self) -> State | None:
        """The state of the stream, in memory of its own, or None before the first frame."""
        if self._running and self._plan is not None:
            return self._plan.dump()
        state = self._net.get_state()
        return None if state is None else state.copy()

    def set_state(self, state: State | None) -> None:
        """Go on from a state of the network or of this; raises `ValueError` for another."""
        self._net.set_state(state)
        self._running = False

    @property
    def held(self) -> int:
        """Bytes that the plan keeps between two frames, without what a form of the backend adds; 0
        where there is none yet."""
        return self._plan.held if self._plan is not None else 0

    def _stop(self) -> None:
        """Give the state back to the network."""
        if self._running and self._plan is not None:
            self._net._state = self._plan.dump()
            self._running = False

    def _started(self) -> Plan | None:
        """The plan, which has the state from here on; None where there is none yet, or the stream
        is not beyond its beginning."""
        plan = self._plan
        if self._running or plan is None:
            return plan
        state = self._net.get_state()
        if state is None or not plan.fits(state) or state.frame < self._graph.cycle.start:
            return None
        plan.load(state)
        self._running = True
        self._net.reset()
        return plan


def _going_on(
    net: Streaming, backend: str, precision: torch.dtype | None, state: State | None
) -> FastStep:
    """A fast step whose stream goes on from a state."""
    made = FastStep(net, backend, precision)
    made.set_state(state)
    return made


def compile_step(
    net: Streaming, backend: str = "eager", precision: torch.dtype | None = None
) -> FastStep:
    """The fast step of a network in `eval()`, by a backend and in a precision.

    Raises `ValueError` for a network in training mode, an unknown backend or a precision that it
    lacks, and `ImportError` where a package is missing.
    """
    return FastStep(net, backend, precision)
