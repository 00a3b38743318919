"""Layers made known to `ptflops`, where it is installed: it counts by the exact class.

It imports torchvision, which fails in ways of its own where it does not fit torch; that is no
reason not to run.
"""

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from torch import nn


def count_as(made: type[nn.Module], holder: type[nn.Module]) -> None:
    """Let a class be counted as the class of torch.nn that it derives from."""
    known = _known()
    if holder in known:
        known[made] = known[holder]


def count_by(made: type[nn.Module], hook: Callable[[Any, Any, Any], None]) -> None:
    """Let a class be counted by a hook of its own."""
    _known()[made] = hook


def _known() -> dict[Any, Any]:
    with suppress(Exception):
        found: dict[Any, Any] = import_module("ptflops.pytorch_ops").MODULES_MAPPING
        return found
    return {}
