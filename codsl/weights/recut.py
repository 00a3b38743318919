"""Layers that a checkpoint cuts otherwise: its own tensors are matched, then made the layer's."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from codsl.weights import gates, heads
from codsl.weights.cuts import Cut
from codsl.weights.entry import Entry
from codsl.weights.form import plain
from codsl.weights.layouts import CHANNELS_LAST, lost
from codsl.weights.move import Move, Parts
from codsl.weights.numbers import numpy_dtype
from codsl.weights.places import Place

Named = Callable[[Place], Sequence[Entry]]
"""The tensors of a checkpoint that are named for a place."""


@dataclass(frozen=True)
class Layer:
    """A layer that a layout cuts, and its cuts, the usual one first; `own` are its places."""

    name: str
    own: Mapping[str, Place]
    cuts: tuple[Cut, ...]

    def piece(self, cut: Cut, leaf: str) -> Place:
        """A place for a tensor of the source."""
        like = next(iter(self.own.values()))
        return replace(
            like, layer=self.name, leaf=leaf, kind="piece", shape=cut.sources[leaf], groups=1
        )


def layers(places: Mapping[str, Place], layout: str) -> Iterator[Layer]:
    """The layers that have a cut in a layout."""
    by_layer: dict[str, dict[str, Place]] = {}
    for place in places.values():
        by_layer.setdefault(place.layer, {})[place.leaf] = place
    for name, own in by_layer.items():
        for cuts in _cuts(name, own, places, layout):
            first = next(iter(cuts), None)
            if first is not None:
                keys = {target: f"{name}.{target}" if name else target for target in first.targets}
                yield Layer(name, {each: places[key] for each, key in keys.items()}, cuts)


def _cuts(
    name: str, own: Mapping[str, Place], places: Mapping[str, Place], layout: str
) -> Iterator[tuple[Cut, ...]]:
    for leaf, place in own.items():
        if place.kind in gates.GATES and leaf.startswith("weight_ih"):
            suffix = leaf.removeprefix("weight_ih")
            carried = own[f"weight_hh{suffix}"].shape[1]
            if f"weight_hr{suffix}" not in own and not (
                (place.order is None or place.made != ()) and lost(place, layout)
            ):
                biased = f"bias_ih{suffix}" in own
                order = _order(place, layout) if suffix in ("", "_l0") else ()
                cell = gates.Cell(place.kind, place.shape[1], carried, biased, order)
                alone = sum(each.startswith("weight_ih") for each in own) == 1
                yield tuple(gates.cuts(cell, layout, suffix, alone))
        elif (place.kind, leaf) == ("attention", "in_proj_weight") and not lost(place, layout):
            attention = heads.Attention(place.shape[1], place.heads, "in_proj_bias" in own)
            yield tuple(heads.cuts(attention, layout))


def _order(place: Place, layout: str) -> tuple[int, ...]:
    """The frame whose numbers a layout has with channels last."""
    return place.order or () if layout in CHANNELS_LAST else ()


class Recut:
    """The layers of a network that a checkpoint has in pieces: `places` are to be matched instead
    of the network's."""

    def __init__(self, places: Mapping[str, Place], layout: str, named: Named) -> None:
        self.places = dict(places)
        self._chosen: list[tuple[Layer, Cut, tuple[str, ...]]] = []
        for layer in layers(places, layout):
            found = [(cut, _named(layer, cut, named)) for cut in layer.cuts]
            cut, there = max(found, key=lambda each: (len(each[1]), -len(each[0].sources)))
            if there - cut.targets.keys():
                self._choose(layer, cut, there)

    def _choose(self, layer: Layer, cut: Cut, named: set[str]) -> None:
        """Put the pieces in the place of every tensor that hangs on one that is there."""
        hanging = tuple(each for each in cut.targets if named & set(cut.needs(each)))
        for target in hanging:
            del self.places[layer.own[target].name]
        for target in hanging:
            pieces = (layer.piece(cut, leaf) for leaf in cut.needs(target))
            self.places |= {each.name: each for each in pieces}
        self._chosen.append((layer, cut, hanging))

    def applied(self, moves: Iterable[Move]) -> tuple[Move, ...]:
        """The moves to the network's own places."""
        found = {move.place.name: move for move in moves}
        made: list[Move] = []
        used: set[str] = set()
        for layer, cut, hanging in self._chosen:
            for target in hanging:
                pieces = {leaf: layer.piece(cut, leaf).name for leaf in cut.parts(target)}
                used |= {layer.piece(cut, leaf).name for leaf in cut.needs(target)}
                parts = {leaf: found[name] for leaf, name in pieces.items()}
                made.append(_joined(layer.own[target], Parts(cut, target, parts)))
        return (*(move for name, move in found.items() if name not in used), *made)


def _named(layer: Layer, cut: Cut, named: Named) -> set[str]:
    return {leaf for leaf in cut.sources if named(layer.piece(cut, leaf))}


def _joined(place: Place, parts: Parts) -> Move:
    moves = tuple(parts.moves.values())
    source = ", ".join(move.source for move in moves)
    if moves:
        return Move(source, place, moves[0].entry, plain(place), moves[0].rule, parts=parts)
    entry = Entry.of(parts.array().astype(numpy_dtype(place.dtype)))
    return Move("", place, entry, plain(place), parts=parts)
