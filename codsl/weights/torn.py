"""Tensors that a network has under several names, for which a checkpoint has several numbers."""

from collections.abc import Iterator, Sequence

from torch import nn

from codsl.diagnostics import Diagnostic, Help
from codsl.weights.complaints import at
from codsl.weights.grouping import listed
from codsl.weights.move import Move
from codsl.weights.numbers import as_numpy


def torn(net: nn.Module, moves: Sequence[Move]) -> Iterator[Diagnostic]:
    """What is wrong with them: each would be what was loaded last."""
    tensors = net.state_dict(keep_vars=True)
    shared: dict[object, list[Move]] = {}
    for move in moves:
        tensor = tensors[move.place.name]
        if tensor.numel() and tensor.data_ptr():
            key = (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride())
            shared.setdefault(key, []).append(move)
    for first, *others in shared.values():
        apart = [each for each in others if _bytes(each) != _bytes(first)]
        if apart:
            names = listed(each.place.name for each in (first, *apart))
            message = f"{names} are one tensor of the network, and several in the checkpoint"
            help = Help("give each a tensor of its own in the network, or the same numbers")
            yield Diagnostic("E0606", message, at(first.place, "this layer"), (), (help,))


def _bytes(move: Move) -> bytes:
    return as_numpy(move.tensor().to(move.place.dtype)).tobytes()
