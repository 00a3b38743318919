"""The layouts with torch's order of axes: those of torch, ONNX, MegEngine, Paddle and Caffe2."""

from collections.abc import Iterator
from math import prod

from codsl.weights.form import Form, plain, spread
from codsl.weights.places import Place

RENAMED = {
    "weight_g": "parametrizations.weight.original0",
    "weight_v": "parametrizations.weight.original1",
}
"""Torch's two ways to call a magnitude and a direction."""
MAGNITUDE = ("weight_g", RENAMED["weight_g"])


def torch(place: Place) -> Iterator[Form]:
    """Torch, which has a second way to call the parts of weight norm."""
    yield plain(place)
    for one, other in RENAMED.items():
        if place.leaf in (one, other):
            yield plain(place, other if place.leaf == one else one)


def onnx(place: Place) -> Iterator[Form]:
    """ONNX has torch's shapes; a slope of each channel may stand as one that is spread, as its
    operator PRelu takes it: `(C, 1, ...)` or `(1, C, 1, ...)`."""
    yield from torch(place)
    if place.kind == "slope":
        for rank in (1, 2, 3):
            yield Form(place.leaf, (*place.shape, *(1,) * rank), place.shape)
        yield from spread(place, place.leaf)


def torch_time_last(place: Place) -> Iterator[Form]:
    """Torch's 2-D and 3-D convolutions of a network that has time last: space, then time."""
    first, second, *kernel = (*place.shape, 0, 0)[: max(2, len(place.shape))]
    kernels = place.timed and place.kind in ("convolution", "transposed")
    if not kernels or len(kernel) < 2:
        yield from torch(place)
        return
    there = (first, second, *kernel[1:], kernel[0])
    last = len(there) - 1
    for form in torch(place):
        yield Form(form.leaf, there, place.shape, axes=(0, 1, last, *range(2, last)))


def megengine(place: Place) -> Iterator[Form]:
    """MegEngine 1.0 to 1.13: grouped weights have an axis for the groups, biases are frames, of
    another rank where the kernel is adapted."""
    shape, groups = place.shape, place.groups
    match place.kind, place.leaf:
        case (("convolution" | "transposed" | "dense"), "bias"):
            frames = tuple(spread(place, "bias"))
            yield frames[place.dimensions - 1] if place.dimensions else plain(place)
            yield from (plain(place), *frames)
        case (("convolution" | "transposed"), "weight") if groups > 1:
            first, second, *kernel = shape
            yield Form("weight", (groups, first // groups, second, *kernel), shape)
        case (("norm" | "slope"), _) if not place.counter:
            size = prod(shape)
            for each in ((size,), shape, *((1, size, *(1,) * rank) for rank in (1, 2, 3))):
                yield Form(place.leaf, each, shape)
        case _:
            yield plain(place)


PADDLE_NORM = {
    "weight": ("weight", "scale"),
    "bias": ("bias",),
    "running_mean": ("_mean",),
    "running_var": ("_variance",),
}


def paddle(place: Place) -> Iterator[Form]:
    """PaddlePaddle: linear layers have their inputs first, a layer norm is flat, the magnitudes of
    weight norm are; an instance norm's factor is its `scale`."""
    shape = place.shape
    match place.kind, place.leaf:
        case "dense", "weight":
            yield Form("weight", shape[::-1], shape, axes=(1, 0))
        case "norm", leaf if leaf in PADDLE_NORM:
            for word in PADDLE_NORM[leaf]:
                yield Form(word, (prod(shape),), shape)
                yield plain(place, word)
        case "slope", "weight":
            yield plain(place, "_weight")
        case (("convolution" | "transposed"), leaf) if leaf in MAGNITUDE:
            yield Form("weight_g", (prod(shape),), shape)
        case (("convolution" | "transposed"), _):
            yield from torch(place)
        case _:
            yield plain(place)


CAFFE2 = {"weight": "w", "bias": "b"}
CAFFE2_NORM = {"weight": "s", "bias": "b", "running_mean": "rm", "running_var": "riv"}


def caffe2(place: Place) -> Iterator[Form]:
    """Caffe2: torch's shapes under short words; `riv` is the variance, whatever its name says."""
    words = CAFFE2_NORM if place.kind == "norm" else CAFFE2
    yield plain(place, words.get(place.leaf))
