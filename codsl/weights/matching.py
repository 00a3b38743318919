"""Which tensor of a checkpoint goes where in a network, and how, before a number is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch

from codsl.spec.renaming import Pattern, Renaming, Rule
from codsl.weights.adapters import Adapter
from codsl.weights.entry import Entry
from codsl.weights.folding import Folding, Folds
from codsl.weights.layouts import beside, forms, keys
from codsl.weights.move import Move
from codsl.weights.places import Place
from codsl.weights.recut import Recut


@dataclass(frozen=True)
class Mismatch:
    """A tensor that has a place by name and not by shape; it may be left out unless it is `needed`
    with others."""

    source: str
    place: Place
    entry: Entry
    wanted: tuple[tuple[int, ...], ...]
    needed: bool = False


@dataclass(frozen=True)
class Clash:
    """Several tensors of the source for one place."""

    place: Place
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Terms:
    """What is agreed on: rules, layout, what may be missing or too much, what is adapted, and
    which norms are folded.

    `shared` rules are those of a network of several forms: one may be idle whose layers this form
    lacks.
    """

    renaming: Renaming = Renaming()
    layout: str = "torch"
    allow_missing: tuple[Pattern, ...] = ()
    allow_unexpected: tuple[Pattern, ...] = ()
    adapters: tuple[tuple[Pattern, Adapter], ...] = ()
    foldings: tuple[Folding, ...] = ()
    shared: bool = False


@dataclass(frozen=True)
class Matching:
    """What goes where, and all that goes nowhere."""

    moves: tuple[Move, ...]
    missing: tuple[Place, ...]
    unexpected: tuple[tuple[str, str], ...]
    mismatches: tuple[Mismatch, ...]
    clashes: tuple[Clash, ...]
    unused: tuple[Rule | Pattern | Folding, ...]
    left: tuple[str, ...]
    kept: tuple[str, ...]
    obstacles: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether every tensor that must has its place, and no rule is idle."""
        names = (self.missing, self.unexpected, self.clashes, self.unused)
        return bool(self.moves) and not any((*names, self.mismatches, self.obstacles))


def match(places: Mapping[str, Place], entries: Mapping[str, Entry], terms: Terms) -> Matching:
    """Match by name: a source's name after its rule is a key of the network, or has the layout's
    word for its last part. The last part alone never decides, nor does the order."""
    matcher = _Matcher(places, entries, terms)
    found = matcher.matching()
    if not found.whole:
        return found
    return replace(found, moves=matcher.recut.applied(matcher.folds.applied(found.moves)))


