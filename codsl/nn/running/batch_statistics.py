"""What is said of a stream whose norms take the statistics of each frame's batch."""

import warnings
from inspect import currentframe


def warn_of_the_batch(path: str) -> None:
    """Say that a stream is not what a clip is where the norm at `path` takes statistics of the
    batch; the warning points at the call of the user."""
    warnings.warn(
        f"`{path}` is in training mode and normalises by the statistics of each frame's "
        "batch, not of the clip's: eval() makes stream and clip equal",
        UserWarning,
        stacklevel=_depth(),
    )


def _depth() -> int:
    """How many calls within codsl lie between the caller of this function and its user."""
    depth, call = 0, currentframe()
    while call is not None and str(call.f_globals.get("__name__")).startswith("codsl."):
        depth, call = depth + 1, call.f_back
    return depth
