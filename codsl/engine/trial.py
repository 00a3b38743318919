"""A plan on trial: does it do what the network does?"""

from dataclasses import replace

import torch
from torch import Tensor

from codsl.engine.plan import Plan
from codsl.nn.running.program import Program, Values
from codsl.nn.running.state import State

FRAMES = 4
"""Frames of a trial, at most those of a turn and one more."""
ALLOWED = {torch.float64: 1e-9, torch.float32: 1e-3}
"""How far a plan may be from the network, of the largest output or 1; of lower precisions 0.25."""


def trial(
    plan: Plan, program: Program, frame: list[Tensor], precision: torch.dtype | None
) -> float:
    """How far a plan is from the network at most, over some frames from a random state on.

    `frame` is of the kind that will come: its numbers are shuffled. Raises `RuntimeError` where the
    plan is further from the network than rounding explains.
    """
    draw = torch.Generator().manual_seed(0)
    state = _somewhere(plan, program, draw)
    plan.load(state)
    worst = 0.0
    for _ in range(min(FRAMES, program.graph.cycle.turn + 1)):
        xs = [_shuffled(x, draw) for x in frame]
        wanted, state = program.steps([x.unsqueeze(2) for x in xs], state)
        worst = max(worst, _apart(plan.step(xs), wanted))
    dtype = plan.like.dtype if precision is None else precision
    if worst > ALLOWED.get(dtype, 0.25):
        raise RuntimeError(
            f"the plan of this network does not do what the network does: outputs are {worst:.2g} "
            f"apart, of the largest or 1, in {dtype}"
        )
    return worst


def _somewhere(plan: Plan, program: Program, draw: torch.Generator) -> State:
    """A random state of a stream that is beyond its beginning."""
    here = plan.like
    state = program.init_state(here.batch_size, here.dtype, here.device)
    feeds = len(program.graph.schedule.feeds)
    kept = (
        torch.randn(tensor.shape, generator=draw, dtype=torch.float64).to(tensor)
        for tensor in state.tensors[:feeds]
    )
    tensors = (*kept, *state.tensors[feeds:])
    return replace(state, frame=program.graph.cycle.start, tensors=tensors)


def _shuffled(x: Tensor, draw: torch.Generator) -> Tensor:
    order = torch.randperm(x.numel(), generator=draw)
    return x.flatten()[order.to(x.device)].view(x.shape)


def _apart(found: Values, wanted: Values) -> float:
    """How far outputs are from others, of the largest of these or 1."""
    worst = 0.0
    for one, other in zip(found, wanted, strict=True):
        if one is None or other is None:
            if one is not other:
                return torch.inf
            continue
        y = other.squeeze(2)
        finite = y.isfinite() & one.isfinite()
        if not torch.equal(one.isnan(), y.isnan()) or not y.numel():
            return torch.inf if y.numel() else worst
        size = max(1.0, y[finite].abs().max().item()) if finite.any() else 1.0
        gap = (one - y)[finite].abs().max().item() if finite.any() else 0.0
        worst = max(worst, gap / size)
    return worst
