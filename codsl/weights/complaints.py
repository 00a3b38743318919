"""What is wrong where a checkpoint and a network do not agree, with what would mend it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from codsl.diagnostics import Diagnostic, Help, plural, suggest
from codsl.spec.renaming import Rule
from codsl.weights.adapters import NAMES
from codsl.weights.entry import Entry
from codsl.weights.folding import Folding
from codsl.weights.grouping import listed
from codsl.weights.layouts import LAYOUTS, forms, keys
from codsl.weights.matching import Matching, Mismatch, Terms
from codsl.weights.places import Place
from codsl.weights.tensors import Tensors

SHOWN = 5
"""Suggestions, and tensors of another shape, that are shown one by one."""


def complaints(matching: Matching, tensors: Tensors, terms: Terms) -> list[Diagnostic]:
    """All that is wrong, what explains the rest first."""
    found = [
        *(Diagnostic("E0612", each) for each in matching.obstacles),
        *_idle(matching, tensors, terms),
        *_clashes(matching),
        *_mismatches(matching.mismatches, terms),
    ]
    missing, unexpected = matching.missing, matching.unexpected
    helps = [Help(each) for each in _remedies(matching, tensors, terms)]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        names = listed(place.name for place in missing)
        message = f"{plural(len(missing), 'tensor')} of the network {verb} not in the checkpoint"
        found.append(Diagnostic("E0607", message, (), (names,), tuple(helps)))
    if unexpected:
        has = "has" if len(unexpected) == 1 else "have"
        message = (
            f"{plural(len(unexpected), 'tensor')} of the checkpoint {has} no place in the network"
        )
        names = listed(
            source if source == renamed else f"{source} (renamed to {renamed})"
            for source, renamed in unexpected
        )
        allow = Help("say so by `allow_unexpected` if that is meant")
        found.append(Diagnostic("E0608", message, (), (names,), () if missing else (allow,)))
    if not found and not matching.moves:
        message = f"no tensor of `{tensors.origin}` belongs to the network"
        found.append(Diagnostic("E0607", message))
    return found


def _idle(matching: Matching, tensors: Tensors, terms: Terms) -> Iterator[Diagnostic]:
    for each in matching.unused:
        if isinstance(each, Folding):
            owner = "network" if each.back else "checkpoint"
            note = f"it takes a layer of the network whose norm the {owner} alone has"
            yield Diagnostic("E0605", f"nothing is to be folded by `{each}`", (), (note,))
            continue
        if not isinstance(each, Rule):
            yield Diagnostic("E0605", f"nothing is to be adapted at `{each}`")
            continue
        fitting = [name for name in tensors.entries if each.rename(name) is not None]
        if fitting:
            first = terms.renaming.rename(fitting[0])[1]
            note = f"`{fitting[0]}` is taken by `{first}`, which stands before"
        else:
            near = suggest(str(each.source), tensors.entries)[:1] or list(tensors.entries)[:3]
            note = f"names of the checkpoint: {', '.join(f'`{name}`' for name in near)}"
        yield Diagnostic("E0605", f"the rule `{each}` renames nothing", (), (note,))


def _clashes(matching: Matching) -> Iterator[Diagnostic]:
    for each in matching.clashes:
        sources = ", ".join(f"`{source}`" for source in each.sources)
        help = Help("leave out all but one by `allow_unexpected`, or rename them apart")
        yield Diagnostic("E0606", f"for `{each.place}` there are {sources}", (), (), (help,))


def _mismatches(mismatches: Sequence[Mismatch], terms: Terms) -> Iterator[Diagnostic]:
    for each in mismatches[:SHOWN]:
        wanted = " or ".join(_shape(shape) for shape in each.wanted[:3]) or "nothing of its kind"
        message = f"`{each.source}` is {_shape(each.entry.shape)}, and `{each.place.name}` takes"
        helps = tuple(Help(hint) for hint in _hints(each, terms))
        yield Diagnostic("E0609", f"{message} {wanted} in layout {terms.layout}", (), (), helps)
    rest = mismatches[SHOWN:]
    if rest:
        names = listed(each.place.name for each in rest)
        yield Diagnostic(
            "E0609", f"{plural(len(rest), 'more tensor')} of other shapes", (), (names,)
        )


def _hints(mismatch: Mismatch, terms: Terms) -> Iterator[str]:
    """The layouts and adapters by which the shape would fit."""
    place, shape = mismatch.place, mismatch.entry.shape
    fitting = [
        name
        for name in LAYOUTS
        if name != terms.layout and shape in {form.shape for form in forms(place, name)}
    ]
    if fitting:
        yield f"it would fit in layout {' or '.join(fitting)}: is that what the file has?"
    for name, adapter in NAMES.items():
        narrow = adapter.narrow(place, mismatch.entry)
        if narrow and shape in {form.shape for form in forms(narrow, terms.layout)}:
            yield f"it can be adapted by `{name}`, where that is meant"


def _remedies(matching: Matching, tensors: Tensors, terms: Terms) -> Iterator[str]:
    """Rules that would give the network what it lacks."""
    lacking = {key for place in matching.missing for key in keys(place, terms.layout)}
    spare = {renamed: source for source, renamed in matching.unexpected}
    if not spare:
        yield "say so by `allow_missing` if that is meant"
        return
    prefix = _prefix(spare, lacking)
    if prefix:
        yield f"a rule: {prefix}"
        return
    near = [
        f"for `{place.name}`, did you mean `{source}` of the same shape?"
        for place in matching.missing[:SHOWN]
        for source in suggest(place.name, _fitting(place, spare.values(), tensors.entries, terms))[
            :1
        ]
    ]
    yield from near or ["say by `rename` which is which: `theirs.{rest} -> ours.{rest}`"]


def _fitting(
    place: Place, sources: Iterable[str], entries: Mapping[str, Entry], terms: Terms
) -> list[str]:
    shapes = {form.shape for form in forms(place, terms.layout)}
    return [source for source in sources if entries[source].shape in shapes]


def _prefix(spare: Iterable[str], lacking: Collection[str]) -> str | None:
    """The rule that takes off or puts on a first part, where that settles most names."""
    off = {name.partition(".")[0] for name in spare if name.partition(".")[2] in lacking}
    for first in off:
        if all(name.partition(".")[2] in lacking for name in spare if name.startswith(f"{first}.")):
            return f"{first}.{{rest}} -> {{rest}}"
    on = {name.partition(".")[0] for name in lacking if name.partition(".")[2] in spare}
    for first in on:
        if all(f"{first}.{name}" in lacking for name in spare):
            return f"{{rest}} -> {first}.{{rest}}"
    return None


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
