"""The way of a tensor from a checkpoint to its place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

import numpy as np
import torch

from codsl.spec.renaming import Rule
from codsl.weights.adapters import Adapter, word_of
from codsl.weights.cuts import Cut
from codsl.weights.entry import Array, Entry
from codsl.weights.form import Form
from codsl.weights.numbers import as_torch
from codsl.weights.places import Place


@dataclass(frozen=True)
class Move:
    """A tensor of the source and its place: by which rule, in which form, by which adapter, and
    with which norm; or several of the source, the `parts` of it. A `source` without a name is one
    that was made up."""

    source: str
    place: Place
    entry: Entry
    form: Form
    rule: Rule | None = None
    adapter: Adapter | None = None
    norm: "Norm | None" = None
    parts: "Parts | None" = None

    def array(self) -> Array:
        """The numbers for the place, in torch's layout; the source's dtype, or float64 where a norm
        is folded in."""
        if self.parts:
            return self.parts.array()
        array = self.form.to_torch(self.entry.read())
        if self.adapter:
            array = self.adapter.adapt(array, self.place)
        return self.norm.folded(array, self.place) if self.norm else array

    def tensor(self) -> torch.Tensor:
        """The same as a tensor of torch's."""
        return as_torch(self.array())

    @property
    def entries(self) -> tuple[tuple[str, Entry], ...]:
        """The tensors that are read, by name."""
        if self.parts:
            return tuple(pair for move in self.parts.moves.values() for pair in move.entries)
        parts = self.norm.parts.values() if self.norm else ()
        return tuple((each.source, each.entry) for each in (self, *parts))

    @property
    def lossy(self) -> bool:
        """Whether the source's tensor cannot be told from that of the place."""
        if self.parts:
            return any(move.lossy for move in self.parts.moves.values())
        return bool(self.adapter or self.norm or not self.source)

    @property
    def change(self) -> str:
        """What happens to the numbers' order, in words; empty where nothing does."""
        return self.parts.cut.change(self.parts.target) if self.parts else self.form.change

    @property
    def adapted(self) -> str:
        """What else than its layout was changed, in words; empty where nothing was."""
        if self.parts:
            return ", ".join(filter(None, (each.adapted for each in self.parts.moves.values())))
        words = [word_of(self.adapter)] if self.adapter else []
        words += [f"folded with `{self.norm.name}`"] if self.norm else []
        return ", ".join(words or ([] if self.source else ["made to change nothing"]))


@dataclass(frozen=True)
class Parts:
    """The tensors of a source that a `target` is made of, by their keys in the cut of its layer."""

    cut: Cut
    target: str
    moves: Mapping[str, Move] = field(compare=False)

    def array(self) -> Array:
        """The numbers of the target."""
        return self.cut.made(self.target, {leaf: each.array() for leaf, each in self.moves.items()})


@dataclass(frozen=True)
class Norm:
    """A batch norm of a checkpoint in `eval()`, by its tensors' leaves:
    `(x - running_mean) / sqrt(running_var + eps) * weight + bias`."""

    name: str
    eps: float
    parts: Mapping[str, Move] = field(compare=False)

    def folded(self, array: Array, place: Place) -> Array:
        """The layer's weight or bias in float64, such that the layer gives what the norm gave."""
        scale = self._part("weight", 1.0) / np.sqrt(self._part("running_var", 1.0) + self.eps)
        wide = array.astype(np.float64)
        if place.leaf == "bias":
            shifted: Array = (wide - self._part("running_mean", 0.0)) * scale
            return shifted + self._part("bias", 0.0)
        return scaled(wide, np.broadcast_to(scale, (outputs(place),)), place)

    def _part(self, leaf: str, default: float) -> Array:
        move = self.parts.get(leaf)
        return move.array().astype(np.float64) if move else np.full(1, default)


def outputs(place: Place) -> int:
    """The channels that the layer of a weight gives."""
    return place.shape[1] * place.groups if place.kind == "transposed" else place.shape[0]


def inputs(place: Place) -> int:
    """The channels that the layer of a weight takes."""
    return place.shape[0] if place.kind == "transposed" else place.shape[1] * place.groups


def scaled(array: Array, scale: Array, place: Place) -> Array:
    """A weight in torch's layout times a number for each channel that comes out."""
    if place.kind == "transposed":
        first, second, *kernel = place.shape
        view = array.reshape(place.groups, first // place.groups, second, prod(kernel))
        product: Array = view * scale.reshape(place.groups, 1, second, 1)
        return product.reshape(place.shape)
    return array * scale.reshape(-1, *(1,) * (array.ndim - 1))
