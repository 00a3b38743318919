"""Parametrisations of torch.nn.utils.parametrize, kept where a module becomes a continual one."""

from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize


def kind_of(module: Any) -> Any:
    """The class of a module as it was before it was parametrised."""
    known = isinstance(module, nn.Module)
    return parametrize.type_before_parametrizations(module) if known else type(module)


def check_parametrised(module: nn.Module) -> None:
    """Raise `ValueError` where the parametrisation of a module itself would be lost."""
    kind = kind_of(module)
    if isinstance(module, nn.RNNBase) and any(
        name not in module._parameters for name in module._flat_weights_names
    ):
        raise ValueError(
            f"`{kind.__name__}` keeps a list of its weights beside its parametrisation: make it "
            "continual without one, by `remove_parametrizations` or `remove_weight_norm`"
        )
    if parametrize.is_parametrized(module) and not kind.__module__.startswith("torch.nn."):
        raise ValueError(
            f"`{kind.__name__}` is a class of its own that is parametrised itself: make it "
            "continual first and parametrise it then, or parametrise the layers in it"
        )


def parametrise_alike(twin: Any) -> None:
    """Let a module that holds the parametrisations of another have its tensors of them."""
    lists = twin._modules.get("parametrizations")
    if lists is None:
        return
    del twin._modules["parametrizations"]
    for name in lists:
        twin._parameters[name] = nn.Parameter(torch.empty(0))
        parametrize.register_parametrization(twin, name, nn.Identity())
    twin._modules["parametrizations"] = lists
