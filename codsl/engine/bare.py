"""Which modules need not be called themselves."""

from torch import nn


def bare(module: nn.Module) -> bool:
    """Whether nothing is hooked to a module."""
    return not (module._forward_hooks or module._forward_pre_hooks)
