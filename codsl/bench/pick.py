"""Which fast steps there are: the backends, each in the network's precision or in a lower one."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from codsl.engine.backends.table import BACKENDS


@dataclass(frozen=True)
class Pick:
    """A backend and a precision, by its name in torch, that of the network if empty; written
    `openvino` or `openvino:bfloat16`."""

    backend: str
    precision: str = ""

    def __str__(self) -> str:
        return f"{self.backend}:{self.precision}" if self.precision else self.backend

    @property
    def dtype(self) -> torch.dtype | None:
        """The precision, as `compile_step` takes it."""
        found: torch.dtype | None = getattr(torch, self.precision) if self.precision else None
        return found

    @property
    def call(self) -> str:
        """How to have it in Python."""
        precision = f", precision=torch.{self.precision}" if self.precision else ""
        return f'compile_step("{self.backend}"{precision})'


def every(low: bool = False) -> tuple[Pick, ...]:
    """All there are; with `low` also those of lower precision."""
    plain = [Pick(name) for name in BACKENDS]
    lower = [Pick(name, _named(each)) for name in BACKENDS for each in BACKENDS[name].precisions]
    return tuple(plain + lower if low else plain)


def picked(names: Sequence[str], low: bool = False) -> tuple[Pick, ...]:
    """Those named, each once, with `low` also the backends among them in their lower precisions;
    raises `ValueError` for a name of none, and where none has a lower precision."""
    known = {str(each): each for each in every(low=True)}
    for name in names:
        if name not in known:
            listed = ", ".join(f"`{each}`" for each in known)
            raise ValueError(f"there is no backend `{name}`; there is {listed}")
    found = [known[name] for name in dict.fromkeys(names)]
    if low:
        found += [each for each in known.values() if each.precision and each.backend in names]
    if low and not any(each.precision for each in found):
        raise ValueError(f"none of these backends has a lower precision: {', '.join(names)}")
    return tuple(dict.fromkeys(found))


def _named(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
