"""What a node computes of one item, by operations that a step can afford: frames `(B, C, *S)`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from codsl.engine.folding import Scale
from codsl.graph.node import Node
from codsl.layers.recipe import Call, Pointwise, Windowed

Function = Callable[..., Tensor]

CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d}
IN_PLACE: Mapping[str, Function] = {
    "ReLU": torch.relu_,
    "Sigmoid": torch.sigmoid_,
    "Tanh": torch.tanh_,
    "SiLU": lambda x: functional.silu(x, inplace=True),
    "Hardswish": lambda x: functional.hardswish(x, inplace=True),
    "Hardsigmoid": lambda x: functional.hardsigmoid(x, inplace=True),
    "ReLU6": lambda x: functional.hardtanh(x, 0.0, 6.0, inplace=True),
}
ELEMENTWISE: Mapping[str, Function] = {
    "ReLU": torch.relu,
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "SiLU": functional.silu,
    "Hardswish": functional.hardswish,
    "Hardsigmoid": functional.hardsigmoid,
    "ReLU6": functional.relu6,
}
NOTHING = ("Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout")
JOINS: Mapping[str, tuple[Function, Function]] = {
    "join_sum": (torch.add, Tensor.add_),
    "join_mul": (torch.mul, Tensor.mul_),
}


@dataclass(frozen=True)
class Kernel:
    """A function of an item, or of a window of `taps` items `spread` apart: `(B, taps * C, *S)`,
    or with `last` `(B, C, taps, *S)`, the channels of a place beside each other.

    `in_place` gives the same and may write to its first input; `fresh` says that what is given
    shares no memory with what was read. A kernel without `run` gives what it reads.
    """

    run: Function | None
    in_place: Function | None = None
    taps: int = 1
    spread: int = 1
    last: bool = False

    @property
    def fresh(self) -> bool:
        """Whether what is given is new."""
        return self.run is not None


def kernel_of(node: Node, module: Any, scale: Scale | None, like: Tensor) -> Kernel | None:
    """The kernel of a node, followed by `scale` if given; None where only the plain way is known.

    `like` has the dtype and the device of the stream. Weights are copied.
    """
    if module._forward_hooks or module._forward_pre_hooks:
        return None
    recipe = node.recipe
    if isinstance(recipe, Windowed):
        return _windowed(recipe, module, scale, like)
    if not isinstance(recipe, Pointwise):
        return None
    if len(node.edges) > 1:
        return _join(recipe, len(node.edges))
    return _pointwise(recipe, module, node, like)


def convolves(node: Node, module: Any, like: Tensor) -> bool:
    """Whether a kernel of the node can be followed by a scale."""
    recipe = node.recipe
    if not (isinstance(recipe, Windowed) and recipe.window.function.startswith("conv")):
        return False
    return kernel_of(node, module, None, like) is not None


def _join(recipe: Pointwise, inputs: int) -> Kernel | None:
    """A sum or a product of two; others go by the plain way."""
    name = recipe.call.function if recipe.call is not None else ""
    if inputs != 2 or name not in JOINS:
        return None
    run, in_place = JOINS[name]
    return Kernel(run, in_place)


def _pointwise(recipe: Pointwise, module: nn.Module, node: Node, like: Tensor) -> Kernel | None:
    if isinstance(module, _BatchNorm):
        return _scaled(Scale.of(module), node.frame.rank, like)
    if recipe.call is None:
        if recipe.module in NOTHING:
            return Kernel(None)
        run = ELEMENTWISE.get(recipe.module)
        return run and Kernel(run, IN_PLACE[recipe.module])
    if recipe.call.function == "linear_frames" and node.frame.rank == 1:
        weight, bias = _tensors(module)
        return _dense(weight, bias) if weight.dtype == like.dtype else None
    return None


def _scaled(scale: Scale, rank: int, like: Tensor) -> Kernel:
    """A factor and a summand for each channel."""
    sizes = (1, -1, *(1,) * (rank - 1))
    factor, summand = (each.to(like).view(sizes) for each in (scale.factor, scale.summand))
    return Kernel(lambda x: torch.addcmul(summand, x, factor))


def _windowed(
    recipe: Windowed, module: nn.Module, scale: Scale | None, like: Tensor
) -> Kernel | None:
    if recipe.frame is not None:
        return _mean(recipe)
    if not recipe.window.function.startswith("conv") or "transpose" in recipe.window.function:
        return None
    weight, bias = _tensors(module)
    if weight.dtype != like.dtype:
        return None
    if scale is not None:
        weight, bias = scale.folded(weight, bias)
    return _convolution(recipe.window, weight.detach(), bias)


def _mean(recipe: Windowed) -> Kernel | None:
    """The mean over space of each frame alone."""
    frame, over = recipe.frame, recipe.over
    whole = frame is not None and frame.function.startswith("adaptive_avg_pool")
    if frame is None or not whole or recipe.window.pad or (over.kernel, over.stride) != (1, 1):
        return None
    if not recipe.window.function.startswith("avg_pool") or over.before or over.after:
        return None
    sizes = frame.arguments.get("output_size")
    if not isinstance(sizes, tuple) or sizes[0] is not None or set(sizes[1:]) != {1}:
        return None
    dims = list(range(2, 1 + len(sizes)))
    return Kernel(lambda x: x.mean(dims, keepdim=True))


def _tensors(module: Any) -> tuple[Tensor, Tensor | None]:
    """The weight and the bias as they are now, in memory of their own."""
    bias = module.bias
    return module.weight.detach().clone(), None if bias is None else bias.detach().clone()


def _dense(weight: Tensor, bias: Tensor | None) -> Kernel:
    """A matrix product of items without space."""
    across = weight.t().contiguous()
    if bias is None:
        return Kernel(lambda x: torch.mm(x, across))
    return Kernel(lambda x: torch.addmm(bias, x, across))


def _convolution(call: Call, weight: Tensor, bias: Tensor | None) -> Kernel | None:
    """A convolution whose taps over time are channels of one over space."""
    outs, ins, taps, *space = weight.shape
    groups, spread = call.arguments["groups"], call.arguments["dilation"][0]
    apart = weight.transpose(1, 2)
    kernel: Kernel | None
    if ins == 1 and outs == groups and set(space) <= {1} and _bare(call):
        last = taps > 1 and len(space) == 2
        run = _by_channel(weight.flatten(1), bias, len(space), last)
        return Kernel(run, None, taps, spread if taps > 1 else 1, last)
    if not space:
        if groups > 1:
            return None
        kernel = _dense(apart.reshape(outs, -1), bias)
    elif groups == 1 and set(space) == {1} and _bare(call):
        kernel = _product(apart.reshape(outs, -1), bias)
    elif groups == 1:
        kernel = _spatial(call, apart.reshape(outs, -1, *space).contiguous(), bias, 1)
    elif taps > 1 and len(space) == 2 and call.mode == "constant":
        return Kernel(_over_time(call, weight, bias), None, taps, spread, True)
    else:
        kernel = _grouped(call, apart, bias)
    return Kernel(kernel.run, None, taps, spread if taps > 1 else 1)


def _by_channel(weight: Tensor, bias: Tensor | None, dims: int, last: bool) -> Function:
    """A number for each channel and tap, `weight` `(channels, taps)`, and the sum over the taps."""
    channels, taps = weight.shape
    sizes = (1, channels, *(1,) * dims)
    factors = [each.reshape(sizes) for each in weight.unbind(1)]
    summand = None if bias is None else bias.view(sizes)

    def run(x: Tensor) -> Tensor:
        if last or taps == 1:
            items = x.unbind(2) if last else (x,)
        else:
            items = x.view(x.shape[0], taps, channels, *x.shape[2:]).unbind(1)
        if summand is None:
            y = torch.mul(items[0], factors[0])
        else:
            y = torch.addcmul(summand, items[0], factors[0])
        for item, factor in zip(items[1:], factors[1:], strict=True):
            y.addcmul_(item, factor)
        return y

    return run


def _over_time(call: Call, weight: Tensor, bias: Tensor | None) -> Function:
    """A convolution in groups over a window, which is fast where channels lie beside each other."""
    given = call.arguments
    padding = given["padding"]
    sizes: dict[str, Any] = {
        "stride": (1, *given["stride"][1:]),
        "dilation": (1, *given["dilation"][1:]),
        "padding": padding if isinstance(padding, int | str) else (0, *padding[1:]),
        "groups": given["groups"],
    }
    pad = call.pad[:4]

    def run(x: Tensor) -> Tensor:
        wide = functional.pad(x, pad, "constant", call.value) if pad else x
        return functional.conv3d(wide, weight, bias, **sizes).squeeze(2)

    return run


def _bare(call: Call) -> bool:
    """Whether a convolution neither pads nor strides over space."""
    padding = call.arguments["padding"]
    plain = isinstance(padding, int) or not any(padding[1:])
    return plain and not call.pad and set(call.arguments["stride"][1:]) <= {1}


def _product(weight: Tensor, bias: Tensor | None) -> Kernel:
    """A matrix product at every place."""
    outs = weight.shape[0]
    column = None if bias is None else bias.view(-1, 1)
    across = _dense(weight, bias).run

    def run(x: Tensor) -> Tensor:
        batch, channels, *space = x.shape
        if x.dim() == 4 and across and not x.is_contiguous():
            places = x.permute(0, 2, 3, 1)
            return across(places.reshape(-1, channels)).view(batch, *space, outs).movedim(3, 1)
        if batch == 1:
            flat = x.reshape(x.shape[1], -1)
            y = torch.mm(weight, flat) if column is None else torch.addmm(column, weight, flat)
        elif column is None:
            y = torch.matmul(weight, x.flatten(2))
        else:
            y = torch.baddbmm(column, weight.expand(batch, -1, -1), x.flatten(2))
        return y.view(batch, outs, *space)

    return Kernel(run)


def _spatial(call: Call, weight: Tensor, bias: Tensor | None, groups: int) -> Kernel:
    """A convolution over space."""
    dims = weight.dim() - 2
    given = call.arguments
    padding = given["padding"]
    convolve = CONVOLUTIONS[dims]
    sizes: dict[str, Any] = {
        "stride": tuple(given["stride"][1:]),
        "dilation": tuple(given["dilation"][1:]),
        "padding": padding if isinstance(padding, int | str) else tuple(padding[1:]),
        "groups": groups,
    }
    pad = call.pad[: 2 * dims]

    def padded(x: Tensor) -> Tensor:
        wide = functional.pad(x, pad, call.mode, call.value if call.mode == "constant" else None)
        return convolve(wide, weight, bias, **sizes)

    return Kernel(padded if pad else lambda x: convolve(x, weight, bias, **sizes))


def _grouped(call: Call, weight: Tensor, bias: Tensor | None) -> Kernel:
    """Every tap as groups of its own, `weight` `(out, taps, in / groups, *S)`, and their sum."""
    outs, taps, *rest = weight.shape
    groups = taps * call.arguments["groups"]
    if bias is not None:
        bias = torch.cat([bias, bias.new_zeros((taps - 1) * outs)])
    each = weight.transpose(0, 1).reshape(taps * outs, *rest).contiguous()
    kernel = _spatial(call, each, bias, groups)
    run = kernel.run
    if taps == 1 or run is None:
        return kernel

    def summed(x: Tensor) -> Tensor:
        y = run(x)
        return y.view(y.shape[0], taps, outs, *y.shape[2:]).sum(1)

    return Kernel(summed)
