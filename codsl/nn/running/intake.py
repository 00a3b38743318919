"""What a stream takes in: inputs of one clock, which are like the stream."""

from torch import Tensor

from codsl.nn.running.state import State


def check_alike(xs: list[Tensor], what: str) -> None:
    """Raise `ValueError` unless several inputs have one batch and one clock."""
    sizes = {(x.shape[0], x.shape[2]) for x in xs}
    if len(sizes) > 1:
        raise ValueError(
            f"{what} of several inputs have the same batch and the same number of frames, got "
            + ", ".join(f"{batch} x {frames}" for batch, frames in sorted(sizes))
        )


def check_stream(xs: list[Tensor], state: State, what: str, begun: bool) -> None:
    """Raise `ValueError` for inputs of another batch, dtype or device than the stream's state;
    `begun` says that it has had a frame."""
    for x in xs:
        if x.shape[0] != state.batch_size:
            raise ValueError(
                f"the stream has a batch of {state.batch_size}, {what} has "
                f"{x.shape[0]}; reset() starts a new stream"
            )
        if x.dtype != state.dtype or x.device != state.device:
            raise ValueError(
                f"the {'stream' if begun else 'network'} is {state.dtype} on {state.device}, "
                f"{what} is {x.dtype} on {x.device}"
                f"{'; reset() starts a new stream' if begun else ''}"
            )
