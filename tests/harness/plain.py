"""The rows that leave time as it is, drawn from the table with the arguments of their examples."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY
from codsl.layers.mistake import Mistake
from codsl.layers.row import Layer, arguments, make
from codsl.layers.table import table
from harness.classes import family
from harness.value import MIXED, Layers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.chance import Chance
    from harness.value import At

CHANNELS, PLACES = 24, 144
"""So large may a frame become."""

BEFORE: dict[str, Layers] = {
    **{
        name: ["sigmoid", {"add": {"other": 0.5}}]
        for name in ("log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal", "pow")
    },
    "exp": ["tanh"],
    "square": ["tanh"],
    "slice": MIXED,
    "permute": MIXED,
    "reshape": MIXED,
    "pixel_shuffle": MIXED,
    "pixel_unshuffle": MIXED,
}
"""What keeps numbers where a row is defined and does not blow them up; and what goes before rows
after which a part of the channels may be left out."""


ALSO = {"recycling_positional_encoding": ("cyclic",)}
"""The classes that some examples of a row have, besides that of the row."""


@cache
def rows() -> dict[str, type[Layer]]:
    """The rows of codsl all of whose examples leave time as it is, by name."""
    own = {n: row for n, row in table().items() if row.__module__.startswith("codsl.layers.")}
    return {name: row for name, row in own.items() if _is_plain(row)}


def _is_plain(row: type[Layer]) -> bool:
    return all(make(row, each).time() == IDENTITY for each in row.examples)


@cache
def _classes() -> tuple[str, ...]:
    words = {word for name in rows() for word in (family(name), *ALSO.get(name, ()))}
    return tuple(sorted(words))


class Plain:
    """Draws layers that leave time as it is."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._weights = {
            name: chance.want(1.0, family(name), *ALSO.get(name, ())) ** 2 for name in rows()
        }

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of these rows."""
        return _classes()

    def run(self, at: At) -> tuple[Layers, At]:
        """One or a few of them."""
        layers: Layers = []
        for _ in range(self._chance.pick((1, 1, 2, 3))):
            more, at = self._one(at)
            layers += more
        return layers, at

    def _one(self, at: At) -> tuple[Layers, At]:
        for _ in range(12):
            name = self._chance.weighed(self._weights)
            example = self._chance.pick(rows()[name].examples)
            drawn = self._fitted(name, example, at) or self._widened(name, example, at)
            if drawn is not None:
                return drawn
        return ["identity"], at

    def _fitted(self, name: str, example: Mapping[str, Any], at: At) -> tuple[Layers, At] | None:
        """A row after what it needs before it, where it takes such frames and what it makes of
        them is small."""
        row = rows()[name]
        before = BEFORE.get(name, [])
        if name == "embedding":
            before, at = self._ids(at, example["num_embeddings"])
        given = {**example, "eps": 0.1} if _has(row, "eps") else dict(example)
        x = Frame(at.channels, at.space)
        try:
            made = make(row, given)
            y = made.shape(x)
        except Mistake:
            return None
        if y.channels > CHANNELS or y.positions > PLACES:
            return None
        if made.weights(x) or row.buffered:
            given["name"] = self._chance.name()
        written = {name: _written(given)} if given else name
        return [*before, written], replace(at, channels=y.channels, space=y.space)

    def _widened(self, name: str, example: Mapping[str, Any], at: At) -> tuple[Layers, At] | None:
        """The same after a convolution that gives four channels."""
        given = {"name": self._chance.name(), "out_channels": 4, "kernel_size": 1}
        drawn = self._fitted(name, example, replace(at, channels=4))
        return drawn and ([{f"conv{at.rank}d": given}, *drawn[0]], drawn[1])

    def _ids(self, at: At, most: int) -> tuple[Layers, At]:
        """A channel of numbers that stand for so many things."""
        given = {"name": self._chance.name(), "out_channels": 1, "kernel_size": 1}
        layers: Layers = [{f"conv{at.rank}d": given}, "sigmoid", {"mul": {"other": most - 1}}]
        return layers, replace(at, channels=1)


def _has(row: type[Layer], argument: str) -> bool:
    return any(each.name == argument for each in arguments(row))


def _written(value: Any) -> Any:
    """Arguments as the YAML form has them."""
    if isinstance(value, dict):
        return {key: _written(each) for key, each in value.items()}
    return [_written(each) for each in value] if isinstance(value, tuple) else value
