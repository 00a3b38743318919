"""A plan on trial: does it do what the network does?"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from codsl.engine.plan import Plan
from codsl.graph.ids import ids
from codsl.nn.running.drawn import drawn
from codsl.nn.running.program import Program
from codsl.nn.running.state import State

FRAMES = 64
"""Frames of a trial, those of a turn and one more; of longer turns so many, or more until every
output has come."""
ALLOWED = {torch.float64: 1e-9, torch.float32: 1e-3}
"""How far a plan may be from the network, of the largest output or 1; of lower precisions 0.25."""


def trial(
    plan: Plan, program: Program, frame: list[Tensor], precision: torch.dtype | None
) -> float:
    """How far outputs of a plan are from the network's at most, over some frames from a random
    state on.

    `frame` is of the kind that will come: its numbers are shuffled. Raises `RuntimeError` where the
    plan is further from the network than rounding explains, in what it gives or in what it keeps.
    """
    draw = torch.Generator().manual_seed(0)
    state, turn = _somewhere(plan, program, draw), program.graph.cycle.turn
    plan.load(state)
    worst, missing, tried = 0.0, set(range(len(program.graph.outputs))), 0
    while tried <= turn and (tried < FRAMES or missing):
        xs = [_shuffled(x, draw) for x in frame]
        wanted, state = program.steps([x.unsqueeze(2) for x in xs], state)
        worst = max(worst, _apart(plan.clips(xs), wanted))
        missing -= {number for number, y in enumerate(wanted) if y is not None}
        tried += 1
    gap = max(worst, _apart(plan.dump().tensors, state.tensors))
    dtype = plan.like.dtype if precision is None else precision
    if gap > ALLOWED.get(dtype, 0.25):
        what = "outputs are" if worst == gap else "what it keeps is"
        raise RuntimeError(
            f"the plan of this network does not do what the network does: {what} {gap:.2g} apart, "
            f"of the largest or 1, in {dtype}"
        )
    return worst


def _somewhere(plan: Plan, program: Program, draw: torch.Generator) -> State:
    """A random state of a stream that is beyond its beginning."""
    here, graph = plan.like, program.graph
    state = program.init_state(here.batch_size, here.dtype, here.device)
    feeds = graph.schedule.feeds
    kept = (
        drawn(tensor.shape, ids(graph, feed.value), draw).to(tensor)
        for tensor, feed in zip(state.tensors, feeds, strict=False)
    )
    tensors = (*kept, *state.tensors[len(feeds) :])
    return replace(state, frame=graph.cycle.start, tensors=tensors)


def _shuffled(x: Tensor, draw: torch.Generator) -> Tensor:
    """The numbers of a frame in another order; 0 for infinity and NaN, of which sums in another
    order may make either."""
    order = torch.randperm(x.numel(), generator=draw)
    return x.flatten()[order.to(x.device)].view(x.shape).nan_to_num(0.0, 0.0, 0.0)


def _apart(found: Sequence[Tensor | None], wanted: Sequence[Tensor | None]) -> float:
    """How far tensors are from others at most, of the largest number of each of these or 1; endless
    where one is missing, or what is no finite number is another."""
    return max((_gap(*pair) for pair in zip(found, wanted, strict=True)), default=0.0)


def _gap(one: Tensor | None, other: Tensor | None) -> float:
    if one is None or other is None:
        return 0.0 if one is other else torch.inf
    one, other = one.double(), other.double()
    if one.shape != other.shape or not torch.equal(_endless(one), _endless(other)):
        return torch.inf
    size = max(1.0, _largest(other))
    return _largest(one - other) / size


def _largest(x: Tensor) -> float:
    """The largest of the finite numbers, or 0."""
    finite = x[x.isfinite()]
    return finite.abs().max().item() if finite.numel() else 0.0


def _endless(x: Tensor) -> Tensor:
    """0 where numbers are finite; elsewhere which of the others they are."""
    return x.nan_to_num(2.0, 1.0, -1.0).where(~x.isfinite(), 0.0)
