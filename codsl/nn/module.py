"""What every continual module can do: a clip, a step, steps, the end."""

from abc import abstractmethod
from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor, nn

from codsl.graph.graph import Graph
from codsl.nn.program import Program
from codsl.nn.state import State


class CoModule(nn.Module):
    """A module over sequences that runs in three ways, with one answer.

    A clip is `(B, C, T, *S)`, a frame `(B, C, *S)`. The contract holds in `eval()`; in training
    mode batch normalisation and dropout are torch's. In `eval()` new state is detached.
    """

    _state: State | None = None

    @property
    @abstractmethod
    def graph(self) -> Graph:
        """The checked graph of this module, relative to its own input."""

    @property
    @abstractmethod
    def program(self) -> Program:
        """The graph with the modules that compute it."""

    @property
    def receptive_field(self) -> float:
        """Frames from the oldest to the newest that one output depends on; may be `math.inf`."""
        return self.graph.receptive_field

    @property
    def delay(self) -> int:
        """The frame at which the first output comes out of a stream, counted from 0."""
        return self.graph.delay

    @property
    def min_frames(self) -> int:
        """The least clip that has an output, and an input for every layer."""
        return self.graph.min_frames

    def init_state(
        self,
        batch_size: int = 1,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> State:
        """The state before the first frame; dtype and device are the network's if not given."""
        if batch_size < 0:
            raise ValueError(f"a batch has a size, got {batch_size}")
        own = self._like()
        where = torch.device(device) if device is not None else own.device
        return self.program.init_state(batch_size, dtype or own.dtype, where)

    def _like(self) -> Tensor:
        """A tensor of the dtype and on the device of this module."""
        tensors = chain(self.parameters(), self.buffers())
        return next((each for each in tensors if each.is_floating_point()), torch.empty(0))

    def step(self, frame: Tensor, state: State) -> tuple[Tensor | None, State]:
        """The pure step: the output that is due with a frame `(B, C, *S)`, or None, and the new
        state. Neither `frame` nor `state` is changed."""
        self._check(frame.unsqueeze(2) if frame.dim() > 1 else frame, state, "a frame")
        y, new = self._advance(frame.unsqueeze(2), state)
        return None if y is None else y.squeeze(2), new

    def forward_step(self, frame: Tensor, update_state: bool = True) -> Tensor | None:
        """The output that is due with a frame `(B, C, *S)`; None where nothing is.

        Output `j` comes with frame `j * stride + delay`, counted from 0.
        """
        y, new = self.step(frame, self._begin(frame))
        if update_state:
            self._state = new
        return y

    def forward_steps(
        self, chunk: Tensor, pad_end: bool = False, update_state: bool = True
    ) -> Tensor | None:
        """The outputs that become due with the frames of a chunk `(B, C, T, *S)`; None where none
        does. With `pad_end` also those that end padding makes due, as `flush` gives them."""
        state = self._begin(chunk)
        self._check(chunk, state, "a chunk")
        y, new = self._advance(chunk, state) if chunk.shape[2] else (None, state)
        parts = [y, self.program.flush(new) if pad_end else None]
        if update_state:
            self._state = new
        due = [part for part in parts if part is not None]
        return torch.cat(due, 2) if len(due) > 1 else next(iter(due), None)

    def flush(self) -> Tensor | None:
        """The outputs that are left, were the stream to end here; None where there are none.

        End padding goes to a copy: the stream can go on after it.
        """
        return None if self._state is None else self.program.flush(self._state)

    def reset(self) -> None:
        """Forget the stream: the next frame is the first."""
        self._state = None

    def clean_state(self) -> None:
        """Forget the stream: the same as `reset`."""
        self.reset()

    def get_state(self) -> State | None:
        """The state of the stream, or None before the first frame."""
        return self._state

    def set_state(self, state: State | None) -> None:
        """Go on from a state that `get_state`, `step` or `init_state` gave."""
        if state is not None:
            self._check_state(state)
        self._state = state

    def warm_up(self, step_shape: Sequence[int]) -> None:
        """Start anew with `delay` frames of zeros, so that the next step has an output.

        `step_shape` is the shape of a frame with its batch, `(B, C, *S)`.
        """
        self.reset()
        like = self.init_state(step_shape[0])
        frame = torch.zeros(tuple(step_shape), dtype=like.dtype, device=like.device)
        for _ in range(self.delay):
            self.forward_step(frame)

    def _begin(self, x: Tensor) -> State:
        """The state of the stream, or that of a new one like the network and its first frame."""
        if self._state is not None:
            return self._state
        if x.dim() < 2:
            raise ValueError(f"a frame is (B, C, *S), got a tensor of shape {tuple(x.shape)}")
        kind = x.device.type
        casts = torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
        like = x if casts else self._like()
        return self.program.init_state(x.shape[0], like.dtype, like.device)

    def _advance(self, x: Tensor, state: State) -> tuple[Tensor | None, State]:
        y, new = self.program.steps(x, state)
        if self.training:
            return y, new
        tensors = tuple(tensor.detach() for tensor in new.tensors)
        return y, State(new.frame, new.batch_size, new.dtype, new.device, tensors)

    def _check(self, x: Tensor, state: State, what: str) -> None:
        """Refuse what is not of this stream, before anything is computed."""
        self._check_state(state)
        self._check_shape(x, what)
        if x.shape[0] != state.batch_size:
            raise ValueError(
                f"the stream has a batch of {state.batch_size}, {what} has "
                f"{x.shape[0]}; reset() starts a new stream"
            )
        if x.dtype != state.dtype or x.device != state.device:
            begun = self._state is not None
            raise ValueError(
                f"the {'stream' if begun else 'network'} is {state.dtype} on {state.device}, "
                f"{what} is {x.dtype} on {x.device}"
                f"{'; reset() starts a new stream' if begun else ''}"
            )

    def _check_state(self, state: State) -> None:
        if not isinstance(state, State):
            raise TypeError(
                f"a state is what init_state, step or get_state gives, not a {type(state).__name__}"
            )
        if state.layout != self.program.layout:
            raise ValueError(
                f"this state is of another network: it keeps {list(state.layout)}, "
                f"here it is {list(self.program.layout)}"
            )

    def _check_shape(self, x: Tensor, what: str) -> None:
        frame = self.graph.input
        if x.dim() != 2 + frame.rank or (x.shape[1], *x.shape[3:]) != frame.shape:
            wanted = f"{frame}" if what != "a frame" else " x ".join(map(str, frame.shape))
            got = tuple(x.shape) if what != "a frame" else (*x.shape[:2], *x.shape[3:])
            raise ValueError(f"{what} is B x {wanted}, got one of shape {got}")

    def _check_clip(self, x: Tensor) -> None:
        self._check_shape(x, "a clip")
        least, path = self.graph.shortest
        if x.shape[2] < least:
            raise ValueError(
                f"a clip of {x.shape[2]} frames is too short: `{path}` asks for {least}"
            )


def strides(graph: Graph) -> tuple[int, ...]:
    """The stride of a graph in every dimension, time first."""
    return tuple(axis.stride for axis in (graph.time, *graph.space))


def paddings(graph: Graph) -> tuple[float, ...]:
    """The padding before the first input in every dimension, time first."""
    return tuple(max(0, axis.past) for axis in (graph.time, *graph.space))
