"""The base class of continual modules, and what it asks of those who derive from it."""

from abc import abstractmethod
from collections.abc import Sequence
from itertools import chain
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from codsl.nn.older import Modal

REQUIRED = (
    "receptive_field",
    "forward",
    "forward_step",
    "get_state",
    "set_state",
    "clean_state",
)
"""What a continual module cannot do without."""


class CoModule(Modal):
    """A module over sequences that computes a clip at once, frames one by one, or chunks of them.

    A clip is `(B, C, T, *S)`, a frame `(B, C, *S)`. A class that derives from this one states
    `receptive_field` and implements `forward`, `forward_step`, `get_state`, `set_state` and
    `clean_state`; `delay`, `stride` and `padding` where they are not as below. Otherwise the class
    statement is a `TypeError` that names what is missing.

    Attributes:
        receptive_field: frames from the oldest to the newest that one output depends on.
        delay: the frame at which the first output comes out of a stream, counted from 0.
        stride: inputs per output, time first, then space.
        padding: padding before the first input, time first, then space.
    """

    receptive_field: Any
    stride: Any = (1,)
    padding: Any = (0,)
    abstract: ClassVar[bool] = True

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        """Refuse a class that lacks what streams need of it."""
        super().__init_subclass__(**kwargs)
        cls.abstract = abstract
        if abstract:
            return
        missing = [name for name in REQUIRED if _lacks(cls, name)]
        if missing:
            listed = ", ".join(f"`{name}`" for name in missing)
            raise TypeError(f"a continual module has to say what {listed} is: {cls.__name__}")

    @property
    def delay(self) -> Any:
        """The frame at which the first output comes out of a stream, counted from 0."""
        return self.receptive_field - 1 - first(self.padding)

    @property
    def state(self) -> Any:
        """The state of the stream, or None before the first frame; it can be set."""
        return self.get_state()

    @state.setter
    def state(self, state: Any) -> None:
        self.set_state(state)

    def forward(self, input: Any) -> Any:
        """The outputs of a clip `(B, C, T, *S)` at once, as torch.nn computes them.

        Illustration (P: padding, I: frame, N: network, O: output)::

                    O
                    ↑
                    N
                    ↑
            -----------------    (-: aggregation)
            P   I   I   I   P
        """
        raise NotImplementedError

    @abstractmethod
    def forward_step(self, input: Any, update_state: bool = True) -> Any:
        """The output that is due with a frame `(B, C, *S)`; None where nothing is.

        Illustration (I: frame, N: network, O: output, S: state)::

            O+S O+S O+S O+S
             ↑   ↑   ↑   ↑
             N   N   N   N
             ↑   ↑   ↑   ↑
             I   I   I   I
        """

    def forward_steps(self, input: Any, pad_end: bool = False, update_state: bool = True) -> Any:
        """The outputs that become due with the frames of a chunk `(B, C, T, *S)`; None where none
        does. With `pad_end` also those that end padding makes due: frames of zeros after the last.

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
        before = self.get_state()
        try:
            due = [self.forward_step(frame) for frame in input.unbind(2)]
            after = self.get_state()
            if pad_end:
                blank = input.new_zeros((*input.shape[:2], *input.shape[3:]))
                due += [self.forward_step(blank) for _ in range(first(self.padding))]
        except BaseException:
            self._restore(before)
            raise
        self._restore(after if update_state else before)
        made = [y for y in due if isinstance(y, Tensor)]
        return torch.stack(made, 2) if made else None

    def _restore(self, state: Any) -> None:
        if state is None:
            self.clean_state()
        else:
            self.set_state(state)

    @abstractmethod
    def get_state(self) -> Any:
        """The state of the stream, or None before the first frame."""

    @abstractmethod
    def set_state(self, state: Any) -> None:
        """Go on from a state that `get_state` gave."""

    @abstractmethod
    def clean_state(self) -> None:
        """Forget the stream: the next frame is the first."""

    def warm_up(self, step_shape: Sequence[int]) -> None:
        """Start anew with `delay` frames of zeros, so that the next step has an output.

        `step_shape` is the shape of a frame with its batch, `(B, C, *S)`. To warm up with frames of
        your own, give them to `forward_steps`.
        """
        self.clean_state()
        like = next(chain(self.parameters(), self.buffers()), torch.empty(0))
        batch, channels, *space = step_shape
        self.forward_steps(like.new_zeros((batch, channels, int(self.delay), *space)))

    def lay(self, trace: Any, path: str, values: Any) -> Any:
        """Add this module to a graph as a node that only it can step."""
        return trace.foreign(path, self, values)

    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> "CoModule":
        """A continual module with a copy of the parameters of a module of torch.nn."""
        raise NotImplementedError("this class is not built from a module of torch.nn")


def first(value: Any) -> int:
    """The entry for time of a stride or a padding."""
    return int(value[0] if isinstance(value, Sequence) else value)


def _lacks(cls: type[nn.Module], name: str) -> bool:
    found = getattr(cls, name, None)
    return found is None or found in (nn.Module.forward, getattr(CoModule, name, None))
