"""State dicts whose keys go without the numbers of the modules."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import local
from typing import Any

from torch import Tensor, nn


class _Flat(local):
    """`with flat_state_dict:` state dicts have no numbers in their keys, in this thread."""

    def __init__(self) -> None:
        self.on = False
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(self.on)
        self.on = True

    def __exit__(self, *_: object) -> None:
        self.on = self._before.pop()


flat_state_dict = _Flat()
"""Context in which containers leave the numbers out of the keys of their state dicts."""


def flat_keys(keys: list[str]) -> dict[str, str]:
    """For each key the one without numbers; raises `ValueError` where two would be one."""
    flat = {key: ".".join(part for part in key.split(".") if not part.isdigit()) for key in keys}
    if len(set(flat.values())) < len(flat):
        raise ValueError("without numbers, several keys would be the same: name the modules")
    return flat


class FlatStateDict(nn.Module):
    """A container whose state dict can go without numbers in its keys."""

    def state_dict(self, *args: Any, flatten: bool = False, **kwargs: Any) -> Any:
        """The tensors by name; with `flatten`, names without numbers."""
        full = super().state_dict(*args, **kwargs)
        if not (flatten or flat_state_dict.on) or args or "destination" in kwargs:
            return full
        flat = flat_keys(list(full))
        return OrderedDict((flat[key], value) for key, value in full.items())

    def load_state_dict(
        self,
        state_dict: Mapping[str, Tensor],
        strict: bool = True,
        assign: bool = False,
        flatten: bool = False,
    ) -> Any:
        """Load tensors by name; with `flatten`, names without numbers."""
        if flatten or flat_state_dict.on:
            full = nn.Module.state_dict(self)
            long = {short: key for key, short in flat_keys(list(full)).items()}
            state_dict = {long.get(key, key): value for key, value in state_dict.items()}
        return super().load_state_dict(state_dict, strict, assign)
