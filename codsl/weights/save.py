"""Saving: with the spec inside, or under the names and in the layout of another framework."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from codsl.graph.written import Written
from codsl.spec.known import Known
from codsl.weights.cuts import Cut
from codsl.weights.entry import Array
from codsl.weights.form import Form
from codsl.weights.given import check_held, check_known, check_network
from codsl.weights.layouts import forms, lost
from codsl.weights.move import Move
from codsl.weights.numbers import BESIDES_NUMPY, address, as_numpy, as_torch
from codsl.weights.places import Place, places_of
from codsl.weights.recut import Layer, layers
from codsl.weights.refusal import WeightsError, refusal
from codsl.weights.settle import known_of, settle
from codsl.weights.tensors import Checkpoint
from codsl.weights.terms import Rename, agree, terms_of
from codsl.writing import in_place

FORMAT = "codsl weights"
"""What the metadata of a file of ours say that it is."""

Named = Mapping[str, Tensor]


@dataclass(frozen=True)
class Content:
    """What a file is to hold: tensors, and what is said of them; an `envelope` is the key that they
    stand under, with dots for several."""

    tensors: Named
    metadata: Mapping[str, str] = field(default_factory=dict)
    envelope: str | None = None

    @property
    def flat(self) -> dict[str, Tensor]:
        """The tensors, by names that begin with the envelope."""
        begin = f"{self.envelope}." if self.envelope is not None else ""
        return {f"{begin}{name}": tensor for name, tensor in self.tensors.items()}

    @property
    def nested(self) -> dict[str, Any]:
        """The tensors in mappings within one another."""
        held: dict[str, Any] = {name: tensor.clone() for name, tensor in self.tensors.items()}
        for key in reversed(self.envelope.split(".") if self.envelope is not None else []):
            held = {key: held}
        return held


def save_weights(
    net: nn.Module,
    path: str | os.PathLike[str],
    *,
    rename: Rename | None = None,
    layout: str | None = None,
    known: str | None = None,
    like: Checkpoint | None = None,
) -> None:
    """Write the weights of a network to a file: all of it, or the file that was there stays.

    A `.safetensors` file has the text of the spec and its SHA-256 in its metadata, so that
    `codsl.build(path)` makes the network again from this one file. `.npz` and `.pt` have the
    tensors alone.

    With `rename` and `layout`, or a checkpoint `known` to the spec, as `load_weights` takes them,
    the rules are undone and the tensors laid out as there, in the envelope of one that is known:
    loading it so gives the same. `like` is a checkpoint that fits the network by the same words,
    whose very names and forms are taken.

    Raises `WeightsError` where a name, or what was adapted, cannot be undone or a layout lacks a
    layer, `ValueError` for another suffix or a network on `meta`, and `TypeError` for what is of
    another type.
    """
    check_network(net)
    check_known(known, rename, layout)
    check_held(net)
    path = Path(path)
    write = _writer(path)
    if rename is None and layout is None and known is None and like is None:
        write(path, Content(_native(net), _metadata(net)))
        return
    chosen, envelope = _foreign(net, rename, layout, known, like)
    tensors = net.state_dict()
    made = {source: as_torch(each(tensors)) for source, each in chosen.items()}
    write(path, Content(made, envelope=envelope))


def _native(net: nn.Module) -> Named:
    """The tensors under the network's names; one that is shared is there under each."""
    return {name: tensor.detach().cpu() for name, tensor in net.state_dict().items()}


def _metadata(net: nn.Module) -> dict[str, str]:
    written: Written | None = getattr(getattr(net, "graph", None), "written", None)
    if written is None:
        return {}
    return {"format": FORMAT, **written.to_metadata()}


Made = Callable[[Named], Array]
"""How a tensor of the source is made of the network's."""


def _foreign(
    net: nn.Module,
    rename: Rename | None,
    layout: str | None,
    known: str | None,
    like: Checkpoint | None,
) -> tuple[dict[str, Made], str | None]:
    """The names of another's checkpoint, each with what it would have: those of one `like` it, else
    those that the rules lead from; and its envelope, where it is known."""
    terms = known_of(net, known) if known is not None else agree(rename, layout)
    if like is None:
        return _undone(net, terms), terms.envelope
    plainly = rename is not None or layout is not None
    plan = settle(net, like, agree(rename, layout), known, plainly)
    return _as_in(net, plan.matching.moves), plan.known.envelope


def _as_in(net: nn.Module, moves: Iterable[Move]) -> dict[str, Made]:
    """The names of a checkpoint that was matched, each with what it would have."""
    chosen: dict[str, Made] = {}
    for move in moves:
        if move.lossy:
            raise _adapted(move.place.name)
        if move.parts is None:
            chosen[move.source] = partial(_in_form, move.place.name, move.form)
            continue
        _check_room(net, move.place, move.parts.cut, move.parts.target, "the checkpoint")
        base = move.place.name.removesuffix(move.parts.target)
        for leaf, part in move.parts.moves.items():
            chosen[part.source] = partial(_piece, base, move.parts.cut, leaf)
    return chosen


