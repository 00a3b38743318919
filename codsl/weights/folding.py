"""Norms that only a checkpoint has go into the layer before, and norms that only a network has are
made to change nothing, where one asks for it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from codsl.spec.known import FOLD
from codsl.spec.renaming import BadRule, Pattern, Rule
from codsl.weights.entry import Entry
from codsl.weights.form import Form
from codsl.weights.move import Move, Norm, inputs, outputs
from codsl.weights.numbers import numpy_dtype
from codsl.weights.places import Place

STATISTICS = ("running_mean", "running_var")
LEAVES = ("weight", "bias", *STATISTICS)
"""What a batch norm has; without statistics it cannot be folded."""

FOLDED = ("convolution", "transposed", "dense")
"""The kinds of layers that a norm may stand behind."""

EPS = {"keras": 1e-3, "tensorflow": 1e-3}
"""What a layout's norms add to the variance if nothing is said, where it is not 1e-5."""

Named = Callable[[Place], Sequence[Entry]]
"""The tensors of a checkpoint that are named for a place."""


@dataclass(frozen=True)
class Folding:
    """Layers and their norms, `{p:path}.conv` and `{p}.bn`, both as the network would call them;
    `back` makes the network's norm the identity, else the checkpoint's is folded into the layer."""

    layers: Rule
    back: bool = False
    eps: float | None = None

    @classmethod
    def parse(cls, layer: Pattern, text: str) -> "Folding | None":
        """Read `fold NORM`, `fold NORM eps=1e-3` or `unfold NORM`; None for other words.

        Raises `BadRule`.
        """
        found = re.fullmatch(FOLD, text)
        if not found:
            return None
        back, norm, eps = found.groups()
        if back and eps:
            raise BadRule(f"`{text}`: the `eps` is the network's own where a norm is unfolded")
        return cls(Rule.onto(layer, norm), bool(back), float(eps) if eps else None)

    def __str__(self) -> str:
        return f"{self.layers.source}: {'un' * self.back}fold {self.layers.target}"


@dataclass(frozen=True)
class Pair:
    """A layer of the network and its norm: the layer's `weight`, whether it is `biased`, and the
    norm's tensors that the network has."""

    folding: Folding
    weight: Place
    biased: bool
    norm: str
    here: Mapping[str, Place]

    @property
    def bias(self) -> Place:
        """The place of the layer's bias, whether it has one or not."""
        made = self.weight.made
        return replace(self.weight, leaf="bias", shape=(outputs(self.weight),), order=made)

    def there(self, leaf: str) -> Place:
        """A place for the norm's tensor of a checkpoint."""
        own = replace(self.bias, groups=1, dimensions=0, made=())
        return replace(own, layer=self.norm, leaf=leaf, kind="norm")


