"""`verify`: whatever codsl can run, held to the whole contract, and what was tried."""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch

from codsl.testing.comparison import ContractError
from codsl.testing.contract import hold
from codsl.testing.draws import Source, randomise
from codsl.testing.steps import has_own_step, hold_steps, streaming
from codsl.testing.subject import Subject, devices_of, subjects
from codsl.testing.trial import Trial

TRIED = (
    "clips",
    "refusals",
    "steps",
    "pure steps",
    "chunks",
    "ends",
    "rows",
    "windows",
    "states",
    "sizes of state",
    "gradients",
    "comparisons",
)
"""What is counted, in the order in which it is told."""


@dataclass(frozen=True)
class Verified:
    """What was held to the contract, and kept it.

    `cases` are the networks tried, in words: several for a row, which is tried on its examples.
    `checks` counts what was tried, by its name; what is 0 could not be.
    """

    cases: tuple[str, ...]
    checks: dict[str, int]
    seed: int

    def __str__(self) -> str:
        counts = (f"{name:<16}{count:>7}" for name, count in self.checks.items())
        return "\n".join([*self.cases, *(f"  {line}" for line in counts)])


def verify(
    subject: Any,
    *,
    frames: int | None = None,
    seed: int = 0,
    tolerance: float | None = None,
    input: Any = None,
    keep_weights: bool = False,
) -> Verified:
    """Hold a layer or a network to the contract that codsl's own keep.

    A clip, steps, chunks of any size and the end agree; every output comes at its frame; the
    declared window, lengths, least clip and bytes are the real ones; a row never reaches another;
    `update_state=False` and the pure step change nothing; a state that is copied or saved goes on
    bit for bit; gradients are equal in all modes. It runs in `eval()`, on a copy; subject and
    random numbers stay as they are.

    Args:
        subject: a network that `codsl.build` gave, a `CoModule`, a row of the table (its examples
            are tried, in double and single precision), a row with its arguments, or a spec: a path,
            a text, a dict or a checked graph.
        frames: frames of the longest clip. Without it, as many as show all that the subject
            declares; fewer leave out what they cannot show. Large networks are tried in a few
            lengths rather than in all.
        seed: of the clips and of fresh weights.
        tolerance: how far two answers may be apart, relative to `max(1, |clip|)`: 1e-10 in double
            and 5e-6 in single precision if not given.
        input: what goes in, where the subject does not say: the shape of a frame `(C, *S)`, or an
            example clip `(B, C, T, *S)`, whose frames are drawn from; a dict or a list of such for
            several inputs.
        keep_weights: try the weights that the subject has. Otherwise biases, gains and statistics
            are random on the copy, since those of a fresh network hide mistakes.

    Returns: what was tried, and how often; `print` shows it.

    Raises `ContractError` with the promise that is broken, `SpecError` for a spec with mistakes,
    `TypeError` or `ValueError` for what cannot be tried, or takes clips longer than 256 frames.
    """
    if not isinstance(seed, int) or (tolerance is not None and not tolerance > 0):
        raise ValueError("seed is an integer, and tolerance a number above 0")
    cases: list[str] = []
    checks: Counter[str] = Counter(dict.fromkeys(TRIED, 0))
    with torch.random.fork_rng(devices=devices_of(subject)):
        for each in subjects(subject, seed, input):
            trial = _tried(each, frames, None if keep_weights else seed, seed, tolerance)
            cases.append(_words(each.name, trial))
            checks.update(trial.counts)
    return Verified(tuple(cases), {name: checks[name] for name in TRIED}, seed)


def _tried(
    subject: Subject,
    frames: int | None,
    drawn: int | None,
    seed: int,
    tolerance: float | None,
) -> Trial:
    """One network held to the contract, with weights of the seed `drawn` if there is one; raises
    `ContractError` that names it."""
    net = deepcopy(subject.net).eval()
    net.clean_state()
    if drawn is not None:
        randomise(net, drawn)
    tensors = chain(net.parameters(), net.buffers())
    own = next((each for each in tensors if each.is_floating_point()), torch.empty(0))
    source = Source(subject.like, subject.drawn, seed, own.dtype, own.device)
    trial = Trial.of(streaming(net), source, frames, tolerance)
    try:
        if has_own_step(net):
            hold_steps(net, trial)
        hold(trial)
    except ContractError as error:
        raise ContractError(f"`{subject.name}`: {error}") from error.__cause__
    return trial


def _words(name: str, trial: Trial) -> str:
    dtype = str(trial.dtype).removeprefix("torch.")
    inputs = ", ".join(f"{inlet.name} {inlet.frame}".lstrip() for inlet in trial.graph.inputs)
    part = "" if trial.whole else f" of the {trial.declared.most} that show all"
    return f"{name}: {inputs}, {dtype}, clips of up to {trial.frames} frames{part}"
