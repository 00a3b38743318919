"""Attention to kept items, alone and in a layer of an encoder, by products of rows `(T * B, C)`."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from codsl.engine.bare import bare
from codsl.engine.convolving import product
from codsl.engine.numbers import Function
from codsl.engine.style import Style
from codsl.layers.recipe import Attended
from codsl.nn.functions.attention import attend, encode, turned
from codsl.nn.functions.functions import function

Around = Callable[[Tensor, Function], Tensor]
"""What is made of rows and of what these see, which a function says."""

PARTS = (
    nn.Linear,
    NonDynamicallyQuantizableLinear,
    nn.LayerNorm,
    nn.Dropout,
    nn.MultiheadAttention,
)
"""What attention and encoders are made of."""


def attends(recipe: Attended, module: nn.Module) -> bool:
    """Whether what a module does is attention, of parts that are all torch's."""
    known = function(recipe.call.function, module) in (attend, encode)
    parts = [each for each in module.modules() if each is not module]
    return known and all(type(each) in PARTS and bare(each) for each in parts)


def keys_and_values(recipe: Attended, module: Any, like: Tensor, style: Style) -> Function:
    """The key and the value of each row, `(T * B, 2 * C)`."""
    attention, norm = _parts(recipe, module)
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    size = weight.shape[1]
    project = _product(weight[size:], None if bias is None else bias[size:], like, style)
    if norm is None:
        return project
    before = normed(norm, norm.eps, like)
    return lambda x: project(before(x))


def _parts(recipe: Attended, module: Any) -> tuple[Any, nn.LayerNorm | None]:
    """The attention, and what normalises rows before it."""
    if function(recipe.call.function, module) is attend:
        return module, None
    return module.self_attn, module.norm1 if module.norm_first else None


class Attending:
    """What items make of those that are kept around them.

    Called with a window of kept items `(B, 2 * C)`, the oldest first, and the item `(B, C)` that
    it is of.
    """

    def __init__(self, recipe: Attended, module: Any, like: Tensor, style: Style) -> None:
        given = recipe.call.arguments
        attention, _ = _parts(recipe, module)
        weight, bias = attention.in_proj_weight, attention.in_proj_bias
        size, self._heads = weight.shape[1], attention.num_heads
        scale = (size // self._heads) ** -0.5
        scaled = None if bias is None else bias[:size] * scale
        self._query = _product(weight[:size] * scale, scaled, like, style)
        self._out = _product(attention.out_proj.weight, attention.out_proj.bias, like, style)
        encodes = attention is not module
        self._around: Around = _encoder(module, like, style) if encodes else _alone
        self._past, self._base = given["past"], given["base"]
        self._window = self._past + 1 + given["ahead"]

    def __call__(self, *items: Tensor) -> Tensor:
        """The output of an item."""
        return self._of(_together(items[:-1]), items[-1])

    @property
    def ordered(self) -> bool:
        """Whether it matters how kept items follow each other."""
        return self._base is not None

    def among(self, kept: Tensor, x: Tensor) -> Tensor:
        """The output of an item, of a window of kept items as one tensor `(T, B, 2 * C)`."""
        return self._of(kept, x)

    def begun(self, since: tuple[int, ...], had: Tensor, *items: Tensor) -> Tensor:
        """The same of rows of which each has had so many frames, and sees the kept items that are
        there from `since` on."""
        absent = had[:, None] < torch.tensor(since, device=had.device)
        return self._of(_together(items[:-1]), items[-1], absent)

    def outputs(self, kept: Tensor, x: Tensor, batch: int) -> Tensor:
        """The outputs of successive items, of rows `(T * B, C)`, of all that is kept around them.

        Several are computed at once where all numbers are finite: what is not in a window is
        multiplied by zero there.
        """
        window, items = kept.view(-1, batch, kept.shape[1]), x.view(-1, batch, x.shape[1])
        some = self._window if kept.sum().isfinite() else 1
        parts = [
            self._of(window[first : first + len(part) + self._window - 1], part.flatten(0, 1))
            for first, part in zip(range(0, len(items), some), items.split(some), strict=True)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _of(self, kept: Tensor, x: Tensor, absent: Tensor | None = None) -> Tensor:
        return self._around(x, lambda own: self._seen(own, kept, absent))

    def _seen(self, x: Tensor, kept: Tensor, absent: Tensor | None) -> Tensor:
        """What rows see of kept items `(M, B, 2 * C)`, whose windows begin one after another."""
        (items, batch, _), size = kept.shape, x.shape[1]
        outputs = items - self._window + 1
        query = self._parted(self._query(x).view(outputs, batch, size))
        key, value = (self._parted(each) for each in kept.split(size, 2))
        if self._base is not None:
            query, key = turned(query, self._past, self._base), turned(key, 0, self._base)
        scores = torch.bmm(query, key.transpose(1, 2))
        if outputs > 1:
            places = torch.ones(outputs, items, dtype=torch.bool, device=x.device)
            seen = places.triu_().tril_(self._window - 1)
            scores = scores.masked_fill_(seen.logical_not_(), -torch.inf)
        if absent is not None:
            of_heads = absent.repeat_interleave(self._heads, 0).unsqueeze(1)
            scores = scores.masked_fill(of_heads, -torch.inf)
        seen = torch.bmm(scores.softmax(2), value)
        return self._out(seen.transpose(0, 1).reshape(-1, size))

    def _parted(self, x: Tensor) -> Tensor:
        """`(T, B, C)` as `(B * heads, T, C / heads)`."""
        return x.reshape(len(x), -1, x.shape[2] // self._heads).transpose(0, 1)


def _together(items: Sequence[Tensor]) -> Tensor:
    """Kept items as one tensor `(T, B, 2 * C)`."""
    return torch.cat(list(items)).view(len(items), -1, items[0].shape[1])


def _alone(x: Tensor, look: Function) -> Tensor:
    return look(x)


def _encoder(module: Any, like: Tensor, style: Style) -> Around:
    """A layer of an encoder around what rows see."""
    first, second = (normed(each, each.eps, like) for each in (module.norm1, module.norm2))
    widen, narrow = (
        _product(each.weight, each.bias, like, style) for each in (module.linear1, module.linear2)
    )
    activation: Function = module.activation

    def behind(x: Tensor, look: Function) -> Tensor:
        x = first(look(x).add_(x))
        return second(narrow(activation(widen(x))).add_(x))

    def before(x: Tensor, look: Function) -> Tensor:
        x = look(first(x)).add_(x)
        return narrow(activation(widen(second(x)))).add_(x)

    return before if module.norm_first else behind


def normed(norm: Any, eps: float, like: Tensor) -> Function:
    """A layer normalisation of rows."""
    weight, bias = _copied(norm.weight, like), _copied(norm.bias, like)
    return lambda x: functional.layer_norm(x, x.shape[1:], weight, bias, eps)


def _product(weight: Tensor, bias: Tensor | None, like: Tensor, style: Style) -> Function:
    """A matrix product of rows, of weights as they are now."""
    return product(weight.detach().to(like, copy=True), _copied(bias, like), style)


def _copied(x: Tensor | None, like: Tensor) -> Tensor | None:
    return None if x is None else x.detach().to(like, copy=True)
