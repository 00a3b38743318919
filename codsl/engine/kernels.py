"""What a step computes of items, by operations that it can afford: frames `(B, C, *S)`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from codsl.algebra.shape import Frame
from codsl.engine.attending import normed
from codsl.engine.bare import bare
from codsl.engine.convolving import convolution, product
from codsl.engine.folding import Scale
from codsl.engine.listing import Run
from codsl.engine.numbers import Function, anew, of_each
from codsl.engine.onednn import along, goes_along
from codsl.engine.recurring import cells_of
from codsl.engine.style import Style
from codsl.graph.node import Node
from codsl.layers.recipe import Call, Carried, Folded, Pointwise, Recipe, Windowed
from codsl.nn.functions.cumulative import channel_norm
from codsl.nn.functions.functions import function
from codsl.nn.functions.positions import add_in_turn
from codsl.nn.functions.recurrence import recur
from codsl.nn.running.ways import clip

NOTHING = frozenset({"Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"})
JOINS = frozenset({"join_sum", "join_mul", "join_max", "join_mean", "join_concat"})


@dataclass(frozen=True)
class After:
    """What is done to a result that nobody has seen yet: another is added, a function applied."""

    adds: bool = False
    activation: Function | None = None

    def behind(self, run: Run) -> Run:
        """The same for a function; what is added is its last argument."""
        activation = self.activation
        if self.adds:

            def added(*items: Tensor) -> Tensor:
                y: Tensor = run(*items[:-1]).add_(items[-1])
                return activation(y) if activation else y

            return added
        return (lambda *items: activation(run(*items))) if activation else run


def convolves(recipe: Recipe) -> bool:
    """Whether a recipe is a convolution of items."""
    return convolution_of(recipe) is not None


def convolution_of(recipe: Recipe) -> Call | None:
    """The call of a convolution over time and space; that of images is one of a single item."""
    inner = recipe.inner if isinstance(recipe, Folded) else None
    if isinstance(inner, Pointwise) and inner.call is not None:
        return _of_an_item(inner.call) if inner.call.function in ("conv1d", "conv2d") else None
    if not isinstance(recipe, Windowed) or recipe.frame is not None:
        return None
    return recipe.window if recipe.window.function in ("conv1d", "conv2d", "conv3d") else None


def _of_an_item(call: Call) -> Call:
    """A convolution over space as one over time and space."""
    given = call.arguments
    padding = given["padding"]
    if isinstance(padding, int):
        padding = (padding,) * len(given["stride"])
    sizes = {
        "stride": (1, *given["stride"]),
        "dilation": (1, *given["dilation"]),
        "padding": padding if isinstance(padding, str) else (0, *padding),
    }
    return replace(call, arguments={**given, **sizes})


def takes_clips(node: Node, like: Tensor, style: Style) -> bool:
    """Whether the kernel of a node takes the items of all outputs as one clip."""
    if not isinstance(node.recipe, Windowed) or not convolves(node.recipe):
        return False
    return goes_along(node.recipe.window, node.recipe.over.kernel, like, style)


def multiplies(recipe: Recipe) -> bool:
    """Whether a recipe is a matrix product of each item."""
    call = recipe.call if isinstance(recipe, Pointwise) else None
    return call is not None and call.function == "linear_frames"


def passes(node: Node, module: nn.Module) -> bool:
    """Whether a node gives what it reads."""
    recipe = of_each(node.recipe)
    plain = isinstance(recipe, Pointwise) and recipe.call is None and len(node.edges) == 1
    return plain and recipe.module in NOTHING and bare(module)


def kernel_of(
    node: Node,
    module: Any,
    frames: Sequence[Frame],
    scale: Scale | None,
    after: After,
    like: Tensor,
    style: Style,
) -> Run | None:
    """The kernel of a node that reads such frames, followed by `scale` and `after`.

    None where only the plain way is known. What a kernel gives shares no memory with what it gets.
    `like` has the dtype and the device of the stream. Weights are copied.
    """
    run = _alone(node, module, frames, scale, like, style)
    return None if run is None else after.behind(run)


def _alone(
    node: Node,
    module: Any,
    frames: Sequence[Frame],
    scale: Scale | None,
    like: Tensor,
    style: Style,
) -> Run | None:
    recipe = of_each(node.recipe)
    convolved = convolution_of(recipe)
    if convolved is not None:
        weight, bias = _tensors(module, like, scale)
        if takes_clips(node, like, style):
            return along(convolved, weight, bias, frames[0], style)
        taps = weight.unsqueeze(2) if isinstance(recipe, Folded) else weight
        return convolution(convolved, taps, bias, frames[0], style)
    if isinstance(recipe, Folded) and isinstance(recipe.inner, Windowed):
        return partial(clip, module, recipe.inner)
    if isinstance(recipe, Windowed):
        return _mean(recipe)
    if not isinstance(recipe, Pointwise):
        return None
    if len(frames) > 1:
        return _join(recipe, frames)
    return _pointwise(recipe, module, frames[0], like, style)


def _join(recipe: Pointwise, frames: Sequence[Frame]) -> Run | None:
    name = recipe.call.function if recipe.call is not None else ""
    alike = len({frame.rank for frame in frames}) == 1
    return function(name) if name in JOINS and alike else None


def _pointwise(
    recipe: Pointwise, module: Any, frame: Frame, like: Tensor, style: Style
) -> Run | None:
    if isinstance(module, _BatchNorm):
        return _scaled(Scale.of(module), frame.rank, like)
    found = anew(recipe, module)
    if found is not None or recipe.call is None:
        return found
    name, given = recipe.call.function, recipe.call.arguments
    if name == "normalize_frames":
        return _scaled(Scale.by(module.mean, module.std), frame.rank, like)
    if name == "linear_frames" and frame.rank == 1:
        tensors = _tensors(module, like)
        return product(*tensors, style)
    if name == "with_channels":
        numbers = module.numbers.detach().to(like, copy=True)
        return lambda x: function(name)(x, numbers, **given)
    if name == "channel_norm":
        return _normed(module, given["eps"], frame, like)
    if name == "layer_norm_frames" and frame.rank == 1:
        return normed(module, given["eps"], like)
    if name == "gtu_halves" and given["dim"] == 1:
        return lambda x: function(name)(x, 1)
    return None


def _normed(module: Any, eps: float, frame: Frame, like: Tensor) -> Run:
    """Each place normalised over its channels."""
    gamma, beta = (
        None if x is None else x.detach().to(like, copy=True) for x in (module.gamma, module.beta)
    )
    if frame.rank > 1:
        return lambda x: channel_norm(x, gamma, beta, eps)
    return lambda x: functional.layer_norm(x, (frame.channels,), gamma, beta, eps)


def _scaled(scale: Scale, rank: int, like: Tensor) -> Run:
    """A factor and a summand for each channel."""
    sizes = (1, -1, *(1,) * (rank - 1))
    factor, summand = (each.to(like).view(sizes) for each in (scale.factor, scale.summand))
    return lambda x: torch.addcmul(summand, x, factor)


def kept_of(recipe: Recipe, frame: Frame) -> Run | None:
    """A function that makes of an item what is kept of it: its mean over space; None for others."""
    call = recipe.frame if isinstance(recipe, Windowed) else None
    if call is None or not call.function.startswith("adaptive_avg_pool") or call.pad:
        return None
    sizes = call.arguments.get("output_size")
    if not isinstance(sizes, tuple) or sizes[0] is not None or set(sizes[1:]) != {1}:
        return None
    dims = list(range(2, 1 + frame.rank))
    return lambda x: x.mean(dims, keepdim=True)


def carried_of(recipe: Recipe, module: Any, frame: Frame, like: Tensor, style: Style) -> Run | None:
    """A function of an item and of what is carried, which gives both: that of positions whose
    vectors come in turn, and that of recurrent layers; None for others."""
    if not isinstance(recipe, Carried):
        return None
    found: Run = function(recipe.call.function, module)
    if found == recur:
        return cells_of(module, like, style)
    return _in_turn(module, frame, like) if found == add_in_turn else None


def _in_turn(module: Any, frame: Frame, like: Tensor) -> Run:
    """Positions whose vectors come in turn."""
    rows = module.weight.detach().to(like, copy=True)
    sizes = (-1, frame.channels, *(1,) * len(frame.space))

    def run(x: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        row = rows.index_select(0, position % len(rows))
        return x + row.view(sizes), position + 1

    return run


def _mean(recipe: Windowed) -> Run | None:
    """The mean of the items of a window."""
    window, over = recipe.window, recipe.over
    if not window.function.startswith("avg_pool") or window.pad or over.dilation != 1:
        return None
    given = window.arguments
    sizes, count = given["kernel_size"], over.kernel
    plain = set(given) <= {"kernel_size", "stride"} and not over.before and not over.after
    if not plain or not isinstance(sizes, tuple) or sizes != (count, *(1,) * (len(sizes) - 1)):
        return None
    if count == 1:
        return torch.clone
    return lambda *items: torch.stack(items).mean(0)


def _tensors(module: Any, like: Tensor, scale: Scale | None = None) -> tuple[Tensor, Tensor | None]:
    """The weight and the bias as they are now, followed by `scale`, in memory of their own."""
    weight, bias = module.weight.detach(), module.bias
    bias = None if bias is None else bias.detach()
    if scale is not None:
        weight, bias = scale.folded(weight, bias)
    return weight.to(like, copy=True), None if bias is None else bias.to(like, copy=True)
