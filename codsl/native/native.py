"""A module as a function of its own: its graph is traced, written in C++ and compiled."""

from collections.abc import Callable, Sequence
from ctypes import c_void_p

import torch
from torch import Tensor, nn

from codsl.native.compiling import compiled
from codsl.native.graph import Writer
from codsl.native.rooms import Rooms
from codsl.native.source import source_of
from codsl.native.tracing import traced
from codsl.native.values import View, channels_last

Native = Callable[..., list[Tensor]]


def laid(x: Tensor) -> Tensor:
    """A tensor with channels, the second dimension, beside each other; itself where they are."""
    if x.dim() < 3:
        return x.contiguous()
    order = channels_last(x.dim())
    back = [order.index(dim) for dim in range(x.dim())]
    return x.permute(order).contiguous().permute(back)


def native(module: nn.Module, given: Sequence[Tensor], kept: Sequence[int] = ()) -> Native:
    """A function that computes what a module does of tensors like these, all `laid`.

    Those of its results that are `kept`, by their numbers, may be held as they are: their memory
    is written to again once nobody holds them. Raises `Unsupported` for what there is no kernel
    for, and `RuntimeError` where it cannot be compiled.
    """
    dtype = next((x.dtype for x in given if x.is_floating_point()), torch.float32)
    writer = Writer(traced(module, given), given, dtype)
    results = writer.results
    fresh = {each.buffer: each for each in results if isinstance(each, View)}
    source = source_of(writer.builder, writer.given, list(fresh))
    shown = {
        each.buffer
        for number, each in enumerate(results)
        if isinstance(each, View) and number not in kept
    }
    rooms = [Rooms(view, buffer not in shown) for buffer, view in fresh.items()]
    places = {buffer: len(given) + number for number, buffer in enumerate(fresh)}
    where = [places[each.buffer] if isinstance(each, View) else each for each in results]
    step = compiled(source.step, source.kernels)
    held = source.held.tensor()
    return _function(step, rooms, where, held, torch.empty(source.room, dtype=torch.uint8))


def _function(
    step: Callable[[object], None],
    rooms: Sequence[Rooms],
    where: Sequence[int],
    held: Tensor,
    room: Tensor,
) -> Native:
    """A call with tensors, whose results are `where` among what is given and the rooms."""

    def run(*given: Tensor) -> list[Tensor]:
        tensors = [*given, *(each.take() for each in rooms), held, room]
        step((c_void_p * len(tensors))(*(x.data_ptr() for x in tensors)))
        return [tensors[place] for place in where]

    return run
