"""What the flop counter ptflops has to be told: how much work a layer does."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.layers.recipe import outputs_worked
from codsl.nn.layer import Layer

Hook = Callable[[nn.Module, Any, Any], None]


def ptflops_hooks(module: nn.Module) -> dict[type[nn.Module], Hook]:
    """The `custom_modules_hooks` of `ptflops.get_model_complexity_info` for the layers in a module.

    They count the multiply-accumulates of convolutions and matrix products, as reports do. With
    the backend `aten` ptflops needs none, nor does `torch.utils.flop_counter`.
    """
    return {type(each): _count for each in module.modules() if isinstance(each, Layer)}


def _count(module: Any, inputs: Any, output: Any) -> None:
    x, y = inputs[0], output if isinstance(output, Tensor) else output[0]
    frame = _frame(x)
    outputs = outputs_worked(module.operation.recipe(frame), x.shape[2], y.shape[2])
    module.__flops__ += round(module.operation.macs(frame, _frame(y)) * y.shape[0] * outputs)


def _frame(x: Tensor) -> Frame:
    return Frame(x.shape[1], tuple(x.shape[3:]))
