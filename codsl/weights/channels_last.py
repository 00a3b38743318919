"""The layouts that have channels last: those of Keras and TensorFlow, Flax, and Haiku."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod

from codsl.weights.form import Form, plain, spread
from codsl.weights.order import fills
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
    match place.kind, place.leaf:
        case "convolution", "weight":
            yield from _depthwise(place, "kernel", "depthwise_kernel")
            yield from _channels_last(place, "kernel", "pointwise_kernel")
        case "transposed", "weight" if place.groups == 1:
            yield _moved("kernel", place, (1, 0))
        case "dense", "weight":
            yield _moved("kernel", place, (1, 0))
        case "norm", leaf if leaf in KERAS_NORM:
            yield from _frame(KERAS_NORM[leaf], place)
        case "slope", "weight":
            for form in _frame("alpha", place):
                yield form
                ones = ((1,) * rank for rank in (1, 2, 3))
                yield from (replace(form, shape=(*each, *form.shape)) for each in ones)
        case "table", "weight":
            yield _table("embeddings", place)
        case _ if place.leaf == "bias" or place.kind in AS_TORCH:
            yield from _as_torch(place)


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
            yield _moved("kernel", place, (1, 0))
        case "norm", leaf if leaf in FLAX_NORM:
            yield from _frame(FLAX_NORM[leaf], place)
        case "slope", "weight":
            yield from _frame("negative_slope", place)
            if shape == (1,):
                yield Form("negative_slope", (), shape)
        case "table", "weight":
            yield _table("embedding", place)
        case _ if place.leaf == "bias" or place.kind in AS_TORCH:
            yield from _as_torch(place)


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
            yield _moved("w", place, (1, 0))
        case "norm", leaf if leaf in HAIKU_NORM:
            yield from _frame(HAIKU_NORM[leaf], place)
            if len(shape) == 1 and not place.order:
                yield from spread(place, HAIKU_NORM[leaf], range(1, 5), last=True)
                yield from spread(place, HAIKU_NORM[leaf])
        case "table", "weight":
            yield _table("embeddings", place)
        case (("convolution" | "transposed" | "dense"), "bias"):
            for form in _as_torch(place):
                yield replace(form, leaf="b")
                ones = ((1,) * rank for rank in (1, 2, 3))
                yield from (replace(form, leaf="b", shape=(*shape, *each)) for each in ones)
        case _ if place.kind in AS_TORCH and place.kind != "gru":
            yield from _as_torch(place)


def _moved(leaf: str, place: Place, channels: tuple[int, int]) -> Form:
    """A kernel that has its space first and then these two of torch's axes; where the channels that
    it takes were a frame, or those that it makes become one, they are one with channels last."""
    both = (place.made, place.order)
    orders = both[::-1] if place.kind in ("transposed", "table") else both
    sizes: list[int] = []
    within: list[tuple[int, ...]] = []
    for axis, size in enumerate(place.shape):
        own = (axis < 2 and orders[axis]) or (size,)
        first, *space = range(len(sizes), len(sizes) + len(own))
        within.append((*space, first))
        sizes += own
    order = (*range(2, len(place.shape)), *channels)
    seen = [at for axis in order for at in within[axis]]
    return Form(
        leaf,
        tuple(place.shape[axis] for axis in order),
        place.shape,
        tuple(sizes[at] for at in seen),
        tuple(seen.index(at) for at in range(len(seen))),
    )


def _frame(leaf: str, place: Place) -> Iterator[Form]:
    """The numbers of each channel, or of a frame, with channels last."""
    shape = place.shape
    many = sum(size > 1 for size in shape) > 1
    frame = shape if len(shape) > 1 and (many or not place.order) else place.order or ()
    if len(frame) > 1 and prod(shape) > 1:
        turned = (*frame[1:], frame[0])
        axes = (len(frame) - 1, *range(len(frame) - 1))
        yield Form(leaf, turned if frame is shape else shape, shape, turned, axes)
    if not many and not place.order:
        yield plain(place, leaf)


def _turned(leaf: str, place: Place, channels: tuple[int, int]) -> Form:
    """The same, turned round in space."""
    return replace(_moved(leaf, place, channels), flips=tuple(range(place.dimensions)))


def _table(leaf: str, place: Place) -> Form:
    """A vector in each row; where it becomes a frame, one with channels last."""
    return _moved(leaf, replace(place, order=()), (0, 1)) if place.made else plain(place, leaf)


def _channels_last(place: Place, *leaves: str) -> Iterator[Form]:
    """A kernel `(*kernel, in / groups, out)`."""
    yield from (_moved(leaf, place, (1, 0)) for leaf in leaves)


def _as_torch(place: Place) -> Iterator[Form]:
    """The tensor as torch has it, but for numbers of channels in a row."""
    counts = place.kind == "other" or place.leaf == "bias"
    if counts and place.order and len(place.shape) == 1:
        yield from _frame(place.leaf, place)
    else:
        yield plain(place)


def ordered(place: Place) -> bool:
    """Whether it is known in which order a tensor has the channels that its layer takes, and those
    that it makes."""
    shape, order, made = place.shape, place.order, place.made
    if order == made == () or prod(shape) == 1:
        return True
    match place.kind, place.leaf:
        case (("convolution" | "transposed" | "dense"), "weight"):
            both = (order, made) if place.kind == "transposed" else (made, order)
            return place.groups == 1 and all(map(fills, both, shape))
        case (("rnn" | "gru" | "lstm"), leaf):
            later = not leaf.startswith("weight_ih") or leaf[9:] not in ("", "_l0")
            return made == () and (order == () or later)
        case "attention", _:
            return False
        case "table", _:
            return fills(made, shape[1])
        case _:
            return fills(order, prod(shape))


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
