"""What is wrong where a checkpoint and a network do not agree."""

from collections.abc import Iterator, Sequence

from codsl.diagnostics import Diagnostic, Help, Label, plural, suggest
from codsl.source import Span
from codsl.spec.renaming import Rule
from codsl.weights.folding import Folding
from codsl.weights.grouping import listed
from codsl.weights.matching import Matching, Mismatch, Terms
from codsl.weights.places import Place
from codsl.weights.remedies import SHOWN, hints, only_kept, remedies, spared
from codsl.weights.tensors import Tensors


def complaints(matching: Matching, tensors: Tensors, terms: Terms) -> list[Diagnostic]:
    """All that is wrong, what explains the rest first."""
    if not matching.moves and only_kept(tensors):
        message = f"`{tensors.origin}` holds what an optimizer keeps, and no weights"
        return [Diagnostic("E0607", message, (), (listed(tensors.entries),))]
    found = [
        *(Diagnostic("E0612", each) for each in matching.obstacles[:SHOWN]),
        *_idle(matching, tensors, terms),
        *_clashes(matching),
        *_mismatches(matching.mismatches, terms),
    ]
    missing, unexpected = matching.missing, matching.unexpected
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        names = listed(place.name for place in missing)
        message = f"{plural(len(missing), 'tensor')} of the network {verb} not in the checkpoint"
        helps = tuple(map(Help, remedies(matching, tensors, terms)))
        found.append(Diagnostic("E0607", message, _lacking(missing), (names,), helps))
    if unexpected:
        has = "has" if len(unexpected) == 1 else "have"
        message = (
            f"{plural(len(unexpected), 'tensor')} of the checkpoint {has} no place in the network"
        )
        names = listed(
            source if source == renamed else f"{source} (renamed to {renamed})"
            for source, renamed in unexpected
        )
        allow = Help(spared(matching))
        found.append(Diagnostic("E0608", message, (), (names,), () if missing else (allow,)))
    if not found and not matching.moves:
        message = f"no tensor of `{tensors.origin}` belongs to the network"
        found.append(Diagnostic("E0607", message))
    return found


def _idle(matching: Matching, tensors: Tensors, terms: Terms) -> Iterator[Diagnostic]:
    for each in matching.unused[:SHOWN]:
        if isinstance(each, Folding):
            owner = "network" if each.back else "checkpoint"
            note = f"it takes a layer of the network whose norm the {owner} alone has"
            yield Diagnostic("E0605", f"nothing is to be folded by `{each}`", (), (note,))
            continue
        if not isinstance(each, Rule):
            yield Diagnostic("E0605", f"nothing is to be adapted at `{each}`")
            continue
        fitting = next((name for name in tensors.entries if each.source.fits(name)), None)
        if fitting is not None:
            first = terms.renaming.rename(fitting)[1]
            note = f"`{fitting}` is taken by `{first}`, which stands before"
        else:
            near = suggest(str(each.source), tensors.entries)[:1] or list(tensors.entries)[:3]
            note = f"names of the checkpoint: {', '.join(f'`{name}`' for name in near)}"
        yield Diagnostic("E0605", f"the rule `{each}` renames nothing", (), (note,))
    rest = matching.unused[SHOWN:]
    if rest:
        yield Diagnostic("E0605", f"{plural(len(rest), 'more rule')} that nothing fits")


def _clashes(matching: Matching) -> Iterator[Diagnostic]:
    for each in matching.clashes[:SHOWN]:
        help = Help("leave out all but one by `allow_unexpected`, or rename them apart")
        message = f"for `{each.place.name}` there are {listed(each.sources)}"
        yield Diagnostic("E0606", message, at(each.place, "this layer"), (), (help,))
    rest = matching.clashes[SHOWN:]
    if rest:
        names = listed(each.place.name for each in rest)
        message = f"{plural(len(rest), 'more place')} with several tensors"
        yield Diagnostic("E0606", message, (), (names,))


def _mismatches(mismatches: Sequence[Mismatch], terms: Terms) -> Iterator[Diagnostic]:
    """Those that would be mended alike as one."""
    alike: dict[tuple[str, ...], list[Mismatch]] = {}
    for each in mismatches:
        alike.setdefault(tuple(hints(each, terms)), []).append(each)
    for helps, group in list(alike.items())[:SHOWN]:
        yield _mismatch(group, helps, terms)
    rest = [each.place.name for group in list(alike.values())[SHOWN:] for each in group]
    if rest:
        message = f"{plural(len(rest), 'more tensor')} of other shapes"
        yield Diagnostic("E0609", message, (), (listed(rest),))


def _mismatch(group: Sequence[Mismatch], helps: Sequence[str], terms: Terms) -> Diagnostic:
    each = group[0]
    wanted = " or ".join(_shape(shape) for shape in each.wanted[:3]) or "nothing of its kind"
    message = f"`{each.source}` is {_shape(each.entry.shape)}, and `{each.place.name}` takes"
    others = listed(each.place.name for each in group[1:])
    notes = (f"so it is with {others}",) if others else ()
    found = f"{message} {wanted} in layout {terms.layout}"
    labels = at(each.place, "this layer")
    return Diagnostic("E0609", found, labels, notes, tuple(map(Help, helps)))


def at(place: Place, text: str) -> tuple[Label, ...]:
    """Where the layer of a place is written, if it is."""
    return (Label(place.span, text),) if place.span else ()


def _lacking(missing: Sequence[Place]) -> tuple[Label, ...]:
    """The first layers that lack something, each once, and what it is."""
    lines: dict[Span, list[str]] = {}
    for place in missing:
        if place.span and (place.span in lines or len(lines) < SHOWN):
            lines.setdefault(place.span, []).append(place.leaf)
    return tuple(Label(span, listed(dict.fromkeys(leaves))) for span, leaves in lines.items())


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
