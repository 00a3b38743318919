"""What would mend it where a checkpoint and a network do not agree: rules, a layout, an adapter."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from codsl.diagnostics import CONSIDERED, suggest
from codsl.weights.adapters import NAMES, outputs_first
from codsl.weights.entry import Entry
from codsl.weights.layouts import LAYOUTS, forms, keys, lost
from codsl.weights.matching import Matching, Mismatch, Terms
from codsl.weights.pairing import paired
from codsl.weights.places import Place
from codsl.weights.tensors import Tensors
from codsl.weights.unwrap import BESIDE

SHOWN = 5
"""Suggestions that are made at most."""

IN_PIECES = "of the pieces that a tensor of the network is made of, none may be missing"

TORCHS = ("torch", "tripy", "onnx")
"""The layouts whose tensors have torch's shapes."""

KEPT = frozenset({"exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "square_avg"})
"""What torch's optimizers call what they keep of each parameter, besides its `step`."""


def only_kept(tensors: Tensors) -> bool:
    """Whether a checkpoint holds nothing but what an optimizer keeps."""
    parts = [name.split(".") for name in tensors.entries]
    kept = any(each[-1] in KEPT for each in parts)
    return kept and all(each[-1] in {*KEPT, "step"} or each[0] in BESIDE for each in parts)


def remedies(matching: Matching, tensors: Tensors, terms: Terms) -> Iterator[str]:
    """What would give the network what it lacks, the likeliest alone."""
    spare = {renamed: source for source, renamed in matching.unexpected}
    meant = _lackable(matching.missing)
    if not spare:
        yield meant if meant == IN_PIECES else f"say so by {meant}"
        return
    found = [
        *_layout(matching.missing, spare, terms),
        *_prefixes(spare, {key for each in matching.missing for key in keys(each, terms.layout)}),
    ]
    if not found and not terms.renaming.rules:
        rules = paired(matching.missing, list(spare), tensors.entries, terms.layout)
        listed = ", ".join(f'"{rule}"' for rule in rules)
        note = "by the shapes, layer after layer: look whether that is meant"
        found = [f"rename=[{listed}], {note}"] if rules else []
    if not found:
        lacking = matching.missing[:SHOWN]
        found = [text for place in lacking for text in _near(place, spare, tensors.entries, terms)]
    yield from found[:SHOWN]
    if not found:
        yield f"rename them by rules, as in `old.{{i}}.{{rest}} -> new{{i}}.{{rest}}`; {meant}"


def _lackable(missing: Sequence[Place]) -> str:
    """How to say that tensors may be missing, where they may."""
    whole = [place.name for place in missing if place.kind != "piece"]
    return f"{_allowing('missing', whole)} if that is meant" if whole else IN_PIECES


def spared(matching: Matching) -> str:
    """How to say that tensors have no place."""
    names = (source for source, _ in matching.unexpected)
    return f"say so by {_allowing('unexpected', names)} if that is meant"


def _allowing(what: str, names: Iterable[str]) -> str:
    """The argument that allows it; with the patterns of a few layers where there are so few."""
    layers = dict.fromkeys(name.rpartition(".")[0] for name in names)
    if len(layers) > 3 or "" in layers:
        return f"`allow_{what}`"
    patterns = ", ".join(f'"{layer}.{{}}"' for layer in layers)
    return f"`allow_{what}=[{patterns}]`"


def hints(mismatch: Mismatch, terms: Terms) -> Iterator[str]:
    """The layouts and adapters by which a shape would fit."""
    place, shape = mismatch.place, mismatch.entry.shape
    if lost(place, terms.layout):
        yield "it is not known in which order this layout has its channels: bring it into torch's"
        return
    fitting = [
        name
        for name in LAYOUTS
        if name != terms.layout and shape in {form.shape for form in forms(place, name)}
    ]
    if fitting:
        yield f"it would fit in layout {' or '.join(fitting)}: is that what the file has?"
    for name, adapter in NAMES.items():
        narrow = adapter.narrow(place, mismatch.entry)
        if any(form.shape == shape for each in narrow for form in forms(each, terms.layout)):
            yield f"it can be adapted by `{name}`, where that is meant"
    if place.kind == "piece" and place.shape == (2, *shape):
        yield "a GRU of one bias (`reset_after=False`) is another layer than torch's"
    outputs = shape and place.shape and shape[1:] == place.shape[1:]
    if outputs and terms.layout in TORCHS and outputs_first(place):
        there, here = shape[0], place.shape[0]
        some = f"; `rows[:{here}]` adapts it to the first {here}" if there > here else ""
        yield f"the file has {there} outputs, and the network {here}{some}"
    if outputs and terms.layout in TORCHS and not mismatch.needed:
        yield (
            "to leave it as it is in the network, give its name to both `allow_missing` and "
            "`allow_unexpected`"
        )


def _layout(lacking: Sequence[Place], spare: Collection[str], terms: Terms) -> Iterator[str]:
    """The layouts by whose words most of what is missing would be found."""
    missing = lacking[:CONSIDERED]
    found = {
        name: sum(any(key in spare for key in keys(place, name)) for place in missing)
        for name in LAYOUTS
        if name != terms.layout
    }
    most = max(found.values())
    if 2 * most > len(missing):
        words = " or ".join(f"`{name}`" for name, count in found.items() if count == most)
        yield f"most of them are there in layout {words}: is that what the file has?"


def _prefixes(spare: Collection[str], lacking: Collection[str]) -> Iterator[str]:
    """The rules that take off or put on a first part, where that settles all that have it."""
    fit: dict[str, bool] = {}
    for name in spare:
        first, _, rest = name.partition(".")
        fit[first] = fit.get(first, True) and rest in lacking
    off = [first for first, fits in fit.items() if fits]
    for first in off[:SHOWN]:
        rule = f"a rule: {first}.{{rest}} -> {{rest}}"
        yield f'{rule}; or envelope="{first}"' if first in BESIDE or len(off) > 1 else rule
    parts = (name.partition(".") for name in lacking)
    on = dict.fromkeys(first for first, _, rest in parts if rest in spare)
    for first in () if off else islice(on, SHOWN):
        if all(f"{first}.{name}" in lacking for name in spare):
            yield f"a rule: {{rest}} -> {first}.{{rest}}"


def _near(
    place: Place, spare: Mapping[str, str], entries: Mapping[str, Entry], terms: Terms
) -> Iterator[str]:
    rule = terms.renaming.rename(place.name)[1]
    if rule and place.name in spare.values():
        yield f"`{place.name}` is there, and renamed by `{rule}`"
        return
    shapes = {form.shape for form in forms(place, terms.layout)}
    fitting = (source for source in spare.values() if entries[source].shape in shapes)
    for near in suggest(place.name, fitting)[:1]:
        yield f"for `{place.name}`, did you mean `{near}` of the same shape?"
