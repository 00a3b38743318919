"""A module as a function of its own: its graph is traced, written in C++ and compiled."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from codsl.native.block import Block
from codsl.native.compiling import compiled
from codsl.native.graph import Writer
from codsl.native.keeping import Item, counted
from codsl.native.pages import paged
from codsl.native.renewing import renew
from codsl.native.source import ALWAYS, kernels_of, loops_of, parameters, source_of
from codsl.native.tracing import traced
from codsl.native.values import View, lying

Native = Callable[..., list[Tensor]]


def native(
    module: nn.Module,
    given: Sequence[Tensor],
    block: Block,
    reads: Sequence[tuple[int, int]] = (),
    writes: Sequence[int] = (),
) -> Native:
    """A function that computes what a module does, of tensors like these.

    Instead of the last it `reads` items of a block, each by which it is and how far back. The last
    results it `writes` there, by which they are items of; the others it gives, each in memory of
    its own. Raises `Unsupported` for what there is no kernel for, and `RuntimeError` where it
    cannot be compiled.
    """
    dtype = next((x.dtype for x in given if x.is_floating_point()), torch.float32)
    plain = len(given) - len(reads)
    writer = Writer(traced(module, given), given, dtype, plain)
    fresh = writer.results[: len(writer.results) - len(writes)]
    made = [view.buffer for view in writer.results]
    passed = [*writer.given[:plain], *made[: len(fresh)]]
    names = [f"x{number}" for number in range(len(passed))]
    items = [Item(which, -back) for which, back in reads]
    items += [Item(which, writes[:place].count(which)) for place, which in enumerate(writes)]
    stored = dict(zip([*writer.given[plain:], *made[len(fresh) :]], items, strict=True))
    renew(writer.builder.kernels, stored, block.keeping.kept)
    places = dict(zip(passed, names, strict=True))
    places |= {buffer: item.place for buffer, item in stored.items()}
    source = source_of(writer.builder, places)
    lines = [source.body, *(counted(*each) for each in Counter(writes).items())]
    function = "\n".join([f'extern "C" void step({parameters(names)}) {{', *lines, "}\n"])
    text = loops_of(dtype) + block.keeping.table + function
    step = compiled(text, kernels_of(dtype, source.calls), len(ALWAYS) + len(names))
    always = source.held.put(paged(source.held.size)), paged(source.room), block
    return _call(step, always, fresh)


def _call(
    step: Callable[..., None], always: tuple[Tensor, Tensor, Block], fresh: Sequence[View]
) -> Native:
    """A call with tensors, whose results are new."""
    weights, room, block = always
    rooms = [_room(view) for view in fresh]

    def run(*given: Tensor) -> list[Tensor]:
        laid = [x.contiguous() for x in given]
        made = [take() for take in rooms]
        step(
            weights.data_ptr(),
            room.data_ptr(),
            block.at,
            *(x.data_ptr() for x in laid),
            *(y.data_ptr() for y in made),
        )
        return made

    return run


def _room(view: View) -> Callable[[], Tensor]:
    """Memory for a result, with channels beside each other."""
    return partial(torch.empty_strided, view.sizes, lying(view.sizes), dtype=view.dtype)
