"""How frameworks lay out the tensors of a layer, and the way to torch's layout and back.

The form of a tensor comes from the layer that it goes to, never from the array: a cubic kernel with
as many inputs as outputs fits every layout.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from codsl.weights.entry import Array
from codsl.weights.places import Place

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Form:
    """A tensor as a source has it: `leaf` and `shape`, seen as `view`, with its `axes` in torch's
    order and those in `flips` turned round, gives torch's tensor of shape `target`."""

    leaf: str
    shape: Shape
    target: Shape
    view: Shape = ()
    axes: tuple[int, ...] = ()
    flips: tuple[int, ...] = ()

    def to_torch(self, array: Array) -> Array:
        """The array in torch's layout, C order."""
        seen = array.reshape(self.view or self.shape)
        seen = np.flip(seen, self.flips) if self.flips else seen
        return (seen.transpose(self.axes) if self.axes else seen).reshape(self.target)

    def from_torch(self, array: Array) -> Array:
        """The source's array of one in torch's layout."""
        view = self.view or self.shape
        if self.axes:
            turned = tuple(view[axis] for axis in self.axes)
            array = array.reshape(turned).transpose(np.argsort(self.axes))
        seen = array.reshape(view)
        return (np.flip(seen, self.flips) if self.flips else seen).reshape(self.shape)

    @property
    def change(self) -> str:
        """What happens to the numbers' order, in words; empty where nothing does."""
        words = []
        if self.axes:
            words.append("transposed")
        if self.flips:
            words.append("flipped")
        if not words and self.shape != self.target:
            words.append("reshaped")
        return " and ".join(words)


Forms = Callable[[Place], Iterator[Form]]

RENAMED = {
    "weight_g": "parametrizations.weight.original0",
    "weight_v": "parametrizations.weight.original1",
}
"""Torch's two ways to call a magnitude and a direction."""


def _torch(place: Place) -> Iterator[Form]:
    yield Form(place.leaf, place.shape, place.shape)
    for one, other in RENAMED.items():
        if place.leaf in (one, other):
            yield Form(other if place.leaf == one else one, place.shape, place.shape)


def _onnx(place: Place) -> Iterator[Form]:
    """ONNX has torch's shapes; a slope of each channel may stand as one that is spread, as its
    operator PRelu takes it: `(C, 1, ...)` or `(1, C, 1, ...)`."""
    yield from _torch(place)
    if place.kind == "slope":
        for rank in (1, 2, 3):
            yield Form(place.leaf, (*place.shape, *(1,) * rank), place.shape)
            yield Form(place.leaf, (1, *place.shape, *(1,) * rank), place.shape)


def _torch_time_last(place: Place) -> Iterator[Form]:
    """Torch's 2-D and 3-D convolutions of a network that has time last: space, then time."""
    first, second, *kernel = (*place.shape, 0, 0)[: max(2, len(place.shape))]
    if place.kind not in ("convolution", "transposed") or len(kernel) < 2:
        yield from _torch(place)
        return
    there = (first, second, *kernel[1:], kernel[0])
    last = len(there) - 1
    for form in _torch(place):
        yield Form(form.leaf, there, place.shape, axes=(0, 1, last, *range(2, last)))


def _megengine(place: Place) -> Iterator[Form]:
    """MegEngine 1.0 to 1.13: grouped weights have an axis for the groups, biases are frames, of
    another rank where the kernel is adapted."""
    shape, groups = place.shape, place.groups
    match place.kind, place.leaf:
        case (("convolution" | "transposed" | "dense"), "bias"):
            frames = [(1, *shape, *(1,) * rank) for rank in (1, 2, 3)]
            own = frames[place.dimensions - 1] if place.dimensions else shape
            for each in dict.fromkeys((own, shape, *frames)):
                yield Form("bias", each, shape)
        case (("convolution" | "transposed"), "weight") if groups > 1:
            first, second, *kernel = shape
            yield Form("weight", (groups, first // groups, second, *kernel), shape)
        case (("norm" | "slope"), _) if not place.counter:
            size = prod(shape)
            frames = [(1, size, *(1,) * rank) for rank in (1, 2, 3)]
            for each in dict.fromkeys(((size,), shape, *frames)):
                yield Form(place.leaf, each, shape)
        case _:
            yield Form(place.leaf, shape, shape)


KERAS_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
FLAX_NORM = {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "var"}


def _keras(place: Place) -> Iterator[Form]:
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
            yield Form(KERAS_NORM[leaf], shape, shape)
        case "slope", "weight":
            yield Form("alpha", shape, shape)
            yield from (Form("alpha", (*(1,) * rank, *shape), shape) for rank in (1, 2, 3))
        case "table", "weight":
            yield Form("embeddings", shape, shape)
        case _ if place.leaf == "bias" or place.kind == "other":
            yield Form(place.leaf, shape, shape)


def _flax(place: Place) -> Iterator[Form]:
    """Flax, linen and nnx; its transposed convolution is one with the kernel turned round."""
    yield from _flax_but_transposed(place)
    if (place.kind, place.leaf) == ("transposed", "weight") and place.groups == 1:
        space = place.dimensions
        shape, kernel = place.shape, place.shape[2:]
        turned = (*kernel, shape[0], shape[1])
        axes = (space, space + 1, *range(space))
        yield Form("kernel", turned, shape, axes=axes, flips=tuple(range(space)))


def _flax_transpose_kernel(place: Place) -> Iterator[Form]:
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
            yield Form(FLAX_NORM[leaf], shape, shape)
        case "slope", "weight":
            yield Form("negative_slope", shape, shape)
            if shape == (1,):
                yield Form("negative_slope", (), shape)
        case "table", "weight":
            yield Form("embedding", shape, shape)
        case _ if place.leaf == "bias" or place.kind == "other":
            yield Form(place.leaf, shape, shape)


def _moved(leaf: str, place: Place, channels: tuple[int, int]) -> Form:
    """A kernel that has its space first and then these two of torch's axes."""
    space = len(place.shape) - 2
    there = (*place.shape[2:], *(place.shape[axis] for axis in channels))
    axes = (space + channels.index(0), space + channels.index(1), *range(space))
    return Form(leaf, there, place.shape, axes=axes)


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


LAYOUTS: dict[str, Forms] = {
    "torch": _torch,
    "torch_time_last": _torch_time_last,
    "tripy": _torch,
    "onnx": _onnx,
    "megengine": _megengine,
    "keras": _keras,
    "tensorflow": _keras,
    "flax": _flax,
    "flax_transpose_kernel": _flax_transpose_kernel,
}
"""The layouts by name; those of torch's shapes are torch's."""


def forms(place: Place, layout: str) -> tuple[Form, ...]:
    """The forms in which a layout may have a tensor, the usual one first; none where it cannot."""
    if place.counter:
        return (Form(place.leaf, place.shape, place.shape),)
    found = tuple(dict.fromkeys(LAYOUTS[layout](place)))
    native = tuple(
        Form(place.leaf, form.shape, form.target, form.view, form.axes, form.flips)
        for form in found
    )
    return tuple(dict.fromkeys((*found, *native)))


def keys(place: Place, layout: str) -> tuple[str, ...]:
    """What a tensor may be called: under its layer's name each word that the layout has for it."""
    leaves = dict.fromkeys((*(form.leaf for form in forms(place, layout)), place.leaf))
    return tuple(f"{place.layer}.{leaf}" if place.layer else leaf for leaf in leaves)