class Folds:
    """The foldings for which a network and a checkpoint have layers.

    `places` are to be matched instead of the network's; those in `optional` may lack their tensor,
    and of those in `whole` none may be left out that is there; `obstacles` say why something cannot
    be folded; the `unused` foldings have no layer.
    """

    def __init__(
        self, foldings: Sequence[Folding], places: Mapping[str, Place], layout: str, named: Named
    ) -> None:
        self.places = dict(places)
        self.optional: set[str] = set()
        self.whole: set[str] = set()
        self.obstacles: list[str] = []
        self._eps = EPS.get(layout, 1e-5)
        self._named = named
        self._pairs = [pair for pair in _pairs(foldings, places) if self._applies(pair)]
        norms: dict[str, Pair] = {}
        for pair in self._pairs:
            if norms.setdefault(pair.norm, pair) is not pair:
                other = norms[pair.norm].weight.layer
                self.obstacles.append(f"`{pair.norm}` is the norm of `{other}` already")
                continue
            self.obstacles += self._undo(pair) if pair.folding.back else self._take_in(pair)
        used = {pair.folding for pair in self._pairs}
        self.unused = tuple(each for each in foldings if each not in used)

    def _applies(self, pair: Pair) -> bool:
        """Whether only the checkpoint has the norm, or only the network where that is undone."""
        there = any(self._named(pair.there(leaf)) for leaf in LEAVES)
        return pair.folding.back == bool(pair.here) != there

    def _take_in(self, pair: Pair) -> Iterator[str]:
        """Places for the tensors of a norm; yields why they cannot be folded."""
        layer, norm, bias = pair.weight.layer, pair.norm, pair.bias
        self.optional.add(bias.name)
        self.whole |= {pair.weight.name, bias.name, *(pair.there(leaf).name for leaf in LEAVES)}
        if not self._named(pair.weight):
            yield f"`{layer}` has no weight in the checkpoint to fold `{norm}` into"
            self.optional.add(pair.weight.name)
        shapes = {entry.shape for leaf in LEAVES for entry in self._named(pair.there(leaf))}
        taken = (inputs(pair.weight),)
        before = shapes == {taken} != {bias.shape}
        for leaf in LEAVES:
            place = pair.there(leaf)
            if leaf in STATISTICS and not self._named(place):
                yield f"`{norm}` has no `{leaf}` in the checkpoint, so it cannot be folded"
                self.optional.add(place.name)
            self.places[place.name] = replace(place, shape=taken) if before else place
        if before:
            yield (
                f"`{norm}` has a number for each channel that `{layer}` takes: "
                "a norm before a layer cannot be folded into it"
            )
        if not pair.biased:
            yield f"`{layer}` has no bias in the network, which it needs to take `{norm}` in"
            self.places[bias.name] = bias

    def _undo(self, pair: Pair) -> Iterator[str]:
        """No places for the tensors of a norm, but one for the bias that it takes over; yields why
        it cannot change nothing."""
        layer, norm, bias = pair.weight.layer, pair.norm, pair.bias
        for place in pair.here.values():
            del self.places[place.name]
        if not pair.here.keys() >= {*STATISTICS}:
            yield f"`{norm}` has no statistics in the network, so it cannot be made the identity"
        elif pair.here["running_var"].eps >= 1:
            yield f"`{norm}` has an `eps` of 1 or more, so it cannot be made the identity"
        if pair.biased or "bias" not in pair.here:
            return
        self.places[bias.name] = bias
        self.optional.add(bias.name)
        self.whole.add(bias.name)
        own = pair.here["bias"]
        if own.shape != bias.shape or own.reads not in (None, layer):
            yield f"`{norm}` does not stand behind `{layer}`, whose bias it would take over"

    def applied(self, moves: Iterable[Move]) -> tuple[Move, ...]:
        """The moves to the network's own places, where all that was matched has one."""
        found = {move.place.name: move for move in moves}
        for pair in self._pairs:
            found |= _restored(pair, found) if pair.folding.back else self._folded(pair, found)
        return tuple(found.values())

    def _folded(self, pair: Pair, found: dict[str, Move]) -> dict[str, Move]:
        """The moves of a layer with its norm."""
        parts = {leaf: found.pop(pair.there(leaf).name, None) for leaf in LEAVES}
        eps = self._eps if pair.folding.eps is None else pair.folding.eps
        norm = Norm(pair.norm, eps, {leaf: move for leaf, move in parts.items() if move})
        bias = found.get(pair.bias.name)
        bias = bias or _made(pair.bias, 0, norm.parts["running_mean"].source)
        both = (found[pair.weight.name], bias)
        return {move.place.name: replace(move, norm=norm) for move in both}


def _pairs(foldings: Sequence[Folding], places: Mapping[str, Place]) -> Iterator[Pair]:
    """Every layer that a folding names, with its norm."""
    if not foldings:
        return
    layers: dict[str, dict[str, Place]] = {}
    for place in places.values():
        if not place.counter:
            layers.setdefault(place.layer, {})[place.leaf] = place
    for layer, own in layers.items():
        if "weight" not in own or own["weight"].kind not in FOLDED:
            continue
        named = ((each, each.layers.rename(layer)) for each in foldings)
        for folding, norm in named:
            if norm is not None:
                here = layers.get(norm, {})
                yield Pair(folding, own["weight"], "bias" in own, norm, here)
                break


def _restored(pair: Pair, found: dict[str, Move]) -> dict[str, Move]:
    """The moves to a norm that changes nothing but by the bias that its layer lacks.

    The variance is `1 - eps`, rounded as the norm rounds: one plus a half of the last place is one
    again, so that the norm divides by one exactly.
    """
    made = {leaf: _made(place, _unit(place)) for leaf, place in pair.here.items()}
    bias = None if pair.biased else found.pop(pair.bias.name, None)
    if bias:
        made["bias"] = replace(bias, place=pair.here["bias"])
    return {move.place.name: move for move in made.values()}


def _unit(place: Place) -> float:
    """A number of a norm that changes nothing."""
    return {"weight": 1.0, "running_var": 1 - place.eps}.get(place.leaf, 0.0)


def _made(place: Place, number: float, source: str = "") -> Move:
    """The move of a tensor that no checkpoint has."""
    array = np.full(place.shape, number, numpy_dtype(place.dtype))
    form = Form(place.leaf, place.shape, place.shape)
    return Move(source, place, Entry.of(array), form)
