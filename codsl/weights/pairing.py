"""Rules for a checkpoint whose layers are those of a network under other names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, takewhile

from codsl.spec.renaming import BadRule, Renaming
from codsl.weights.entry import Entry
from codsl.weights.layouts import forms
from codsl.weights.places import Place

MOST = 8
"""Rules that are offered at most."""

_NUMBER = re.compile(r"(\d+)")

Pair = tuple[str, str]
"""What a name begins with in the checkpoint, and in the network."""


def paired(
    lacking: Sequence[Place], spare: Sequence[str], entries: Mapping[str, Entry], layout: str
) -> list[str]:
    """The rules by which every tensor that is lacking has its name, where layer after layer the
    shapes fit, by the names behind what all have, in order, or in the order of the checkpoint's
    names; none where they do not, or where it takes more rules than help."""
    here = [(layer, [*each]) for layer, each in groupby(lacking, lambda place: place.layer)]
    own = [name for name in spare if "." in name and not name.endswith(".num_batches_tracked")]
    for order in (_by_words(lacking, own), own, sorted(own, key=_natural)):
        there = [(layer, [*each]) for layer, each in groupby(order, _layer)]
        if len(dict(there)) < len(there) or len(there) != len(here):
            continue
        both = zip(here, there, strict=True)
        if not all(_fit(places, names, entries, layout) for (_, places), (_, names) in both):
            continue
        pairs = [(old, new) for (old, _), (new, _) in zip(there, here, strict=True)]
        short = _counted(_shortened(pairs))
        rules = [(f"{old}.{{rest}}", f"{new}.{{rest}}") for old, new in short]
        layers = dict(pairs)
        names = {name: layers[_layer(name)] for name in own}
        if len(rules) <= MOST and not _crossed(layers) and _hold(rules, names, entries):
            return [f"{old} -> {new}" for old, new in rules]
    return []


def _by_words(lacking: Sequence[Place], names: Sequence[str]) -> list[str]:
    """The names of a checkpoint in the order of a network's, where they are these behind what all
    names begin with here and there; else none."""
    wanted = [place.name.split(".") for place in lacking]
    first, other = len(_shared(wanted)), _shared([name.split(".") for name in names])
    order = [".".join([*other, *each[first:]]) for each in wanted]
    return order if set(order) == set(names) else []


def _shared(names: Sequence[list[str]]) -> list[str]:
    """The parts that all names begin with."""
    if not names:
        return []
    both = takewhile(lambda pair: pair[0] == pair[1], zip(min(names), max(names), strict=False))
    return [part for part, _ in both]


def _layer(name: str) -> str:
    return name.rpartition(".")[0]


def _natural(name: str) -> list[tuple[int, str]]:
    """What sorts `layer.2` before `layer.10`."""
    return [(int(part) if part.isdecimal() else 0, part) for part in _NUMBER.split(name)]


def _fit(
    places: Sequence[Place], names: Sequence[str], entries: Mapping[str, Entry], layout: str
) -> bool:
    """Whether the tensors of a layer are those of another, by their own names and shapes."""
    shapes = {name.rpartition(".")[2]: entries[name].shape for name in names}
    known = ({(form.leaf, form.shape) for form in forms(place, layout)} for place in places)
    return len(places) == len(names) and all(some & shapes.items() for some in known)


def _crossed(layers: Mapping[str, str]) -> bool:
    """Whether a layer would be called as another one beside it is called already."""
    for old, new in layers.items():
        beside, dot, _ = old.rpartition(".")
        word = new.rpartition(".")[2]
        namesake = f"{beside}{dot}{word}"
        if namesake != old and namesake in layers and not _NUMBER.search(word):
            return True
    return False


def _shortened(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs without the parts at the end in which both agree, the longer names first."""
    found: dict[str, str] = {}
    for old, new in pairs:
        one, other = old.split("."), new.split(".")
        while len(one) > 1 and len(other) > 1 and one[-1] == other[-1]:
            one, other = one[:-1], other[:-1]
        short, meant = ".".join(one), ".".join(other)
        if found.setdefault(short, meant) != meant:
            found[old] = new
    return sorted(found.items(), key=lambda pair: -pair[0].count("."))


def _counted(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs, as one those that differ in a number alone that goes along."""
    groups: dict[object, list[tuple[list[str], list[str]]]] = {}
    for old, new in pairs:
        one, other = _NUMBER.split(old), _NUMBER.split(new)
        groups.setdefault((*one[::2], None, *other[::2]), []).append((one, other))
    return [pair for group in groups.values() for pair in _as_one(group)]


def _as_one(group: Sequence[tuple[list[str], list[str]]]) -> list[Pair]:
    apart = [("".join(one), "".join(other)) for one, other in group]
    one, other = group[0]
    left = [at for at in range(len(one)) if len({each[at] for each, _ in group}) > 1]
    right = [at for at in range(len(other)) if len({each[at] for _, each in group}) > 1]
    if len(left) != 1 or len(right) != 1:
        return apart
    shifts = {int(new[right[0]]) - int(old[left[0]]) for old, new in group}
    if len(shifts) > 1:
        return apart
    shift = shifts.pop()
    hole = f"{{i{shift:+}}}" if shift else "{i}"
    old = "".join("{i}" if at == left[0] else part for at, part in enumerate(one))
    new = "".join(hole if at == right[0] else part for at, part in enumerate(other))
    return [(old, new)]


def _hold(rules: Sequence[Pair], layers: Mapping[str, str], entries: Mapping[str, Entry]) -> bool:
    """Whether the rules give every such tensor its layer, and leave all others alone."""
    try:
        renaming = Renaming.parse(rules)
    except BadRule:
        return False
    renamed = ((name, renaming.rename(name)) for name in entries)
    return all(
        _layer(new) == layers[name] if name in layers else rule is None or _counts(name)
        for name, (new, rule) in renamed
    )


def _counts(name: str) -> bool:
    return name.endswith(".num_batches_tracked")
