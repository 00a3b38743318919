"""Older spellings of continual-inference, 0.7 and 1.2: every one of them stands here."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import wraps
from threading import local
from types import SimpleNamespace
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor, nn

from codsl.nn.flat_state import flat_state_dict
from codsl.nn.functions.functions import join_concat, join_sum
from codsl.nn.nest import leaves

P = ParamSpec("P")
T = TypeVar("T")

AGGREGATION = {"reduce": "aggregation", "aggregation_fn": "aggregation"}
"""How 1.2 and 0.7 call an aggregation."""
SHRINK = {"residual_shrink": "shrink", "phantom_padding": "shrink"}
"""How they call the cropping of a shortcut."""
MODES = ("forward", "forward_step", "forward_steps")


class PaddingMode(Enum):
    """What stands for frames that never came."""

    REPLICATE = "replicate"
    ZEROS = "zeros"
    NEG_INF = "neg_inf"


class Refused(ValueError, AssertionError):
    """A `ValueError` where the older library raised an `AssertionError`."""


def word_of(fill: Any) -> Any:
    """The word for a fill."""
    return fill.value if isinstance(fill, PaddingMode) else fill


def fill_of(value: Any) -> Any:
    """A fill by its word; raises `ValueError` for one that is none."""
    word = word_of(value)
    if word not in (None, "zeros", "replicate"):
        raise ValueError(f"`temporal_fill` is zeros or replicate, got {value!r}")
    return word


def older(**names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function take arguments under older names too: `@older(reduce="aggregation")`."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            for old, new in names.items():
                if old in kwargs and new in kwargs:
                    raise TypeError(f"`{old}` is an older name of `{new}`: give one of them")
                if old in kwargs:
                    kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


class _CallMode(local):
    """`with call_mode("forward_step"):` a call of a module is a step, in this thread."""

    def __init__(self) -> None:
        self.now: str | None = None
        self._before: list[str | None] = []
        self._next: str | None = None

    def __call__(self, mode: Any) -> "_CallMode":
        self._next = mode_of(mode)
        return self

    def __enter__(self) -> None:
        self._before.append(self.now)
        self.now = self._next

    def __exit__(self, *_: object) -> None:
        self.now = self._before.pop()

    @contextmanager
    def plain(self) -> Iterator[None]:
        """Inside a call modules call one another plainly."""
        before, self.now = self.now, "forward"
        try:
            yield
        finally:
            self.now = before


call_mode = _CallMode()
"""Context in which calling a module is `forward`, `forward_step` or `forward_steps`."""


def mode_of(mode: Any) -> str:
    """A mode by its word or number; raises `ValueError` for one that is none."""
    word = MODES[(0, 2, 1)[int(mode)]] if isinstance(mode, int | Tensor) else str(mode).lower()
    if word not in MODES:
        raise ValueError(f"a call mode is one of {', '.join(MODES)}, got {mode!r}")
    return word


class Modal(nn.Module):
    """A module whose call follows the call mode."""

    _call_mode: str | None = None

    @property
    def call_mode(self) -> str:
        """What calling the module means."""
        return call_mode.now or self._call_mode or "forward"

    @call_mode.setter
    def call_mode(self, mode: Any) -> None:
        for module in self.modules():
            if isinstance(module, Modal):
                module.__dict__["_call_mode"] = mode_of(mode)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it as the mode says; the hooks of torch fire in every mode."""
        mode = call_mode.now or self._call_mode or "forward"
        if mode == "forward":
            return super().__call__(*args, **kwargs)

        def once(*given: Any, **named: Any) -> Any:
            del self.__dict__["forward"]
            return getattr(self, mode)(*given, **named)

        with call_mode.plain():
            self.__dict__["forward"] = once
            try:
                return super().__call__(*args, **kwargs)
            finally:
                self.__dict__.pop("forward", None)


class PureStep(nn.Module):
    """A module whose pure step begins by itself."""

    def _forward_step(self, input: Tensor, prev_state: Any = None) -> tuple[Any, Any]:
        """The pure step, from the beginning where there is no state; it touches no stream, but what
        frames there are is known from then on."""
        if prev_state is None:
            laid, xs = self._laid_for(input.unsqueeze(2), "a frame")
            own, self._state = self._state, None
            try:
                prev_state = self._begin(laid, xs)
            finally:
                self._state = own
            self._begun = self._begun or laid.taken
        return self.step(input, prev_state)  # type: ignore[operator,no-any-return]

    _state: Any
    _begun: Any
    _begin: Callable[..., Any]
    _laid_for: Callable[..., Any]


class RingView(nn.Module):
    """The state of a delay as a ring: one slot for each frame, the next one to be given."""

    @property
    def state_buffer(self) -> Tensor:
        """`(delay, B, C, *S)`: frame `t` stands at `t % delay`; empty before the first frame."""
        state = self.get_state()  # type: ignore[operator]
        if state is None or not state.tensors:
            return torch.tensor([])
        items: Tensor = state.tensors[0]
        return items.roll(state.frame % max(1, items.shape[2]), 2).movedim(2, 0)

    @property
    def state_index(self) -> Tensor:
        """The slot of the next output; below 0 before the first."""
        state = self.get_state()  # type: ignore[operator]
        if state is None or not state.tensors:
            return torch.tensor(0)
        depth = state.tensors[0].shape[2]
        late = state.frame - depth
        return torch.tensor(late if late < 0 else state.frame % max(1, depth))


def reduce_sum(inputs: Any) -> Tensor:
    """The sum of a list."""
    return join_sum(*inputs)


def reduce_concat(inputs: Any) -> Tensor:
    """All channels of a list."""
    return join_concat(*inputs)


def flatten(state: Any) -> list[Tensor]:
    """The tensors of a state, or of nested lists, without those that are None or empty."""
    given = getattr(state, "tensors", state)
    return [each for each in leaves(given) if each is not None and each.numel()]


@contextmanager
def temporary_parameter(owner: Any, name: str, value: Any) -> Iterator[None]:
    """An attribute with another value for a while."""
    had, before = hasattr(owner, name), getattr(owner, name, None)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if had:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


class _Once(logging.Filter):
    """Lets a message pass once."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is new."""
        message = record.getMessage()
        new = message not in self._seen
        self._seen.add(message)
        return new


def get_logger(name: str, log_once: bool = False) -> logging.Logger:
    """A logger; with `log_once` each message passes once."""
    logger = logging.getLogger(name)
    if log_once and not any(isinstance(each, _Once) for each in logger.filters):
        logger.addFilter(_Once())
    return logger


PLACES = {
    "container": SimpleNamespace(reduce_sum=reduce_sum, reduce_concat=reduce_concat),
    "logging": SimpleNamespace(getLogger=get_logger),
    "utils": SimpleNamespace(
        flatten=flatten, flat_state_dict=flat_state_dict, temporary_parameter=temporary_parameter
    ),
}
"""What is found under `codsl.nn` where it stood in the older library."""
