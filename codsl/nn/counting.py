"""Layers made known to `ptflops`, where it is installed: it counts by the exact class."""

from contextlib import suppress
from importlib import import_module
from typing import Any

from torch import nn


def count_as(made: type[nn.Module], holder: type[nn.Module]) -> None:
    """Let a class be counted as the class of torch.nn that it derives from."""
    with suppress(ImportError, AttributeError):
        known: dict[Any, Any] = import_module("ptflops.pytorch_ops").MODULES_MAPPING
        if holder in known:
            known[made] = known[holder]
