"""The fast step of a network: a stream that goes on by a plan once it has begun."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from codsl.engine.lister import Lister
from codsl.engine.plan import Plan
from codsl.engine.style import Style
from codsl.nn.intake import check_alike, check_stream
from codsl.nn.laid import as_clips
from codsl.nn.nest import rebuild
from codsl.nn.state import State
from codsl.nn.streaming import Streaming

BACKENDS = ("eager",)


class FastStep:
    """A stream of a network in `eval()`, under `torch.inference_mode`.

    Calling it with a frame `(B, C, *S)` is `forward_step`; its other methods are as those of the
    network, and so are its states: a stream can move between the two. The weights are those of
    when it was made. The first frames, those of `graph.cycle.start`, go by the network itself, as
    do chunks.
    """

    def __init__(self, net: Streaming) -> None:
        training = next((name for name, each in net.named_modules() if each.training), None)
        if training is not None:
            raise ValueError(
                f"{f'`{training}`' if training else 'the network'} is in training mode, and a fast "
                "step is for inference: call eval() first"
            )
        self._net = deepcopy(net)
        self._net.requires_grad_(False)
        self._net.reset()
        self._laid = self._net.laid
        self._plan: Plan | None = None
        self._running = False
        graph = self._laid.program.graph
        self._bursts = any(graph.times[outlet.value].bursts for outlet in graph.outputs)

    def __call__(self, frame: Any) -> Any:
        """The output that is due with a frame `(B, C, *S)`, or None where nothing is."""
        return self.forward_step(frame)

    @torch.inference_mode()
    def forward_step(self, frame: Any, update_state: bool = True) -> Any:
        """The output that is due with a frame `(B, C, *S)`, or None where nothing is."""
        if not (update_state and self._running and self._plan is not None):
            return self._by_the_network(frame, update_state)
        ys = self._plan.step(self._taken(frame))
        return rebuild(self._laid.outputs, ys)

    def _by_the_network(self, frame: Any, update_state: bool) -> Any:
        self._stop()
        y = self._net.forward_step(frame, update_state)
        self._start()
        return y

    def _taken(self, frame: Any) -> list[Tensor]:
        """The frames of the inputs in order; raises as the network does for others."""
        plan = self._plan
        if plan is not None and isinstance(frame, Tensor) and plan.takes(frame):
            return [frame]
        _, xs = self._net._laid_for(as_clips(frame), "a frame")
        check_alike(xs, "a frame")
        if plan is not None:
            check_stream(xs, plan.like, "a frame", True)
        return [x.squeeze(2) for x in xs]

    @torch.inference_mode()
    def forward_steps(self, chunk: Any, pad_end: bool = False, update_state: bool = True) -> Any:
        """The outputs that become due with a chunk `(B, C, T, *S)`; None where none does. With
        `pad_end` also those that end padding makes due."""
        self._stop()
        try:
            return self._net.forward_steps(chunk, pad_end, update_state)
        finally:
            self._start()

    @torch.inference_mode()
    def flush(self) -> Any:
        """The outputs that are left, were the stream to end here; None where there are none. The
        stream can go on after it."""
        self._stop()
        y = self._net.flush()
        self._start()
        return y

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
        self._start()

    def _stop(self) -> None:
        """Give the state back to the network."""
        if self._running and self._plan is not None:
            self._net._state = self._plan.dump()
            self._running = False

    @torch.inference_mode()
    def _start(self) -> None:
        """Go on by the plan, where a stream is beyond its beginning."""
        state, program = self._net.get_state(), self._laid.program
        if state is None or self._bursts or program.foreign:
            return
        if state.frame < program.graph.cycle.start:
            return
        if self._plan is None or not self._plan.fits(state):
            self._plan = self._made(state)
        else:
            self._plan.load(state)
        self._running = True
        self._net.reset()

    def _made(self, state: State) -> Plan:
        """A plan for streams like this one."""
        packs = state.device.type == "cpu" and torch._C._has_mkldnn
        style = Style(last=True, packed=packs, batch=state.batch_size)
        like = torch.empty(0, dtype=state.dtype, device=state.device)
        return Plan(Lister(self._laid.program, like, style), state, style)


def compile_step(net: Streaming, backend: str = "eager") -> FastStep:
    """The fast step of a network in `eval()`; raises `ValueError` for an unknown backend, and for
    a network in training mode."""
    if backend not in BACKENDS:
        listed = ", ".join(f"`{name}`" for name in BACKENDS)
        raise ValueError(f"there is no backend `{backend}`; there is {listed}")
    return FastStep(net)
