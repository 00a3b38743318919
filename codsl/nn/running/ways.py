"""How each kind of recipe runs, over a whole clip and over the items of a stream."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from codsl.algebra.time import length, reads
from codsl.layers.recipe import (
    Attended,
    Call,
    Carried,
    Folded,
    Foreign,
    Memory,
    Pointwise,
    Recipe,
    Spread,
    Windowed,
)
from codsl.nn.functions.functions import function
from codsl.nn.running.windows import Tape, call, whole, windows

Run = Callable[..., Any]
"""What a module is asked to do with its inputs in a stream; it gets the module first."""
Span = tuple[int, int]


def clip(module: nn.Module, recipe: Recipe, *inputs: Tensor) -> Tensor:
    """A whole clip, or clips of equal length, as torch.nn computes them."""
    (x, *_) = inputs
    match recipe:
        case Pointwise():
            return pointwise(module, recipe, *inputs)
        case Windowed():
            return whole(module, recipe, x)
        case Spread(clip=Call() as what):
            return call(module, recipe.tensors, what, x)
        case Spread():
            tape = Tape(0, x, x.shape[2])
            return _spread(module, recipe, tape, 0, length(recipe.reach, x.shape[2]), _directly)
        case Carried():
            return carried(module, recipe, x, *beginning(recipe.memory, x))[0]
        case Attended():
            return _attend(recipe, _keep(recipe, x, module), 0, module, x)
        case Folded():
            return _folded(module, recipe, x)
        case Foreign():
            return module(x)  # type: ignore[no-any-return]


def outputs(
    module: nn.Module,
    recipe: Recipe,
    tapes: Sequence[Tape],
    spans: Sequence[Span],
    first: int,
    stop: int,
) -> Tensor:
    """Outputs `first` up to `stop` of a node; `spans` are the items that it reads of each tape."""
    match recipe:
        case Windowed():
            apply = partial(_windowed, module, recipe.tensors)
            return windows(apply, recipe, tapes[0], first, stop)
        case Spread():
            return _spread(module, recipe, tapes[0], first, stop, _through)
        case Attended():
            kept = tapes[0].within(*spans[0])
            run = partial(_attend, recipe, kept.items, first - kept.first)
            return module(tapes[1].cut(first, stop - 1), run)  # type: ignore[no-any-return]
    inputs = (tape.cut(*span) for tape, span in zip(tapes, spans, strict=True))
    return module(*inputs)  # type: ignore[no-any-return]


def remembered(
    module: nn.Module, recipe: Carried, tape: Tape, span: Span, memory: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """The outputs of the items `span`, and the new tensors of the carried state."""
    run = partial(_carried_of, recipe, memory)
    return module(tape.cut(*span), run)  # type: ignore[no-any-return]


def kept(module: nn.Module, recipe: Recipe, items: Tensor) -> Tensor:
    """What is made of each item before it is kept."""
    match recipe:
        case Windowed(frame=Call() as frame):
            return module(items, partial(_call_of, recipe.tensors, frame))  # type: ignore[no-any-return]
        case Attended():
            return module(items, partial(_keep_of, recipe))  # type: ignore[no-any-return]
    return items


def pointwise(module: nn.Module, recipe: Pointwise, *inputs: Tensor) -> Tensor:
    """A layer without memory, over any number of items."""
    if recipe.call is not None:
        return call(module, recipe.tensors, recipe.call, *inputs)
    return module.own_forward(*inputs)  # type: ignore[operator,no-any-return]


def beginning(memory: Sequence[Memory], x: Tensor) -> tuple[Tensor, ...]:
    """The tensors of a carried state before the first of the items `x`."""
    return tuple(
        x.new_zeros((x.shape[0], *each.shape), dtype=dtype_of(each, x.dtype)) for each in memory
    )


def dtype_of(memory: Memory, dtype: torch.dtype) -> torch.dtype:
    """The dtype of a carried tensor in a network of `dtype`."""
    return getattr(torch, memory.dtype) if memory.dtype else dtype


def carried(module: nn.Module, recipe: Carried, x: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
    """Outputs of items `x`, and the carried tensors after them."""
    return function(recipe.call.function, module)(module, x, *memory, **recipe.call.arguments)  # type: ignore[return-value]


def _call_of(names: tuple[str, ...], what: Call, module: nn.Module, x: Tensor) -> Tensor:
    return call(module, names, what, x)


def _windowed(module: nn.Module, names: tuple[str, ...], x: Tensor, what: Call) -> Tensor:
    return module(x, partial(_call_of, names, what))  # type: ignore[no-any-return]


def _carried_of(
    recipe: Carried, memory: Sequence[Tensor], module: nn.Module, x: Tensor
) -> tuple[Tensor, ...]:
    return carried(module, recipe, x, *memory)


def _keep_of(recipe: Attended, module: nn.Module, x: Tensor) -> Tensor:
    return _keep(recipe, x, module)


def _keep(recipe: Attended, x: Tensor, module: nn.Module) -> Tensor:
    return function(recipe.frame.function, module)(module, x, **recipe.frame.arguments)


def _attend(recipe: Attended, kept: Tensor, lead: int, module: nn.Module, x: Tensor) -> Tensor:
    what = recipe.call
    return function(what.function, module)(module, x, kept, lead, **what.arguments)


def _directly(module: nn.Module, x: Tensor, run: Run) -> Tensor:
    return run(module, x)  # type: ignore[no-any-return]


def _through(module: nn.Module, x: Tensor, run: Run) -> Tensor:
    return module(x, run)  # type: ignore[no-any-return]


def _spread(
    module: nn.Module,
    recipe: Spread,
    tape: Tape,
    first: int,
    stop: int,
    apply: Callable[[nn.Module, Tensor, Run], Tensor],
) -> Tensor:
    """Outputs `first` up to `stop`, of all items that reach them."""
    oldest, newest = reads(recipe.reach, first, stop - 1)
    if recipe.fill is None:
        read = tape.within(oldest, newest)
    else:
        read = tape.filled(oldest, newest, recipe.fill)
    start, what = first - (read.first * recipe.factor - recipe.front), recipe.call
    if recipe.exact:
        due = {"start": start, "stop": start + stop - first}
        what = replace(what, arguments={**what.arguments, **due})
    y = apply(module, read.items, partial(_call_of, recipe.tensors, what))
    return y if recipe.exact else y.narrow(2, start, stop - first)


def _folded(module: nn.Module, recipe: Folded, x: Tensor) -> Tensor:
    """Every frame `(B, C, *S)` of a clip as an image."""
    batch, frames = x.shape[0], x.shape[2]
    images = x.transpose(1, 2).reshape(batch * frames, x.shape[1], *x.shape[3:])
    y = clip(module, recipe.inner, images)
    return y.reshape(batch, frames, *y.shape[1:]).transpose(1, 2)
