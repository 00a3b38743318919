"""Modules of torch.nn made continual: copied, or sharing their tensors."""

import copy
from collections.abc import Callable
from inspect import signature
from typing import Any

from torch import nn

from codsl.layers.activation import PReLU
from codsl.layers.adaptive import AdaptivePool
from codsl.layers.convolution import Convolution
from codsl.layers.normalization import BatchNorm
from codsl.layers.pooling import Pool
from codsl.layers.row import Weightless
from codsl.layers.transposed import Transposed
from codsl.layers.upsampling import Upsample
from codsl.nn.classes import VARIADIC, alike, built_from, hand_class, row_for
from codsl.nn.module import CoModule
from codsl.nn.parametrised import check_parametrised, kind_of
from codsl.nn.stepping import Tried

EXACT = (Convolution, Transposed, Pool, AdaptivePool, BatchNorm, PReLU, Upsample, Weightless)
"""Rows that compute a clip as torch's module of their name does."""

OVER_TIME = {
    "Flatten": "it flattens time too: `co.Flatten()` flattens each frame",
    "GroupNorm": "its statistics are those of all frames: `co.GroupNorm` is per frame",
    "Linear": "on (B, C, T) its last dimension is time: `co.Linear(..., channel_dim=1)`",
    "MultiheadAttention": "every frame attends to all: `co.MultiheadAttention` has a window",
    "TransformerEncoderLayer": "every frame attends to all: `co.TransformerEncoder` has a window",
    "TransformerEncoder": "every frame attends to all: `co.TransformerEncoder` has a window",
    "RNNCell": "it is given its hidden tensors: `co.RNN` keeps them",
    "GRUCell": "it is given its hidden tensors: `co.GRU` keeps them",
    "LSTMCell": "it is given its hidden tensors: `co.LSTM` keeps them",
}
"""Why a module of torch.nn cannot be streamed as it is, and what can."""

Maker = Callable[[Any, Callable[[Any], Any]], Any]
"""Makes something continual; it also gets what makes its parts continual."""

_MAKERS: dict[type, Maker] = {}
_REGISTERED: dict[type[nn.Module], type[CoModule]] = {}


def makes(kind: type, maker: Maker) -> None:
    """Say how things of exactly this kind are made continual: `torch.nn.Module` stands for modules
    of any other class, `object` for what is no module."""
    _MAKERS[kind] = maker


def register(torch_class: type[nn.Module], co_class: type[CoModule]) -> type[CoModule]:
    """Say how modules of a class are made continual: by `co_class.build_from(module)`.

    Raises `TypeError` where `co_class` is no `CoModule` with a `build_from` of its own.
    """
    if not isinstance(co_class, type) or not issubclass(co_class, CoModule):
        raise TypeError(f"`{co_class}` is no class of continual modules")
    if co_class.build_from is CoModule.build_from:
        raise TypeError(f"`{co_class.__name__}` has no `build_from(module)` of its own")
    _REGISTERED[torch_class] = co_class
    return co_class


def continual(module: Any) -> Any:
    """A copy of a module that runs on clips and on streams, with the same keys.

    Layers and containers of torch.nn, functions, and modules that torch.fx can trace are known;
    for others see `register` and `forward_stepping`. The argument is never changed, and no tensor
    is shared with it. Raises `ValueError` with the reason for what cannot be streamed exactly.
    """
    if isinstance(module, CoModule):
        return copy.deepcopy(module)
    if isinstance(module, nn.Module) and type(module) not in _REGISTERED:
        return _made(module, copies=True)
    return _made(module, copies=False)


def adopt(module: Any) -> Any:
    """A module as a part of a container: continual, and sharing its tensors."""
    return module if isinstance(module, CoModule) else _made(module, copies=False)


def _made(module: Any, copies: bool) -> Any:
    if type(module) in _REGISTERED:
        return _REGISTERED[type(module)].build_from(module)
    kind = kind_of(module)
    maker = next((_MAKERS[each] for each in _MAKERS if kind is each), None)
    if maker is not None:
        return maker(module, continual if copies else adopt)
    if isinstance(module, type):
        raise TypeError(f"`{module.__name__}` is a class: make a module of it")
    if not isinstance(module, nn.Module):
        return _MAKERS[object](module, adopt)
    row = row_for(module)
    if row is not None and issubclass(row, EXACT) and getattr(module, "dim", 1) is not None:
        how = built_from if copies else alike
        return how(hand_class(row), row, module, {})
    refuse(module)
    if kind.__module__.startswith("torch.nn."):
        return Tried(copy.deepcopy(module) if copies else module)
    return _MAKERS[nn.Module](copy.deepcopy(module) if copies else module, adopt)


def refuse(module: nn.Module) -> None:
    """Raise `ValueError` for a module of torch.nn that mixes frames of time."""
    kind = kind_of(module)
    why = OVER_TIME.get(kind.__name__)
    known = kind.__module__.startswith("torch.nn.")
    if isinstance(module, nn.modules.lazy.LazyModuleMixin):
        raise ValueError("a lazy module has no sizes yet: call it once on a clip")
    check_parametrised(module)
    if type(module).forward is nn.Module.forward:
        raise ValueError(f"`{kind.__name__}` has no `forward`: use it within a module")
    if known and why is None and isinstance(module, nn.modules.instancenorm._InstanceNorm):
        if module.track_running_stats and module.affine:
            return
        why = "its statistics are those of all frames: give it `track_running_stats=True`"
    if known and isinstance(module, nn.RNNBase) and module.bidirectional:
        why = "it reads the clip from its end, which a stream does not have"
    if known and why is None and _asked_for(module) > 1:
        why = "it takes several inputs: derive what streams them from `co.CoModule`"
    if known and why is not None:
        raise ValueError(f"`{kind.__name__}` cannot be streamed: {why}")


def _asked_for(module: nn.Module) -> int:
    """How many inputs a module cannot do without."""
    given = signature(type(module).forward).parameters.values()
    return sum(each.default is each.empty and each.kind not in VARIADIC for each in given) - 1