class _Matcher:
    def __init__(
        self, places: Mapping[str, Place], entries: Mapping[str, Entry], terms: Terms
    ) -> None:
        self._entries = entries
        self._terms = terms
        self._used: set[object] = set()
        self._named: dict[str, list[tuple[str, Rule | None]]] = {}
        for name in entries:
            renamed, rule = terms.renaming.rename(name)
            self._used.add(rule)
            self._named.setdefault(renamed, []).append((name, rule))
        self._taken: set[str] = set()
        self.recut = Recut(places, terms.layout, self._read)
        self.folds = Folds(terms.foldings, self.recut.places, terms.layout, self._read)

    def matching(self) -> Matching:
        moves: list[Move] = []
        mismatches: list[Mismatch] = []
        missing, clashes, kept = [], [], []
        for place in self.folds.places.values():
            found = self._candidates(place)
            if len(found) > 1:
                found = [each for each in found if not self._spare(each[0])] or found
            self._taken.update(source for source, _ in found)
            if len(found) > 1:
                clashes.append(Clash(place, tuple(source for source, _ in found)))
            elif found:
                match self._move(place, *found[0]):
                    case Move() as move:
                        moves.append(move)
                    case Mismatch() as mismatch if self._dropped(mismatch):
                        kept.append(place.name)
                    case Mismatch() as mismatch:
                        mismatches.append(mismatch)
            elif place.name in self.folds.optional:
                continue
            elif place.counter or self._may_lack(place):
                kept.append(place.name)
            else:
                missing.append(place)
        unexpected, left = self._rest()
        return Matching(
            tuple(moves),
            tuple(missing),
            unexpected,
            tuple(mismatches),
            tuple(clashes),
            self._unused(),
            left,
            tuple(kept),
            tuple(self.folds.obstacles),
        )

    def _candidates(self, place: Place) -> list[tuple[str, Rule | None]]:
        """The tensors that are named for a place; a count of batches that was made a float with
        all else is none, as it may be rounded."""
        known = keys(place, self._terms.layout)
        found = [each for key in known for each in self._named.get(key, ())]
        if not place.counter:
            return found
        return [each for each in found if alike(self._entries[each[0]], place.dtype)]

    def _may_lack(self, place: Place) -> bool:
        """Whether a tensor may stay as it is; of one that is there in pieces, all must be."""
        return place.kind != "piece" and _allowed(place.name, self._terms.allow_missing)

    def _spare(self, source: str) -> bool:
        return _allowed(source, self._terms.allow_unexpected)

    def _dropped(self, mismatch: Mismatch) -> bool:
        """Whether a tensor of another shape may be left out, and its place be left as it is."""
        allowed = _allowed(mismatch.place.name, self._terms.allow_missing)
        dropped = allowed and not mismatch.needed and self._spare(mismatch.source)
        self._taken -= {mismatch.source} if dropped else set()
        return dropped

    def _read(self, place: Place) -> list[Entry]:
        return [self._entries[source] for source, _ in self._candidates(place)]

    def _move(self, place: Place, source: str, rule: Rule | None) -> Move | Mismatch:
        entry = self._entries[source]
        known = forms(place, self._terms.layout)
        for form in known:
            if form.shape == entry.shape:
                return Move(source, place, entry, form, rule)
        for pattern, adapter in self._terms.adapters:
            narrow = adapter.narrow(place, entry) if pattern.fits(place.name) else ()
            for form in (form for each in narrow for form in forms(each, self._terms.layout)):
                if form.shape == entry.shape:
                    self._used.add(pattern)
                    return Move(source, place, entry, form, rule, adapter)
        wanted = tuple(dict.fromkeys(form.shape for form in known))
        needed = place.kind == "piece" or place.name in self.folds.whole
        return Mismatch(source, place, entry, wanted, needed)

    def _rest(self) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
        """The tensors without a place, as they were and as they are called after their rules."""
        unexpected, left = [], []
        for renamed, sources in self._named.items():
            for source, _ in sources:
                if source in self._taken:
                    continue
                if self._spare(source) or beside(source, self._terms.layout):
                    left.append(source)
                else:
                    unexpected.append((source, renamed))
        return tuple(unexpected), tuple(left)

    def _unused(self) -> tuple[Rule | Pattern | Folding, ...]:
        """The rules and the patterns of adapters that did nothing; what is allowed need not be."""
        adapted = (pattern for pattern, _ in self._terms.adapters)
        given: tuple[Rule | Pattern, ...] = (*self._terms.renaming.rules, *adapted)
        idle = tuple(
            each for each in given if each not in self._used and not self._may_be_idle(each)
        )
        return (*idle, *self.folds.unused)

    def _may_be_idle(self, rule: Rule | Pattern) -> bool:
        """Whether a rule is for layers that only other forms of the network have."""
        target = rule.target if isinstance(rule, Rule) else rule
        return self._terms.shared and not any(map(target.fits, self.folds.places))


def _allowed(name: str, patterns: Iterable[Pattern]) -> bool:
    return any(pattern.fits(name) for pattern in patterns)


def cast_of(entry: Entry, place: Place) -> str:
    """What happens to the numbers' dtype, in words; empty where nothing does."""
    here = str(place.dtype).removeprefix("torch.")
    return "" if str(entry.dtype) == here else f"{entry.dtype} to {here}"


def alike(entry: Entry, dtype: torch.dtype) -> bool:
    """Whether numbers of a file may become those of a network: floats floats, integers integers."""
    kind = "f" if dtype.is_floating_point else "c" if dtype.is_complex else "i"
    there = entry.dtype.kind
    floats = there == "f" or entry.dtype.name.startswith(("bfloat", "float8"))
    if dtype == torch.bool:
        return there == "b"
    return {"f": floats, "c": there == "c" or floats, "i": there in "iu"}[kind]
