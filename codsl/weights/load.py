"""Loading: everything is checked, and then everything is copied."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import starmap

import numpy as np
import torch
from torch import nn

from codsl.diagnostics import Diagnostic, Help
from codsl.weights.complaints import at
from codsl.weights.entry import Array
from codsl.weights.given import check_known, check_network, check_writable
from codsl.weights.grouping import listed
from codsl.weights.matching import alike, cast_of
from codsl.weights.move import Move
from codsl.weights.numbers import address, as_torch, nonfinite
from codsl.weights.overwrite import overwrite
from codsl.weights.places import Place
from codsl.weights.refusal import WeightsError
from codsl.weights.report import Loaded, LoadReport
from codsl.weights.settle import Plan, settle
from codsl.weights.tensors import Checkpoint
from codsl.weights.terms import Rename, agree
from codsl.weights.torn import torn


def load_weights(
    net: nn.Module,
    checkpoint: Checkpoint,
    *,
    rename: Rename | None = None,
    layout: str | None = None,
    known: str | None = None,
    envelope: str | None = None,
    allow_missing: Iterable[str] = (),
    allow_unexpected: Iterable[str] = (),
    adapt: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> LoadReport:
    """Load a checkpoint into a network by the names of its layers: all of it, or nothing.

    Args:
        net: a network, or any module.
        checkpoint: a file that `codsl.weights.read` reads, or a mapping in memory.
        rename: rules such as `{"blocks.{i}.{rest}": "stage{i+1}.{rest}"}` in order, the
            checkpoint's names left and the network's right; or the path of a file of them, one a
            line, `blocks.{i}.{rest} -> stage{i+1}.{rest}`.
        layout: the checkpoint's: `torch` if not said, `torch_time_last` (of convolutions over space
            and then time), `tripy`, `megengine`, `keras`, `flax`,
            `flax_transpose_kernel` or `onnx`.
        known: a checkpoint of the spec's `weights`, instead of rules and a layout. Where none of
            the three is given, the checkpoint is taken as it is if it fits, else as the one of the
            spec's that it fits.
        envelope: the key under which a nested file has the weights, such as `model_ema`, or what
            the names of one part of a larger network begin with, such as `encoder`.
        allow_missing: patterns of the network's tensors that may stay as they are.
        allow_unexpected: patterns of the checkpoint's tensors that may be left out.
        adapt: what may be done to another shape, for patterns of the network's tensors:
            `inflate_mean`, `inflate_center`, `inflate_last`, `input_channels`, `pointwise`,
            `singletons` or `rows[1:]`; and to layers with their norms, by the network's names:
            `{"{p:path}.conv": "fold {p}.bn"}` takes batch norms that only the checkpoint has into
            the convolutions (or linear layers) before them, which need a bias; its norms' eps is
            1e-5, in the layout of Keras 1e-3, or as in `"fold {p}.bn eps=0.001"`; `unfold {p}.bn`
            makes norms that only the network has change nothing.
        dry_run: check all of it, numbers too, and copy nothing.

    Numbers take the dtype of the network: floats may become shorter floats, which is reported, as
    long as none becomes infinite; complex numbers, and integers for floats, are refused.

    Raises `WeightsError`, whose `diagnostics` are all that does not fit, and `TypeError` for what
    is of another type, and `ValueError` for a network that cannot be written to; nothing was copied
    then.
    """
    check_network(net)
    check_known(known, rename, layout)
    if not dry_run:
        check_writable(net)
    given = agree(rename, layout, envelope, allow_missing, allow_unexpected, adapt)
    plainly = rename is not None or layout is not None
    plan = settle(net, checkpoint, given, known, plainly)
    loaded, wrong = _inspect(plan.matching.moves)
    wrong += torn(net, plan.matching.moves)
    if wrong:
        raise WeightsError(wrong)
    if not dry_run:
        _copy(net, plan.matching.moves)
    return _report(plan, loaded)


def _inspect(moves: Sequence[Move]) -> tuple[list[Loaded], list[Diagnostic]]:
    """Read every tensor once: what will become of it, and whether its numbers survive."""
    loaded = []
    large: dict[torch.dtype, list[Move]] = {}
    cannot: dict[tuple[str, torch.dtype], list[tuple[str, Place]]] = {}
    for move in moves:
        lost = [each for each in move.entries if not alike(each[1], move.place.dtype)]
        for source, entry in lost:
            cannot.setdefault((str(entry.dtype), move.place.dtype), []).append((source, move.place))
        if lost:
            continue
        array = move.array()
        strange = nonfinite(array)
        tensor = as_torch(array).to(move.place.dtype)
        if not _survives(tensor, array, strange):
            large.setdefault(move.place.dtype, []).append(move)
        loaded.append(_loaded(move, strange))
    return loaded, [*starmap(_no_cast, cannot.items()), *map(_too_large, large.values())]


def _survives(tensor: torch.Tensor, array: Array, strange: int) -> bool:
    """Whether no number has become infinite, and whole numbers are the same ones still."""
    if tensor.dtype.is_floating_point and tensor.dtype.itemsize == 1:
        finite = array[np.isfinite(array)].astype(np.float64)  # torch takes its largest for more
        return float(np.abs(finite).max(initial=0)) <= torch.finfo(tensor.dtype).max
    if tensor.is_floating_point() or tensor.is_complex():
        return int((~tensor.isfinite()).sum()) <= strange
    return bool((tensor.numpy() == array).all())


def _no_cast(dtypes: tuple[str, torch.dtype], tensors: list[tuple[str, Place]]) -> Diagnostic:
    there, here = dtypes[0], str(dtypes[1]).removeprefix("torch.")
    source, place = tensors[0]
    message = f"`{source}` holds {there}, and `{place.name}` takes {here}"
    notes = _others(source for source, _ in tensors[1:])
    quantised = "int" in there and dtypes[1].is_floating_point
    notes += ["quantised numbers lack their scale here" if quantised else "numbers would be lost"]
    helps = (Help("load what it was quantised from, or multiply by the scales first"),)
    labels = at(place, "this layer")
    return Diagnostic("E0610", message, labels, tuple(notes), helps if quantised else ())


def _too_large(moves: Sequence[Move]) -> Diagnostic:
    move, *others = moves
    dtype = str(move.place.dtype).removeprefix("torch.")
    message = f"`{move.source}` has numbers that are too large for {dtype}"
    labels = at(move.place, "this layer")
    notes = (*_others(each.source for each in others), f"it holds {move.entry.dtype}")
    return Diagnostic("E0610", message, labels, notes)


def _others(names: Iterable[str]) -> list[str]:
    """What is said of those for which something holds too."""
    others = listed(names)
    return [f"so it is with {others}"] if others else []


def _loaded(move: Move, strange: int) -> Loaded:
    return Loaded(
        move.place.name,
        move.source,
        move.place.shape,
        str(move.rule) if move.rule else "",
        move.change,
        cast_of(move.entry, move.place),
        move.adapted,
        strange,
    )


def _copy(net: nn.Module, moves: Sequence[Move]) -> None:
    tensors = net.state_dict(keep_vars=True)
    own = {address(each) for each in tensors.values()}
    own |= {each.data_ptr() for each in tensors.values()}
    own.discard(0)
    overwrite([(tensors[move.place.name], _reader(move, own)) for move in moves])


def _reader(move: Move, own: Collection[int]) -> Callable[[], torch.Tensor]:
    """What reads a tensor; at once, where it lies in what is written to meanwhile."""
    if not any(entry.memory in own for _, entry in move.entries):
        return move.tensor
    value = move.tensor().clone()
    return lambda: value


def _report(plan: Plan, loaded: Sequence[Loaded]) -> LoadReport:
    tensors = plan.tensors
    return LoadReport(
        tensors.origin,
        tensors.format,
        plan.known.layout,
        plan.known.name or None,
        tensors.opened,
        tensors.stripped,
        tuple(loaded),
        plan.matching.kept,
        plan.matching.left,
    )
