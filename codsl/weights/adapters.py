"""What makes a tensor of another shape fit, where one asks for it; none of it can be undone."""

import re
from dataclasses import dataclass, replace
from itertools import combinations
from math import prod
from typing import Protocol

import numpy as np

from codsl.weights.entry import Array, Entry
from codsl.weights.places import Place

Shape = tuple[int, ...]
STACKED = ("rnn", "gru", "lstm", "attention", "piece")
"""The kinds of layers whose weights stand in one, below each other."""
MOST_SPACE = 3
"""Dimensions of space of a kernel at most."""


class Adapter(Protocol):
    """From a tensor for a place of another shape, in torch's layout, to one for the place."""

    def narrow(self, place: Place, entry: Entry) -> tuple[Place, ...]:
        """The places that the tensor may have been made for; none where it cannot be adapted."""
        ...

    def adapt(self, array: Array, place: Place) -> Array:
        """The tensor for the place."""
        ...


@dataclass(frozen=True)
class Inflate:
    """A kernel over space becomes one over time and space: spread evenly (`mean`; Carreira and
    Zisserman, 2017), in the middle tap (`center`), or in the newest (`last`), which alone gives
    what the kernel gave on every single frame of a stream."""

    tap: str

    def narrow(self, place: Place, entry: Entry) -> tuple[Place, ...]:
        if place.kind != "convolution" or place.leaf != "weight" or place.dimensions < 2:
            return ()
        shape = (*place.shape[:2], *place.shape[3:])
        return (replace(place, shape=shape, dimensions=place.dimensions - 1, timed=False),)

    def adapt(self, array: Array, place: Place) -> Array:
        taps = place.shape[2]
        if self.tap == "mean":
            return np.repeat(array[:, :, None] / array.dtype.type(taps), taps, 2)
        wide = np.zeros((*array.shape[:2], taps, *array.shape[2:]), array.dtype)
        wide[:, :, taps // 2 if self.tap == "center" else taps - 1] = array
        return wide


@dataclass(frozen=True)
class InputChannels:
    """A first convolution for other channels: summed for one, else repeated in turn and scaled so
    that equal channels give what they gave."""

    def narrow(self, place: Place, entry: Entry) -> tuple[Place, ...]:
        if place.kind != "convolution" or place.leaf != "weight" or place.groups > 1:
            return ()
        rest = place.shape[0] * prod(place.shape[2:])
        size = prod(entry.shape)
        channels = size // rest
        if channels * rest != size or not channels:
            return ()
        return (replace(place, shape=(place.shape[0], channels, *place.shape[2:])),)

    def adapt(self, array: Array, place: Place) -> Array:
        there, here = array.shape[1], place.shape[1]
        if here == 1:
            summed: Array = array.sum(1, keepdims=True, dtype=array.dtype)
            return summed
        turns = np.concatenate([array] * -(-here // there), 1)[:, :here]
        scaled: Array = turns * array.dtype.type(there / here)
        return scaled


@dataclass(frozen=True)
class Pointwise:
    """A linear layer's weight for a convolution with kernels of one, or the reverse."""

    def narrow(self, place: Place, entry: Entry) -> tuple[Place, ...]:
        if place.leaf != "weight" or set(place.shape[2:]) - {1} or len(place.shape) < 2:
            return ()
        if place.kind == "convolution":
            return (replace(place, kind="dense", shape=place.shape[:2], dimensions=0),)
        space = len(entry.shape) - 2
        if place.kind != "dense" or space < 1:
            return ()
        shape = (*place.shape, *(1,) * space)
        return (replace(place, kind="convolution", shape=shape, dimensions=space),)

    def adapt(self, array: Array, place: Place) -> Array:
        return array.reshape(place.shape)


@dataclass(frozen=True)
class Singletons:
    """The same numbers in other axes of one: a kernel over the plane for one over a single frame
    of it, one over time and a flattened plane for one over time, a number for a row of one."""

    def narrow(self, place: Place, entry: Entry) -> tuple[Place, ...]:
        if place.kind not in ("convolution", "transposed") or place.leaf != "weight":
            alike = _sizes(entry.shape) == _sizes(place.shape)
            return (replace(place, shape=entry.shape),) if alike else ()
        space = len(entry.shape) - 2
        if space == len(place.shape) - 2:
            return ()
        return tuple(
            replace(place, shape=(*place.shape[:2], *kernel), dimensions=space)
            for kernel in _kernels(_sizes(place.shape[2:]), space)
        )

    def adapt(self, array: Array, place: Place) -> Array:
        return array.reshape(place.shape)


def _sizes(shape: Shape) -> Shape:
    """A shape without its axes of one."""
    return tuple(each for each in shape if each != 1)


def _kernels(sizes: Shape, space: int) -> list[Shape]:
    """The kernels of so many dimensions of space that have these sizes, and else ones."""
    kernels = []
    for axes in combinations(range(space), len(sizes)) if 1 <= space <= MOST_SPACE else ():
        at = dict(zip(axes, sizes, strict=True))
        kernels.append(tuple(at.get(axis, 1) for axis in range(space)))
    return kernels


@dataclass(frozen=True)
class Rows:
    """Some of the outputs: a head without its first class, or with the first so many. The rows of
    gates and of projections, and the inputs of a transposed convolution, are none."""

    start: int
    stop: int | None

    def narrow(self, place: Place, entry: Entry) -> tuple[Place, ...]:
        rest = prod(place.shape[1:])
        rows = prod(entry.shape) // rest if rest else 0
        kept = len(range(*slice(self.start, self.stop).indices(rows)))
        turned = (place.kind, place.leaf) == ("transposed", "weight")
        if (
            turned
            or place.kind in STACKED
            or not place.shape
            or rows * rest != prod(entry.shape)
            or kept != place.shape[0]
        ):
            return ()
        return (replace(place, shape=(rows, *place.shape[1:])),)

    def adapt(self, array: Array, place: Place) -> Array:
        return array[self.start : self.stop]


def outputs_first(place: Place) -> bool:
    """Whether the first axis of a tensor is that of what its layer gives."""
    turned = (place.kind, place.leaf) == ("transposed", "weight")
    return bool(place.shape) and not turned and place.kind not in STACKED


NAMES: dict[str, Adapter] = {
    "inflate_mean": Inflate("mean"),
    "inflate_center": Inflate("center"),
    "inflate_last": Inflate("last"),
    "input_channels": InputChannels(),
    "pointwise": Pointwise(),
    "singletons": Singletons(),
}
"""The adapters by name; besides there are `rows[a:b]` and the words of `codsl.weights.folding`."""

_ROWS = re.compile(r"rows\[(\d{0,9}):(\d{0,9})\]")


def adapter_of(text: str) -> Adapter:
    """The adapter that a word names. Raises `ValueError`."""
    if text in NAMES:
        return NAMES[text]
    found = _ROWS.fullmatch(text)
    if not found:
        known = (*NAMES, "rows[1:]", "fold {p}.bn", "unfold {p}.bn")
        listed = ", ".join(f"`{name}`" for name in known)
        raise ValueError(f"there is no adapter `{text}`: there are {listed}")
    return Rows(int(found[1] or 0), int(found[2]) if found[2] else None)


def word_of(adapter: Adapter) -> str:
    """The word for an adapter."""
    if isinstance(adapter, Rows):
        return f"rows[{adapter.start or ''}:{adapter.stop or ''}]"
    return next(name for name, each in NAMES.items() if each == adapter)
