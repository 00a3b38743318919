"""Functions of each number by itself: of a frame as of a clip."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from codsl.graph.node import Node
from codsl.layers.recipe import Folded, Pointwise, Recipe
from codsl.nn.functions.functions import function

Function = Callable[[Tensor], Tensor]

IN_PLACE: Mapping[str, Function] = {
    "ReLU": torch.relu_,
    "Sigmoid": torch.sigmoid_,
    "Tanh": torch.tanh_,
    "SiLU": lambda x: functional.silu(x, inplace=True),
    "Hardswish": lambda x: functional.hardswish(x, inplace=True),
    "Hardsigmoid": lambda x: functional.hardsigmoid(x, inplace=True),
    "ReLU6": lambda x: functional.hardtanh(x, 0.0, 6.0, inplace=True),
}
"""What may be written over the numbers that it is of."""
ELEMENTWISE: Mapping[str, Function | None] = {
    "ReLU": torch.relu,
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "SiLU": functional.silu,
    **dict.fromkeys(("Hardswish", "Hardsigmoid", "ReLU6", "LeakyReLU", "ELU", "GELU")),
    **dict.fromkeys(("Mish", "Softplus", "PReLU")),
}
"""Classes of torch.nn that a frame may be given to as well as a clip, and a function that is
quicker than theirs."""


def of_each(recipe: Recipe) -> Recipe:
    """What is done to each frame; to an image the same, where that is done number by number."""
    inner = recipe.inner if isinstance(recipe, Folded) else None
    return inner if isinstance(inner, Pointwise) and inner.call is None else recipe


def arithmetic(recipe: Pointwise, module: nn.Module) -> str:
    """The name of the function of torch that a recipe is, of one tensor and numbers; else
    nothing."""
    call = recipe.call
    if call is None or recipe.tensors:
        return ""
    name = call.function
    known = hasattr(Tensor, f"{name}_") and not call.pad
    return name if known and function(name, module) is getattr(torch, name, None) else ""


def over(node: Node, module: Any, fresh: bool = False) -> Function | None:
    """A function that may write over the numbers that it is of, and with `fresh` does not; None for
    other nodes."""
    recipe = of_each(node.recipe)
    if not isinstance(recipe, Pointwise) or len(node.edges) > 1:
        return None
    if recipe.call is None:
        if recipe.module not in ELEMENTWISE:
            return None
        written = None if fresh else IN_PLACE.get(recipe.module)
        return written or ELEMENTWISE[recipe.module] or module.own_forward
    name = arithmetic(recipe, module)
    if not name:
        return None
    write: Function = getattr(Tensor, name if fresh else f"{name}_")
    return partial(write, **recipe.call.arguments)


def anew(recipe: Pointwise, module: Any) -> Function | None:
    """A function that leaves the numbers that it is of; None for other recipes."""
    if recipe.call is None:
        plain = recipe.module in ELEMENTWISE and not getattr(module, "inplace", False)
        return (ELEMENTWISE[recipe.module] or module.own_forward) if plain else None
    name = arithmetic(recipe, module)
    return partial(function(name, module), **recipe.call.arguments) if name else None
