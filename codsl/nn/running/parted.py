"""Modules whose parts may come and go: what was laid out with them is laid out anew."""

from itertools import count
from typing import Any, ClassVar

from torch import nn

_structure = count()
"""Counts the changes of parts; a layout holds until the next one."""
_now = [next(_structure)]


def structure() -> int:
    """The number of changes of parts so far, anywhere."""
    return _now[0]


def restructured() -> None:
    """Note that parts have come or gone: what was laid out is laid out anew."""
    _now[0] = next(_structure)


def _as_it_is(module: Any) -> Any:
    return module


class Parted(nn.Module):
    """A module that makes of each part what it `adopts`, and notes that it came or went."""

    adopts: ClassVar["staticmethod[[Any], Any]"] = staticmethod(_as_it_is)

    def add_module(self, name: str, module: nn.Module | None) -> None:
        """Add a part."""
        restructured()
        super().add_module(name, None if module is None else self.adopts(module))

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute, which may be a part."""
        if isinstance(value, nn.Module):
            restructured()
            value = self.adopts(value)
        elif name in self.__dict__.get("_modules", ()):
            restructured()
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Delete an attribute, which may be a part."""
        restructured()
        super().__delattr__(name)
