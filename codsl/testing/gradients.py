"""Whether gradients are the same however a network is run."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from codsl.layers.recipe import Foreign
from codsl.nn.block import Block
from codsl.nn.containers import Sequential
from codsl.nn.nest import leaves
from codsl.testing.comparison import TOLERANCE, close, demand, together
from codsl.testing.draws import over, part
from codsl.testing.trial import ROOM, Outputs, Trial

CHUNK = 3
"""Frames of a chunk."""


def gradients_agree(trial: Trial, _: Any = None) -> None:
    """The gradients of parameters and inputs, in double precision, of a clip, and of a stream of
    steps and then of chunks.

    Not tried of a network with a module that has a step of its own, whose state flows no gradient,
    nor of one so large that a clip would not fit into `ROOM`.
    """
    size = 8 * sum(frame.size for frame in trial.graph.frames) * trial.frames * trial.batch
    if size > ROOM or any(isinstance(node.recipe, Foreign) for node in trial.graph.nodes):
        return
    net = deepcopy(trial.net).double().eval()
    outer: Any = net if isinstance(net, Block) else Sequential(net).eval()
    outer.training = True
    with torch.enable_grad():
        wanted = gradients(trial, outer, _at_once)
        outer.reset()
        found = gradients(trial, outer, _in_stream)
    demand(found.keys() == wanted.keys(), "in a stream other tensors have one")
    for key, grad in wanted.items():
        scale = grad.abs().nan_to_num(0).max().clamp(min=1)
        what = f"the gradient of `{key}` from a stream"
        close(found[key] / scale, grad / scale, what, 10 * TOLERANCE[torch.float64])
        trial.counts["gradients"] += 1


def gradients(
    trial: Trial, net: Any, mode: Callable[[Trial, Any, Any], Outputs]
) -> dict[str, Tensor]:
    """The gradients of some sum over all outputs, by what they are of."""
    x = over(trial.x, lambda each: each.detach().double().requires_grad_())
    ends = {f"input {n}": each for n, each in enumerate(leaves(x))}
    ends |= {name: each for name, each in net.named_parameters() if each.requires_grad}
    total = torch.zeros((), dtype=torch.float64, device=next(leaves(x)).device)
    for y in mode(trial, net, x):
        if y is not None:
            slope = torch.linspace(-1, 1, y.numel(), dtype=y.dtype, device=y.device)
            total = total + (y * slope.view_as(y)).sum() / y.numel()
    if not total.requires_grad:
        return {}
    found = torch.autograd.grad(total, list(ends.values()), allow_unused=True)
    return {name: grad for name, grad in zip(ends, found, strict=True) if grad is not None}


def _at_once(trial: Trial, net: Any, x: Any) -> Outputs:
    return list(leaves(net(x)))


def _in_stream(trial: Trial, net: Any, x: Any) -> Outputs:
    """Steps for one half of the frames, and chunks for the other."""
    frames = trial.frames
    starts = [*range(frames // 2), *range(frames // 2, frames, CHUNK)]
    pairs = zip(starts, [*starts[1:], frames], strict=True)
    parts = [net.forward_steps(part(x, start, stop)) for start, stop in pairs]
    every = [trial.several(each) for each in [*parts, net.flush()]]
    return [together(each) for each in zip(*every, strict=True)]
