"""The layouts that have channels last: those of Keras and TensorFlow, Flax, and Haiku."""

from collections.abc import Iterator
from dataclasses import replace

from codsl.weights.form import Form, plain, spread
from codsl.weights.places import Place

AS_TORCH = ("rnn", "gru", "lstm", "attention", "other")
"""The kinds of layers whose tensors are also taken as torch has them."""

KERAS_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
FLAX_NORM = {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "var"}


def keras(place: Place) -> Iterator[Form]:
    """Keras 3 and TensorFlow: space first, then input and output channels."""
    shape = place.shape
    match place.kind, place.leaf:
        case "convolution", "weight":
            yield from _depthwise(place, "kernel", "depthwise_kernel")
            yield from _channels_last(place, "kernel", "pointwise_kernel")
        case "transposed", "weight" if place.groups == 1:
            yield _moved("kernel", place, (1, 0))
        case "dense", "weight":
            yield Form("kernel", shape[::-1], shape, axes=(1, 0))
        case "norm", leaf if leaf in KERAS_NORM:
            yield plain(place, KERAS_NORM[leaf])
        case "slope", "weight":
            yield plain(place, "alpha")
            yield from (Form("alpha", (*(1,) * rank, *shape), shape) for rank in (1, 2, 3))
        case "table", "weight":
            yield plain(place, "embeddings")
        case _ if place.leaf == "bias" or place.kind in AS_TORCH:
            yield plain(place)


def flax(place: Place) -> Iterator[Form]:
    """Flax, linen and nnx; its transposed convolution is one with the kernel turned round."""
    yield from _flax_but_transposed(place)
    if (place.kind, place.leaf) == ("transposed", "weight") and place.groups == 1:
        yield _turned("kernel", place, (0, 1))


def flax_transpose_kernel(place: Place) -> Iterator[Form]:
    """Flax where transposed convolutions have `transpose_kernel=True`: output channels first."""
    yield from _flax_but_transposed(place)
    if (place.kind, place.leaf) == ("transposed", "weight") and place.groups == 1:
        yield _moved("kernel", place, (1, 0))


def _flax_but_transposed(place: Place) -> Iterator[Form]:
    shape = place.shape
    match place.kind, place.leaf:
        case "convolution", "weight":
            yield from _channels_last(place, "kernel")
        case "dense", "weight":
            yield Form("kernel", shape[::-1], shape, axes=(1, 0))
        case "norm", leaf if leaf in FLAX_NORM:
            yield plain(place, FLAX_NORM[leaf])
        case "slope", "weight":
            yield plain(place, "negative_slope")
            if shape == (1,):
                yield Form("negative_slope", (), shape)
        case "table", "weight":
            yield plain(place, "embedding")
        case _ if place.leaf == "bias" or place.kind in AS_TORCH:
            yield plain(place)


HAIKU_NORM = {
    "weight": "scale",
    "bias": "offset",
    "running_mean": "mean_ema.average",
    "running_var": "var_ema.average",
}


def haiku(place: Place) -> Iterator[Form]:
    """Haiku: a transposed convolution's kernel is turned round, with its outputs first; norms are
    frames, with channels last or first, and have the averages of their statistics."""
    shape = place.shape
    match place.kind, place.leaf:
        case "convolution", "weight":
            yield from _channels_last(place, "w")
        case "transposed", "weight" if place.groups == 1:
            yield _turned("w", place, (1, 0))
        case "dense", "weight":
            yield Form("w", shape[::-1], shape, axes=(1, 0))
        case "norm", leaf if leaf in HAIKU_NORM:
            yield plain(place, HAIKU_NORM[leaf])
            yield from spread(place, HAIKU_NORM[leaf], range(1, 5), last=True)
            yield from spread(place, HAIKU_NORM[leaf])
        case "table", "weight":
            yield plain(place, "embeddings")
        case (("convolution" | "transposed" | "dense"), "bias"):
            yield plain(place, "b")
            yield from (Form("b", (*shape, *(1,) * rank), shape) for rank in (1, 2, 3))
        case _ if place.kind in AS_TORCH and place.kind != "gru":
            yield plain(place)


def _moved(leaf: str, place: Place, channels: tuple[int, int]) -> Form:
    """A kernel that has its space first and then these two of torch's axes."""
    space = len(place.shape) - 2
    there = (*place.shape[2:], *(place.shape[axis] for axis in channels))
    axes = (space + channels.index(0), space + channels.index(1), *range(space))
    return Form(leaf, there, place.shape, axes=axes)


def _turned(leaf: str, place: Place, channels: tuple[int, int]) -> Form:
    """The same, turned round in space."""
    return replace(_moved(leaf, place, channels), flips=tuple(range(place.dimensions)))


def _channels_last(place: Place, *leaves: str) -> Iterator[Form]:
    """A kernel `(*kernel, in / groups, out)`."""
    yield from (_moved(leaf, place, (1, 0)) for leaf in leaves)


def _depthwise(place: Place, *leaves: str) -> Iterator[Form]:
    """A kernel `(*kernel, channels, multiplier)` of a convolution with a group each channel."""
    out, each, *kernel = place.shape
    if each != 1 or place.groups == 1 or out % place.groups:
        return
    space = len(kernel)
    shape = (*kernel, place.groups, out // place.groups)
    axes = (space + 1, space, *range(space))
    for leaf in leaves:
        yield Form(leaf, shape, place.shape, (*kernel, 1, out), axes)
