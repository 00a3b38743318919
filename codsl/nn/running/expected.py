"""What a module with a step of its own would remember, to hold to it what a file says it does."""

from collections.abc import Iterator
from math import isinf
from typing import Any

import torch
from torch import Tensor

from codsl.algebra.shape import Frame
from codsl.nn.module import first
from codsl.nn.running.foreign import twin
from codsl.nn.running.state import State
from codsl.nn.running.tree import parts

ENDLESS = 64
"""Items that a module with an endless past is tried on at most."""


def unlike(name: str, module: Any, items: int, frame: Frame, state: State, own: Any) -> str:
    """Why what a module is said to remember after so many items of a frame is nothing of its; empty
    where it may be.

    It is tried on zeros. Where that takes too many, sizes are not compared, as they may grow.
    """
    endless = isinf(module.receptive_field)
    most = ENDLESS if endless else int(module.receptive_field)
    stride = first(module.stride)
    tried = items if items <= most else most + (items - most) % stride
    size = (state.batch_size, frame.channels, tried, *frame.space)
    clip = torch.zeros(size, dtype=state.dtype, device=state.device)
    own_twin = twin(module)
    try:
        with torch.no_grad():
            own_twin.forward_steps(clip)
        wanted = own_twin.get_state()
    except Exception:
        return ""
    return next(_differences(f"{name}:state", own, wanted, tried == items or not endless), "")


def _differences(name: str, found: Any, wanted: Any, sizes: bool) -> Iterator[str]:
    mine, its = parts(found), parts(wanted)
    if isinstance(found, Tensor) and isinstance(wanted, Tensor):
        shape = found.shape != wanted.shape if sizes else found.dim() != wanted.dim()
        if shape or found.dtype != wanted.dtype:
            yield f"`{name}` is {_said(found)}, here {_said(wanted)}"
    elif mine is None or its is None:
        if type(found) is not type(wanted):
            yield f"`{name}` is {_said(found)}, here {_said(wanted)}"
    elif [key for key, _ in mine] != [key for key, _ in its]:
        if sizes:
            yield f"`{name}` is {_said(found)}, here {_said(wanted)}"
    else:
        for (key, part), (_, other) in zip(mine, its, strict=True):
            yield from _differences(f"{name}.{key}", part, other, sizes)


def _said(value: Any) -> str:
    if isinstance(value, Tensor):
        size = " x ".join(map(str, value.shape)) or "one number"
        return f"{size} of {str(value.dtype).removeprefix('torch.')}"
    held = parts(value)
    if held is not None:
        return f"{type(value).__name__} of {', '.join(key for key, _ in held) or 'nothing'}"
    return "nothing" if value is None else type(value).__name__
