"""Which dimension of a value a layer works along, and which it cannot."""

from codsl.algebra.shape import Frame
from codsl.layers.mistake import Give, Mistake


def axis(dim: int, x: Frame) -> int:
    """The dimension of `(B, C, T, *S)` that `dim` counts; raises `Mistake` for batch and time."""
    dims = 2 + x.rank
    resolved = dim + dims if dim < 0 else dim
    if resolved == 2:
        raise Mistake(
            "E0409",
            "this would be normalised over time",
            argument="dim",
            note="a stream knows no later frames, so no sum over all of them",
            help="`dim=1` is channels",
            change=Give(1),
        )
    if not 1 <= resolved < dims:
        raise _no_dimension(dim, x, "a frame", "`dim=1` is channels")
    return resolved


def image_axis(dim: int, x: Frame) -> int:
    """The dimension of `(N, C, *S)` that `dim` counts; raises `Mistake` for that of the images."""
    dims = 1 + x.rank
    resolved = dim + dims if dim < 0 else dim
    if not 1 <= resolved < dims:
        raise _no_dimension(
            dim, x, "a single frame", "`dim=1` is channels, `dim=2` the first of space"
        )
    return resolved


def _no_dimension(dim: int, x: Frame, of: str, help: str) -> Mistake:
    message, layer = f"`dim={dim}` is no dimension of {of}", f"the input is {x}"
    return Mistake("E0409", message, argument="dim", layer=layer, help=help, change=Give(1))
