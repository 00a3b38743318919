"""A module as a function of its own: its graph is traced, written in C++ and compiled."""

from array import array
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from codsl.native.compiling import compiled
from codsl.native.graph import Writer
from codsl.native.pages import Pages
from codsl.native.rooms import Fresh, Room, Used
from codsl.native.source import source_of
from codsl.native.tracing import traced
from codsl.native.values import View

Native = Callable[..., list[Room]]
"""A function of rooms."""


def native(
    module: nn.Module, given: Sequence[Tensor], kept: Sequence[int] = (), plain: int = 0
) -> Native:
    """A function that computes what a module does, of rooms for tensors like these: the first are
    `plain`, with their numbers as they come, and only read; the others have channels beside each
    other, and what is a result as well is handed on.

    Those of its results that are `kept`, by their numbers, may be held as they are: their memory
    is written to again once nobody holds them. Raises `Unsupported` for what there is no kernel
    for, and `RuntimeError` where it cannot be compiled.
    """
    dtype = next((x.dtype for x in given if x.is_floating_point()), torch.float32)
    writer = Writer(traced(module, given), given, dtype, plain)
    results = writer.results
    fresh = {each.buffer: each for each in results if isinstance(each, View)}
    source = source_of(writer.builder, writer.given, list(fresh))
    shown = {
        each.buffer
        for number, each in enumerate(results)
        if isinstance(each, View) and number not in kept
    }
    always = source.held.size, source.room
    pages = Pages(sum(always) + sum(buffer.bytes for buffer in fresh))
    rooms = [
        Fresh(view) if buffer in shown else Used(view, pages) for buffer, view in fresh.items()
    ]
    places = {buffer: len(given) + number for number, buffer in enumerate(fresh)}
    where = [places[each.buffer] if isinstance(each, View) else each for each in results]
    step = compiled(source.step, source.kernels)
    held, scratch = map(pages.take, always)
    return _function(step, rooms, where, source.held.put(held), scratch)


def _function(
    step: Callable[[object], None],
    rooms: Sequence[Fresh],
    where: Sequence[int],
    held: Tensor,
    room: Tensor,
) -> Native:
    """A call with tensors, whose results are `where` among what is given and the rooms."""

    always = Room(held), Room(room)
    takes = [each.take for each in rooms]

    def run(*given: Room) -> list[Room]:
        taken = [*given, *[take() for take in takes], *always]
        at = array("Q", [each.at for each in taken])
        step(at.buffer_info()[0])
        return [taken[place] for place in where]

    return run