def _undone(net: nn.Module, terms: Known) -> dict[str, Made]:
    """The names of the source's, each with what it would have."""
    places = places_of(net)
    _check_plain(places, terms)
    chosen: dict[str, Made] = {}
    cut = _cut(net, places, terms, chosen)
    counters = terms.layout in ("torch", "onnx")
    for place in places.values():
        if place.name not in cut and (counters or not place.counter):
            source, form = _source(place, terms)
            chosen[source] = partial(_in_form, place.name, form)
    return chosen


def _check_plain(places: Mapping[str, Place], terms: Known) -> None:
    """Refuse what is adapted or folded when it is loaded."""
    adapted = terms_of(terms)
    for folding in adapted.foldings:
        raise _adapted(str(folding))
    own = layers(places, terms.layout)
    cuts = ((layer, leaf, cut) for layer in own for cut in layer.cuts for leaf in cut.sources)
    names = (*places, *(layer.piece(cut, leaf).name for layer, leaf, cut in cuts))
    for pattern, _ in adapted.adapters:
        for name in filter(pattern.fits, names):
            raise _adapted(name)


def _adapted(what: str) -> WeightsError:
    return refusal("E0610", f"what was adapted cannot be undone: `{what}`")


def _cut(
    net: nn.Module, places: Mapping[str, Place], terms: Known, chosen: dict[str, Made]
) -> set[str]:
    """Choose the pieces of layers that the source cuts otherwise; the names of what they have."""
    done: set[str] = set()
    for layer in layers(places, terms.layout) if terms.layout != "torch" else ():
        cut = _usual(layer, terms)
        for target, place in layer.own.items():
            _check_room(net, place, cut, target, f"layout {terms.layout}")
            done.add(place.name)
        for leaf in cut.sources:
            name = layer.piece(cut, leaf).name
            source = terms.renaming.undo(name)
            if source is None:
                raise refusal("E0605", f"no name is renamed to `{name}` by these rules")
            chosen[source] = partial(_piece, f"{layer.name}." if layer.name else "", cut, leaf)
    return done


def _usual(layer: Layer, terms: Known) -> Cut:
    """The first cut of a layer that a rule is for, else the first."""
    for cut in layer.cuts:
        names = (layer.piece(cut, leaf).name for leaf in cut.sources)
        if any(terms.renaming.undo(name) not in (None, name) for name in names):
            return cut
    return layer.cuts[0]


def _check_room(net: nn.Module, place: Place, cut: Cut, target: str, where: str) -> None:
    if cut.lost(target, as_numpy(net.state_dict()[place.name])):
        raise refusal("E0610", f"{where} has no room for what is in `{place.name}`")


def _source(place: Place, terms: Known) -> tuple[str, Form]:
    """The name that is renamed to a place, a rule's before one that stays."""
    known = forms(place, terms.layout)
    if not known and lost(place, terms.layout):
        message = f"in which order layout {terms.layout} has the channels of `{place.name}`"
        raise refusal("E0609", f"it is not known {message}")
    if not known:
        raise refusal("E0609", f"layout {terms.layout} has nothing like `{place.name}`")
    stays: list[tuple[str, Form]] = []
    for form in known:
        name = f"{place.layer}.{form.leaf}" if place.layer else form.leaf
        source = terms.renaming.undo(name)
        if source is not None and source != name:
            return source, form
        if source is not None:
            stays.append((source, form))
    if not stays:
        raise refusal("E0605", f"no name is renamed to `{place.name}` by these rules")
    return stays[0]


def _in_form(name: str, form: Form, tensors: Named) -> Array:
    return form.from_torch(as_numpy(tensors[name]))


def _piece(base: str, cut: Cut, leaf: str, tensors: Named) -> Array:
    given = {each: as_numpy(tensors[base + each]) for each in cut.made_of(leaf)}
    return cut.undone(leaf, given)


def _safetensors(path: Path, content: Content) -> None:
    seen: set[int] = set()
    apart = {}
    for name, tensor in content.flat.items():
        plain = tensor.contiguous()
        apart[name] = plain.clone() if address(plain) in seen else plain
        seen.add(address(plain))
    save_file(apart, path, dict(content.metadata) or None)


def _npz(path: Path, content: Content) -> None:
    arrays = {name: as_numpy(tensor) for name, tensor in content.flat.items()}
    for name, array in arrays.items():
        if array.dtype in BESIDES_NUMPY:
            raise refusal("E0610", f"`{name}` is {array.dtype}, which no .npz file can hold")
    with ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def _pt(path: Path, content: Content) -> None:
    torch.save(content.nested, path)


Writer = Callable[[Path, Content], None]
WRITERS: dict[str, Writer] = {
    ".safetensors": _safetensors,
    ".npz": _npz,
    ".pt": _pt,
    ".pth": _pt,
}
"""How a file is written, by its suffix."""


def _writer(path: Path) -> Writer:
    if path.suffix not in WRITERS:
        raise ValueError(f"`{path}`: weights are written to {', '.join(WRITERS)}")
    write = WRITERS[path.suffix]

    def whole(target: Path, content: Content) -> None:
        with in_place(target) as part:
            write(part, content)

    return whole
