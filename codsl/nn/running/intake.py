"""What a stream takes in: inputs of one clock, which are like the stream."""

from collections.abc import Callable

import torch
from torch import Tensor

from codsl.nn.running.state import State

_CASTS = {
    torch.float64: ".double()",
    torch.float32: ".float()",
    torch.float16: ".half()",
    torch.bfloat16: ".bfloat16()",
}


def check_alike(xs: list[Tensor], what: str) -> None:
    """Raise `ValueError` unless several inputs have one batch and one clock."""
    sizes = {(x.shape[0], x.shape[2]) for x in xs}
    if len(sizes) > 1:
        raise ValueError(
            f"{what} of several inputs have the same batch and the same number of frames, got "
            + ", ".join(f"{batch} x {frames}" for batch, frames in sorted(sizes))
        )


def check_stream(
    xs: list[Tensor], state: State, what: str, begun: bool, like: Callable[[], Tensor | None]
) -> None:
    """Raise `ValueError` for inputs of another batch, dtype or device than the stream's state;
    `begun` says that it has had a frame, and `like` gives a tensor of the network, if it has one.
    """
    for x in xs:
        if x.shape[0] != state.batch_size:
            raise ValueError(
                f"the stream has a batch of {state.batch_size}, {what} has "
                f"{x.shape[0]}; reset() starts a new stream"
            )
        if differs(x, state):
            own = like()
            anew = begun and (own is None or not differs(x, own))
            raise ValueError(unlike(x, state, what, "stream" if begun else "network", anew))


def differs(x: Tensor, here: State | Tensor) -> bool:
    """Whether an input is of another dtype or on another device."""
    return x.dtype != here.dtype or x.device != here.device


def unlike(x: Tensor, here: State | Tensor, what: str, whose: str, anew: bool = False) -> str:
    """What is wrong with such an input of the `network` or the `stream`, and how it would fit;
    `anew` says that a new stream would take it."""
    remedy = "reset() starts a new stream" if anew else _fitting(x, here)
    if whose == "network" and x.dtype != here.dtype and x.dtype in _CASTS:
        remedy += f", or call `net{_CASTS[x.dtype]}` first"
    return (
        f"the {whose} is {here.dtype} on {here.device}, {what} is {x.dtype} on {x.device}; {remedy}"
    )


def _fitting(x: Tensor, here: State | Tensor) -> str:
    """The call that makes an input fit."""
    moved = f'.to("{here.device}")' if x.device != here.device else ""
    cast = _CASTS.get(here.dtype, f".to({here.dtype})") if x.dtype != here.dtype else ""
    if x.dtype == torch.uint8:
        return f"give `x{moved}{cast}`, or `x{moved}{cast} / 255` where it learnt from 0 to 1"
    return f"give `x{moved}{cast}`"
