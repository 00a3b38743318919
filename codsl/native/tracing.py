"""What a module does of tensors, as a graph of torch's operators that write over nothing."""

from collections.abc import Callable, Sequence
from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from torch import Tensor, fx, nn
from torch._decomp import decomposition_table
from torch.fx.experimental.proxy_tensor import make_fx

PARTED = (
    "lstm.input",
    "gru.input",
    "rnn_tanh.input",
    "rnn_relu.input",
    "einsum.default",
    "instance_norm.default",
    "pixel_shuffle.default",
    "pixel_unshuffle.default",
    "repeat_interleave.self_int",
)
"""Operators of which what they are made of is in the graph."""


def traced(module: nn.Module, given: Sequence[Tensor]) -> fx.GraphModule:
    """The graph, for tensors of these shapes; it is seen while the module computes."""
    taken = [x.detach().clone() for x in given]
    run = torch.func.functionalize(module.forward)
    with torch.inference_mode(False), torch.no_grad(), catch_warnings():
        simplefilter("ignore")
        with torch.backends.mkldnn.flags(enabled=False):
            made: fx.GraphModule = make_fx(run, decomposition_table=_parts())(*taken)
    made.graph.eliminate_dead_code()
    return made


def _parts() -> dict[Any, Callable[..., Any]]:
    found = {}
    for name in PARTED:
        operator: Any = torch.ops.aten
        for part in name.split("."):
            operator = getattr(operator, part)
        found[operator] = decomposition_table.get(operator, operator.decompose)
    return found
