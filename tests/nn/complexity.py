"""What ptflops counts of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ptflops import get_model_complexity_info

from codsl.nn.flops import ptflops_hooks

if TYPE_CHECKING:
    from torch import nn


def by_ptflops(net: nn.Module, sizes: tuple[int, ...]) -> tuple[Any, Any]:
    """Its multiply-accumulates of a clip of these sizes, without the batch, and its parameters."""
    macs, parameters = get_model_complexity_info(
        net,
        sizes,
        as_strings=False,
        print_per_layer_stat=False,
        verbose=False,
        backend="pytorch",
        custom_modules_hooks=ptflops_hooks(net),
        backend_specific_config={"count_functional": False},
    )
    return macs, parameters
