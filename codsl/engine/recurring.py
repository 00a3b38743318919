"""Recurrent layers as cells: an item goes through one layer after another."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from codsl.engine.bare import bare
from codsl.engine.listing import Run
from codsl.engine.style import Style
from codsl.nn.layer import Layer
from codsl.nn.recurrent import Outputs, Recurrent

CELLS: Mapping[str, Callable[..., Any]] = {
    "LSTM": torch.lstm_cell,
    "GRU": torch.gru_cell,
    "RNN_TANH": torch.rnn_tanh_cell,
    "RNN_RELU": torch.rnn_relu_cell,
}
"""Functions of an item, of what is carried and of weights, by torch's names of layers' modes."""
FORWARDS = (Layer.forward, Recurrent.forward)
"""What layers do that nobody has changed."""


def cells_of(module: nn.Module, like: Tensor, style: Style) -> Run | None:
    """A function of an item `(B, C)` and of what is carried, `(B, layers, size)` each, which gives
    its output and what is carried on.

    Torch's own layers lay their weights out for oneDNN anew at every call, which takes longer than
    the products of one item. None for other modules, for projections, and where it is not torch
    that computes them.
    """
    layer: Any = module.owner if isinstance(module, Outputs) else module
    known = isinstance(layer, nn.RNNBase) and type(layer).forward in FORWARDS and bare(layer)
    if not known or not style.last or layer.proj_size:
        return None
    cell, pair = CELLS[layer.mode], layer.mode == "LSTM"
    layers = [[each.detach().to(like, copy=True) for each in some] for some in layer.all_weights]

    def run(x: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
        made: list[Sequence[Tensor]] = []
        for weights, *before in zip(layers, *(each.unbind(1) for each in memory), strict=True):
            after = cell(x, before if pair else before[0], *weights)
            made.append(after if pair else (after,))
            x = made[-1][0]
        return x, *(torch.stack(each, 1) for each in zip(*made, strict=True))

    return run
