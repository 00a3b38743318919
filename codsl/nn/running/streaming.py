"""How modules of codsl run: by a program over their graph, with a state that is a value."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from codsl.algebra.shape import Frame
from codsl.graph.graph import Graph
from codsl.nn.module import CoModule
from codsl.nn.nest import Nest, key, leaves, number, rebuild
from codsl.nn.older import PureStep, call_mode
from codsl.nn.running.batch_statistics import warn_of_the_batch
from codsl.nn.running.intake import check_alike, check_stream, differs, unlike
from codsl.nn.running.laid import Laid, Taken, as_clips
from codsl.nn.running.parted import Parted, structure
from codsl.nn.running.program import Program, Values
from codsl.nn.running.state import State
from codsl.nn.running.stream import Slots
from codsl.nn.running.timed import Timed
from codsl.nn.running.trace import Trace, outlets_of, values_of
from codsl.nn.running.work import Late

Advance = Callable[[Laid, list[Tensor], State], tuple[Values, State]]
"""How a stream goes on by clips: its outputs, and the new state."""


class Streaming(Timed, CoModule, PureStep, abstract=True):
    """A module whose stream is a program over a graph.

    The contract holds in `eval()`; in training mode batch normalisation and dropout are torch's.
    In `eval()` new state is detached.
    """

    _state: State | None = None
    _begun: Taken | None = None
    _warned: bool = False

    @abstractmethod
    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add what this module does with these values to a graph, and give what it makes of them.

        Both are numbers of values, or nests of such. Raises `ValueError` where that cannot be.
        """

    @abstractmethod
    def _laid_for(self, inputs: Any, what: str) -> tuple[Laid, list[Tensor]]:
        """The layout for these clips, and the clips in order; raises `ValueError` for others."""

    @abstractmethod
    def _settled(self) -> Laid | None:
        """The layout of the stream, or None while it is not known."""

    @abstractmethod
    def _bound(self, state: State) -> Laid | None:
        """The layout that a state has to fit, or None where the next frame decides."""

    @property
    def laid(self) -> Laid:
        """The layout of the stream; raises `ValueError` before the first input where that decides
        it."""
        laid = self._settled()
        if laid is None:
            raise ValueError(
                "the sizes of the frames are not known before the first input: feed one, and call "
                "reset() where it is not to count"
            )
        return laid

    @property
    def program(self) -> Program:
        """The graph with the modules that compute it; raises `ValueError` before the first input
        where that decides them."""
        return self.laid.program

    @property
    def graph(self) -> Graph:
        """The checked graph of this module, relative to its own input."""
        return self.program.graph

    @property
    def min_frames(self) -> int:
        """The least clip that has an output, and an input for every layer."""
        return self.graph.min_frames

    def _run_clip(self, clip: Any) -> Any:
        """The outputs of a clip at once."""
        laid, xs = self._laid_for(clip, "a clip")
        check_alike(xs, "the clips")
        check_length(xs[0], *laid.program.graph.shortest)
        try:
            with call_mode.plain():
                return rebuild(laid.outputs, laid.program.clip(xs))
        except RuntimeError as error:
            own = self._like()
            if own is None or _casts(xs[0]) or not any(differs(x, own) for x in xs):
                raise
            strange = next(x for x in xs if differs(x, own))
            raise ValueError(unlike(strange, own, "a clip", "network")) from error

    def init_state(
        self,
        batch_size: int = 1,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> State:
        """The state before the first frame; dtype and device are the network's if not given."""
        if batch_size < 0:
            raise ValueError(f"a batch has a size, got {batch_size}")
        own = self._own()
        where = own.device if device is None else torch.empty(0, device=device).device
        return self.program.init_state(batch_size, dtype or own.dtype, where)

    def stream(
        self,
        slots: int,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> Slots:
        """Room for so many streams in one batch, which join, step and leave when they will.

        Dtype and device are the network's if not given. Raises `ValueError` for less than one slot.
        """
        return Slots(self, slots, dtype, device)

    def _like(self) -> Tensor | None:
        """A tensor of the dtype and on the device of this module, where it has one."""
        tensors = chain(self.parameters(), self.buffers())
        return next((each for each in tensors if each.is_floating_point()), None)

    def _own(self) -> Tensor:
        like = self._like()
        return torch.empty(0) if like is None else like

    def step(self, frame: Any, state: State) -> tuple[Any, State]:
        """The pure step: the output that is due with a frame `(B, C, *S)`, or None, and the new
        state. Neither `frame` nor `state` is changed."""
        return self._stepped(*self._laid_for(as_clips(frame), "a frame"), state)

    def _stepped(self, laid: Laid, xs: list[Tensor], state: State) -> tuple[Any, State]:
        self._check(laid, xs, state, "a frame")
        if laid.program.bursts:
            raise ValueError(
                "some frames give several outputs, which a step cannot: feed this network "
                "with forward_steps, a chunk of one frame or more"
            )
        ys, new = self._advance(laid, xs, state)
        each = [None if y is None else y.squeeze(2) for y in ys]
        return rebuild(laid.outputs, each), new

    def forward_step(self, frame: Any, update_state: bool = True) -> Any:
        """The output that is due with a frame `(B, C, *S)`; None where nothing is.

        Output `j` comes with frame `j * stride + delay`, counted from 0. Illustration (I: frame,
        N: network, O: output, S: state)::

            O+S O+S O+S O+S
             ↑   ↑   ↑   ↑
             N   N   N   N
             ↑   ↑   ↑   ↑
             I   I   I   I
        """
        laid, xs = self._laid_for(as_clips(frame), "a frame")
        y, new = self._stepped(laid, xs, self._begin(laid, xs))
        if update_state:
            self._go_on(laid, new)
        return y

    def forward_steps(self, chunk: Any, pad_end: bool = False, update_state: bool = True) -> Any:
        """The outputs that become due with the frames of a chunk `(B, C, T, *S)`; None where none
        does. With `pad_end` also those that end padding makes due, as `flush` gives them.

        Illustration (P: padding, I: frame, N: network, O: output, S: state)::

                    O
                    ↑
            -----------------    (-: aggregation)
            O  O+S O+S O+S  O
            ↑   ↑   ↑   ↑   ↑
            N   N   N   N   N
            ↑   ↑   ↑   ↑   ↑
            P   I   I   I   P
        """
        return self.chunked(chunk, pad_end, update_state, self._advance)

    def chunked(self, chunk: Any, pad_end: bool, update_state: bool, advance: Advance) -> Any:
        """The same as `forward_steps`, where `advance` says how the stream goes on."""
        laid, xs = self._laid_for(chunk, "a chunk")
        state = self._begin(laid, xs)
        self._check(laid, xs, state, "a chunk")
        ys: Values = (None,) * len(laid.program.graph.outputs)
        new = state
        if xs[0].shape[2]:
            ys, new = advance(laid, xs, state)
        if pad_end:
            ys = tuple(map(behind, ys, self._ends(laid, new)))
        if update_state:
            self._go_on(laid, new)
        return rebuild(laid.outputs, ys)

    def flush(self) -> Any:
        """The outputs that are left, were the stream to end here; None where there are none.

        End padding goes to a copy: the stream can go on after it. Raises `ValueError` where the
        state was set before any input, which decides the sizes of the frames, and for a state of
        another network.
        """
        laid = self._settled()
        if laid is None and self._state is None:
            return None
        if laid is None:
            raise ValueError(
                "a state was set, but the sizes of the frames are not known before the first "
                "input: give `forward_steps` a chunk of them first, which may be empty"
            )
        if self._state is None:
            return rebuild(laid.outputs, (None,) * len(laid.program.graph.outputs))
        self._check_state(laid, self._state)
        return rebuild(laid.outputs, self._ends(laid, self._state))

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
            self._check_state(None, state)
            self._check_state(self._bound(state), state)
        self._state = state

    def warm_up(self, step_shape: Sequence[int] | Mapping[str, Sequence[int]]) -> None:
        """Start anew with frames of zeros, as many as come before that of the first output: the
        next step has one. Of several outputs the last to begin decides.

        `step_shape` is the shape of a frame with its batch, `(B, C, *S)`, or one for each input by
        name.
        """
        self.reset()
        laid, _ = self._laid_for(self._zeros(step_shape, 1), "a frame")
        self.forward_steps(self._zeros(step_shape, laid.program.graph.begins))

    def _zeros(self, step_shape: Any, frames: int) -> Any:
        """Clips of zeros."""
        if isinstance(step_shape, Mapping):
            return {name: self._zeros(each, frames) for name, each in step_shape.items()}
        like = self._own()
        batch, channels, *space = step_shape
        return torch.zeros((batch, channels, frames, *space), dtype=like.dtype, device=like.device)

    def _begin(self, laid: Laid, xs: list[Tensor]) -> State:
        """The state of the stream, or that of a new one like the network and its first frame."""
        if self._state is not None:
            return self._state
        first = xs[0]
        own = self._like()
        like = first if _casts(first) or own is None else own
        return laid.program.init_state(first.shape[0], like.dtype, like.device)

    def _go_on(self, laid: Laid, state: State) -> None:
        self._state, self._begun = state, laid.taken

    def _advance(
        self, laid: Laid, xs: list[Tensor], state: State, late: Late | None = None
    ) -> tuple[Values, State]:
        program = laid.program
        of_the_batch = None if self._warned else next(program.of_the_batch, None)
        if of_the_batch is not None:
            self._warned = True
            warn_of_the_batch(of_the_batch)
        with call_mode.plain():
            ys, new = program.rows(xs, state, late) if late else program.steps(xs, state)
        if self.training:
            return ys, new
        return ys, new.detached()

    def _ends(self, laid: Laid, state: State) -> Values:
        """The outputs that are left, were a stream to end here."""
        with call_mode.plain():
            return laid.program.flush(state)

    def _check(self, laid: Laid, xs: list[Tensor], state: State, what: str) -> None:
        """Refuse what is not of this stream, before anything is computed."""
        self._check_state(laid, state)
        check_alike(xs, what)
        check_stream(xs, state, what, self._state is not None, self._like)

    def _check_state(self, laid: Laid | None, state: State) -> None:
        if not isinstance(state, State):
            raise TypeError(
                f"a state is what init_state, step or get_state gives, not a {type(state).__name__}"
            )
        difference = "" if laid is None else laid.program.difference(state)
        if difference:
            raise ValueError(f"this state is of another network: {difference}")


class Laying(Streaming, Parted, abstract=True):
    """A module that is laid out once the frames that enter it are known."""

    _taken: tuple[Frame, ...] | None = None
    _layouts: tuple[int, dict[Any, Laid]] = (-1, {})

    def _laid_for(self, inputs: Any, what: str) -> tuple[Laid, list[Tensor]]:
        xs = list(leaves(inputs))
        for x in xs:
            check_clip(x, what)
        if not xs:
            raise ValueError(f"{what} holds no tensor")
        return self._layout(number(inputs), tuple(map(_frame, xs)), xs[0]), xs

    def _layout(self, inputs: Nest, frames: tuple[Frame, ...], first: Tensor | None = None) -> Laid:
        if self._layouts[0] != structure():
            self._layouts = structure(), {}
        layouts = self._layouts[1]
        where = (key(inputs), frames)
        if where not in layouts:
            like = None if first is None else first.new_empty(0)
            own = self._like()
            trace = Trace(frames, like if own is None else own)
            values, nest = outlets_of(self.lay(trace, "", values_of(inputs)))
            layouts[where] = Laid(trace.program(type(self).__name__, values), nest, inputs, like)
        return layouts[where]

    def __getstate__(self) -> dict[str, Any]:
        """All but layouts, which hold in this process alone."""
        kept: Any = super().__getstate__()  # type: ignore[no-untyped-call]
        return {name: each for name, each in kept.items() if name != "_layouts"}

    def _settled(self) -> Laid | None:
        if self._begun is not None:
            return self._layout(*self._begun)
        return None if self._taken is None else self._layout(0, self._taken)

    def _bound(self, state: State) -> Laid | None:
        """Between streams that of another network may be one of other frames, which come next."""
        laid = self._settled()
        if laid is None or self._taken is not None or self._state is not None:
            return laid
        if state.network == laid.program.graph.fingerprint:
            return laid
        self._begun = None
        return None


def _casts(x: Tensor) -> bool:
    """Whether torch is asked to choose dtypes itself where this tensor is."""
    kind = x.device.type
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


def _frame(x: Tensor) -> Frame:
    return Frame(x.shape[1], tuple(x.shape[3:]))


def check_clip(x: Any, what: str) -> None:
    """Raise `TypeError` or `ValueError` for what is no clip."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{what} is a tensor, not of type {type(x).__name__}")
    if x.dim() < 3:
        one = what == "a frame" and x.dim() > 1
        shape = (*x.shape[:2], *x.shape[3:]) if one else tuple(x.shape)
        wanted = "(B, C, *S)" if what == "a frame" else "(B, C, T, *S)"
        raise ValueError(f"{what} is {wanted}, got a tensor of shape {shape}")


def check_length(x: Tensor, least: int, path: str) -> None:
    """Raise `ValueError` for a clip shorter than what is asked for at `path`."""
    if x.shape[2] < least:
        raise ValueError(f"a clip of {x.shape[2]} frames is too short: `{path}` asks for {least}")


def behind(*parts: Tensor | None) -> Tensor | None:
    """The outputs of parts of a stream; None where none has any."""
    due = [part for part in parts if part is not None]
    return torch.cat(due, 2) if len(due) > 1 else next(iter(due), None)
