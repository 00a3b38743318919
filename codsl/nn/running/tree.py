"""What a module of a user's own remembers: tensors, and what holds them."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor

PLAIN = (type(None), bool, int, float, str, torch.dtype, torch.device)
"""What a tree may hold besides tensors, if it is to be told what it holds."""
Named = list[tuple[str, Any]]


def parts(tree: Any) -> Named | None:
    """What a tuple, a list, a dict or a dataclass holds, by name; None for anything else."""
    if isinstance(tree, tuple | list):
        names = getattr(tree, "_fields", range(len(tree)))
        return [(str(name), part) for name, part in zip(names, tree, strict=True)]
    if isinstance(tree, dict):
        return [(str(name), part) for name, part in tree.items()]
    if is_dataclass(tree) and not isinstance(tree, type):
        return [(each.name, getattr(tree, each.name)) for each in fields(tree) if each.init]
    return None


def remade(tree: Any, new: Sequence[Any]) -> Any:
    """The same, with other parts."""
    if isinstance(tree, dict):
        return type(tree)(zip(tree, new, strict=True))
    if isinstance(tree, tuple | list):
        return type(tree)(*new) if hasattr(tree, "_fields") else type(tree)(new)
    names = (each.name for each in fields(tree) if each.init)
    return replace(tree, **dict(zip(names, new, strict=True)))


def changed(tree: Any, change: Callable[[Any], Any]) -> Any:
    """A tree with everything in it changed, parts before what holds them."""
    held = parts(tree)
    if held is None:
        return change(tree)
    return change(remade(tree, [changed(part, change) for _, part in held]))


def ends(tree: Any) -> Iterator[Any]:
    """What a tree holds that holds nothing itself, in order."""
    held = parts(tree)
    if held is None:
        yield tree
    for _, part in held or ():
        yield from ends(part)


def tensors(tree: Any) -> Iterator[Tensor]:
    """The tensors of a tree, in order."""
    return (end for end in ends(tree) if isinstance(end, Tensor))


def copied(tree: Any) -> Any:
    """The same in memory of its own; gradients flow through it."""
    return changed(tree, _copied)


def detached(tree: Any) -> Any:
    """The same, that gradients do not flow through."""
    return changed(tree, lambda part: part.detach() if isinstance(part, Tensor) else part)


def _copied(part: Any) -> Any:
    if isinstance(part, Tensor):
        return part.clone()
    if parts(part) is not None:
        return part
    try:
        return deepcopy(part)
    except RuntimeError:
        raise ValueError(
            f"a {type(part).__name__} that a module remembers cannot be copied: keep tensors "
            "in tuples, lists and dicts, or stream under `torch.no_grad()`"
        ) from None


def alike(one: Any, other: Any, fit: Callable[[Tensor, Tensor], bool]) -> bool:
    """Whether two trees are the same but for the numbers in their tensors, which `fit`."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Tensor):
        return fit(one, other)
    mine, others = parts(one), parts(other)
    if mine is None or others is None:
        return bool(one == other)
    return len(mine) == len(others) and all(
        name == another and alike(part, its, fit)
        for (name, part), (another, its) in zip(mine, others, strict=True)
    )


def merged(trees: Sequence[Any], merge: Callable[[Sequence[Tensor]], Tensor]) -> Any:
    """Trees that are alike as one."""
    first = trees[0]
    if isinstance(first, Tensor):
        return merge(trees)
    if parts(first) is None:
        return first
    columns = zip(*([part for _, part in parts(tree) or ()] for tree in trees), strict=True)
    return remade(first, [merged(column, merge) for column in columns])
