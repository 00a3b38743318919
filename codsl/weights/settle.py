"""Which checkpoint is meant, and whether all of it fits: the plan of a load."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import file_digest

from torch import nn

from codsl.diagnostics import suggest
from codsl.spec.known import Known
from codsl.weights.complaints import complaints
from codsl.weights.formats.file import File
from codsl.weights.matching import Matching, Terms, match
from codsl.weights.places import places_of
from codsl.weights.refusal import WeightsError, refusal
from codsl.weights.tensors import Checkpoint, Tensors, read
from codsl.weights.terms import terms_of


@dataclass(frozen=True)
class Plan:
    """A checkpoint that fits a network whole, and what goes where."""

    tensors: Tensors
    known: Known
    matching: Matching


def settle(
    net: nn.Module, checkpoint: Checkpoint, given: Known, known: str | None, plainly: bool
) -> Plan:
    """The plan by the checkpoint of the spec called `known`, else by what is `given` alone where
    that is said `plainly`, else by whichever fits. Raises `WeightsError` where none fits whole."""
    knowns = _knowns(net)
    if known is not None:
        chosen = known_of(net, known)
        _check_sum(checkpoint, chosen)
        return _whole(net, checkpoint, _with(chosen, given))
    if plainly or not knowns:
        return _whole(net, checkpoint, given)
    return _fitting(net, checkpoint, given, knowns.values())


def _with(known: Known, given: Known) -> Known:
    """A known checkpoint with what is allowed besides."""
    return replace(
        known,
        envelope=given.envelope or known.envelope,
        allow_missing=known.allow_missing + given.allow_missing,
        allow_unexpected=known.allow_unexpected + given.allow_unexpected,
        adapt=known.adapt + given.adapt,
    )


def _knowns(net: nn.Module) -> Mapping[str, Known]:
    """The checkpoints that the spec of a network knows."""
    graph = getattr(net, "graph", None)
    knowns: Mapping[str, Known] = getattr(graph, "knowns", {})
    return knowns


def known_of(net: nn.Module, name: str) -> Known:
    """A checkpoint that the spec of a network knows. Raises `WeightsError` (E0611)."""
    knowns = _knowns(net)
    if name in knowns:
        return knowns[name]
    near = suggest(name, knowns)[:1]
    helps = [f"did you mean `{near[0]}`?"] if near else []
    if knowns and not near:
        helps = [f"it knows {', '.join(f'`{each}`' for each in knowns)}"]
    raise refusal("E0611", f"the spec knows no checkpoint `{name}`", helps=helps)


def _check_sum(checkpoint: Checkpoint, known: Known) -> None:
    if known.sha256 is None or isinstance(checkpoint, Mapping):
        return
    found = sum_of(checkpoint)
    if found != known.sha256:
        raise refusal(
            "E0611",
            f"`{checkpoint}` is not the file that the spec knows as `{known.name}`",
            (f"its SHA-256 is {found}, and should be {known.sha256}",),
            (
                "one that was written anew, as by `save_weights`, has another: load "
                f"`codsl.weights.read({os.fspath(checkpoint)!r})` instead",
            ),
        )


def sum_of(checkpoint: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file. Raises `WeightsError` where it cannot be read."""
    with File.at(os.fspath(checkpoint)).opened() as file:
        return file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _match(net: nn.Module, checkpoint: Checkpoint, known: Known) -> tuple[Tensors, Terms, Matching]:
    terms = terms_of(known)
    tensors = read(checkpoint, envelope=known.envelope, strip=not _is_wrapped(net))
    return tensors, terms, match(places_of(net), tensors.entries, terms)


def _is_wrapped(net: nn.Module) -> bool:
    """Whether the network's own names begin as those of DataParallel or `torch.compile` do."""
    return hasattr(net, "module") or hasattr(net, "_orig_mod")


def _whole(net: nn.Module, checkpoint: Checkpoint, known: Known) -> Plan:
    tensors, terms, matching = _match(net, checkpoint, known)
    if not matching.whole:
        raise WeightsError(complaints(matching, tensors, terms))
    return Plan(tensors, known, matching)


def _fitting(net: nn.Module, checkpoint: Checkpoint, given: Known, knowns: Iterable[Known]) -> Plan:
    """The checkpoint as it is where that fits, else by the one known form that does."""
    tensors, terms, matching = _match(net, checkpoint, given)
    if matching.whole:
        return Plan(tensors, given, matching)
    tried = [(given, tensors, terms, matching)]
    for known in knowns:
        with suppress(WeightsError):
            tried.append((known, *_match(net, checkpoint, _with(known, given))))
    plans = [Plan(its, known, found) for known, its, _, found in tried if found.whole]
    if len(plans) > 1:
        plans = [plan for plan in plans if plan.known.sha256] or plans
    if len(plans) > 1:
        plans = [plan for plan in plans if _sum_fits(checkpoint, plan.known)] or plans
    if len(plans) == 1:
        _check_sum(checkpoint, plans[0].known)
        return plans[0]
    if plans:
        names = " or ".join(f"`{plan.known.name}`" for plan in plans)
        helps = ("say which it is by `known`",)
        raise refusal("E0611", f"`{tensors.origin}` may be {names}", helps=helps)
    known, tensors, terms, matching = max(tried, key=lambda each: len(each[3].moves))
    names = ", ".join(f"`{each.name}`" for each in knowns)
    found = complaints(matching, tensors, terms)
    note = f"it is none of the checkpoints that the spec knows either: {names}"
    if known.name:
        note = f"of the checkpoints that the spec knows it is nearest to `{known.name}`"
    found[-1] = replace(found[-1], notes=(*found[-1].notes, note))
    raise WeightsError(found)


def _sum_fits(checkpoint: Checkpoint, known: Known) -> bool:
    return isinstance(checkpoint, Mapping) or sum_of(checkpoint) == known.sha256
