"""Continual modules to be used by hand: `import codsl.nn as co`."""

from importlib import import_module
from typing import Any

_HOMES = {
    "closures": ("Add", "Constant", "Identity", "Lambda", "Multiply", "One", "Reshape", "Zero"),
    "conditional": ("Conditional",),
    "containers": ("BroadcastReduce", "Parallel", "Residual", "Sequential"),
    "convert": ("continual",),
    "module": ("CoModule",),
    "older": ("PaddingMode", "call_mode", "flat_state_dict"),
    "plainly": ("Conv", "Linear"),
    "routing": ("Broadcast", "ParallelDispatch", "Reduce"),
    "state": ("State",),
    "stepping": ("forward_stepping",),
    "waiting": ("Delay", "Skip"),
}
"""Where the names are; each is loaded once it is asked for."""

_NAMES = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(import_module(f"codsl.nn.{_NAMES[name]}"), name)
    from codsl.layers.table import table

    row = next((row for row in table().values() if row.__name__ == name), None)
    if row is None:
        raise AttributeError(f"`codsl.nn` has no `{name}`")
    return import_module("codsl.nn.classes").hand_class(row)


def __dir__() -> list[str]:
    from codsl.layers.table import table

    return sorted({*globals(), *_NAMES, *(row.__name__ for row in table().values())})
