"""What a module remembers as plain data, with the names of tensors where these stand."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from codsl.nn.running.tree import parts

Kinds = Mapping[str, type]
"""The dataclasses that a file can say, by name."""
HELD: dict[type, str] = {tuple: "tuple", list: "list", dict: "dict", OrderedDict: "dict"}


def described(tree: Any, name: str, tensors: dict[str, Tensor], kinds: Kinds) -> Any:
    """A tree as JSON; its tensors are added to `tensors` under names that begin with `name`.

    Raises `ValueError` for what a file cannot say.
    """
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    if isinstance(tree, Tensor):
        while name in tensors:
            name += "'"
        tensors[name] = tree
        return {"tensor": name}
    if isinstance(tree, torch.dtype):
        return {"dtype": str(tree).removeprefix("torch.")}
    if isinstance(tree, torch.device):
        return {"device": "cpu"}
    kind = HELD.get(type(tree)) or next((k for k, v in kinds.items() if type(tree) is v), None)
    if kind is None or (kind == "dict" and not all(isinstance(key, str) for key in tree)):
        raise ValueError(
            f"`{name}` is a {type(tree).__name__}, which cannot be saved: tensors and plain values "
            "can, in tuples, lists and dicts with names as keys"
        )
    held = [
        (key, described(part, f"{name}.{key}", tensors, kinds)) for key, part in parts(tree) or ()
    ]
    return {kind: [part for _, part in held] if kind in ("tuple", "list") else dict(held)}


def restored(said: Any, tensors: dict[str, Tensor], kinds: Kinds) -> Any:
    """The tree that was described so; takes its tensors out of `tensors`.

    Raises `ValueError`, `TypeError` or `KeyError` for what describes none.
    """
    if said is None or isinstance(said, bool | int | float | str):
        return said
    kind: str
    what: Any
    ((kind, what),) = said.items() if isinstance(said, dict) else (("", None),)
    match kind:
        case "tensor":
            return tensors.pop(what)
        case "dtype":
            return dtype_named(what)
        case "device":
            return torch.device("cpu")
        case "tuple" | "list":
            held = [restored(part, tensors, kinds) for part in what]
            return held if kind == "list" else tuple(held)
        case "dict":
            return {key: restored(part, tensors, kinds) for key, part in what.items()}
    if kind not in kinds:
        raise ValueError("what a module remembers cannot be read")
    return kinds[kind](**{key: restored(part, tensors, kinds) for key, part in what.items()})


def dtype_named(name: str) -> torch.dtype:
    """A dtype by its name; raises `ValueError` for what is none."""
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"its dtype is `{name}`")
    return dtype
