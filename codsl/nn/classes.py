"""The layers of the table as classes to be used by hand, with torch's own signatures."""

import copy
from collections.abc import Mapping
from functools import cache
from inspect import Parameter, Signature, signature
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from codsl.algebra.shape import Frame
from codsl.algebra.time import Time
from codsl.layers.fit import INFERRED
from codsl.layers.learned import Learned
from codsl.layers.pooling import MaxPool
from codsl.layers.row import Argument, arguments, make
from codsl.layers.row import Layer as Row
from codsl.layers.space_padding import SpacePad
from codsl.layers.table import table
from codsl.nn.layer import Layer, create, layer_class, paddings, strides
from codsl.nn.older import word_of
from codsl.nn.parametrised import kind_of, parametrise_alike
from codsl.nn.typed import KNOWN, type_of

IGNORED = {
    "inplace": None,
    "return_indices": False,
    "batch_first": None,
    "bidirectional": False,
    "recompute_scale_factor": None,
}
"""Arguments of torch that change nothing here, and the only value that they can have."""
TORCH_NAMES = {"RmsNorm": "RMSNorm"}
"""Rows that torch.nn has under another name."""
VARIADIC = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
SIZE = 64
"""Any size of space: where a layer is made, its frames are not known."""


@cache
def hand_class(row: type[Row]) -> type[Layer]:
    """The class of a row: `co.Conv3d(3, 8, 3)`. Its arguments are torch's, then the row's own."""
    made: Any = layer_class(row.__name__)
    known = _signature(row)
    own = [name for name in known.parameters if name in _extra(row)]

    def fill(self: Layer, *args: Any, **kwargs: Any) -> None:
        try:
            given = known.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"{row.__name__}{known}: {error}") from None
        _fill(self, row, given)

    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> Layer:
        """A copy of a module of torch.nn as a continual one; what torch lacks can be given."""
        return built_from(made, row, module, {**dict(zip(own, args, strict=False)), **kwargs})

    made.__init__ = fill
    made.build_from = staticmethod(build_from)
    made.__signature__ = known
    made.__doc__ = row.__doc__
    return made  # type: ignore[no-any-return]


def torch_class(row: type[Row]) -> type[nn.Module] | None:
    """The class of torch.nn of a row's name, or None where there is none."""
    found = getattr(nn, TORCH_NAMES.get(row.__name__, row.__name__), None)
    return found if isinstance(found, type) else None


def _signature(row: type[Row]) -> Signature:
    """Torch's arguments in torch's order, then what the row has besides. Those that mean nothing
    here can only be what they are where they are left out."""
    typed = {each.name: each for each in arguments(row)}
    meant = _meant(row)
    torchs = [
        each
        for each in _of_torch(row).values()
        if each.name in meant or each.default is not Parameter.empty
    ]
    names = {each.name for each in torchs}
    known = [_as_read(each, typed.get(each.name), row.rank) for each in torchs]
    own = [each for each in arguments(row) if each.name not in names]
    own.sort(key=lambda each: (each.name not in INFERRED, not each.required))
    known += [_parameter(each, names, row.rank) for each in own]
    told = [each.default is Parameter.empty for each in known]
    first = told.index(False) if False in told else len(known)
    known = [
        each.replace(kind=Parameter.KEYWORD_ONLY)
        if at > first and each.default is Parameter.empty
        else each
        for at, each in enumerate(known)
    ]
    known.sort(key=lambda each: each.kind is Parameter.KEYWORD_ONLY)
    if issubclass(row, Learned):
        known.append(_other("shape", Parameter.POSITIONAL_OR_KEYWORD))
    known += [
        _other(name, Parameter.KEYWORD_ONLY)
        for name in ("device", "dtype")
        if name not in {each.name for each in known}
    ]
    return Signature(known)


def _as_read(parameter: Parameter, argument: Argument | None, rank: int) -> Parameter:
    """A parameter of torch as the row reads it: its type, and what it is if left out."""
    if argument is None or argument.name == "dtype":
        annotation = KNOWN.get(parameter.name, int if parameter.name in INFERRED else Any)
        return parameter.replace(annotation=annotation)
    annotation = _type(argument, rank)
    if parameter.default is Parameter.empty:
        return parameter.replace(annotation=annotation)
    if argument.required:
        return parameter.replace(annotation=annotation | None)
    return parameter.replace(annotation=annotation, default=argument.default)


def _type(argument: Argument, rank: int) -> Any:
    return int if argument.name in INFERRED else type_of(argument.kind, rank)


def _other(name: str, kind: Any) -> Parameter:
    """A parameter that is no argument of the row, None if left out."""
    return Parameter(name, kind, default=None, annotation=KNOWN[name])


def _parameter(argument: Argument, names: set[str], rank: int) -> Parameter:
    """An argument that torch does not have. Where `temporal_fill` is left out it follows
    `padding_mode`, which is `zeros` if that is left out too."""
    told = argument.required or argument.name in INFERRED
    fills = argument.name == "temporal_fill" and "padding_mode" in names
    default = "zeros" if fills else argument.default
    return Parameter(
        argument.name,
        Parameter.POSITIONAL_OR_KEYWORD,
        default=Parameter.empty if told else default,
        annotation=_type(argument, rank),
    )


def _meant(row: type[Row]) -> set[str]:
    """The names of arguments that mean something to a row."""
    return {*(each.name for each in arguments(row)), *INFERRED, *IGNORED, "device", "dtype"}


def _fixed(row: type[Row]) -> dict[str, Any]:
    """The arguments of torch that can have one value only, and that value."""
    idle = {name: each.default for name, each in _of_torch(row).items() if name not in _meant(row)}
    return idle | {name: only for name, only in IGNORED.items() if only is not None}


def _of_torch(row: type[Row]) -> dict[str, Parameter]:
    """The arguments of torch's class of that name."""
    holder = torch_class(row)
    given = signature(holder).parameters if holder is not None else {}
    return {name: each for name, each in given.items() if each.kind not in VARIADIC}


def _extra(row: type[Row]) -> set[str]:
    """The arguments of a row that torch's class does not have."""
    return {each.name for each in arguments(row)} - set(_of_torch(row))


def _fill(self: Layer, row: type[Row], given: Mapping[str, Any]) -> None:
    """Make a layer of its arguments; raises `ValueError` where one does not fit."""
    _check_fixed(row, given)
    operation = row_of(row, given)
    recipe = operation.recipe(_frame(row, given))
    made = create(type(self), recipe, given.get("device"), given.get("dtype"))
    self.__dict__.update(made.__dict__)
    self.__class__ = made.__class__
    settle(self, operation)


def _check_fixed(row: type[Row], given: Mapping[str, Any]) -> None:
    for name, only in _fixed(row).items():
        if not (given.get(name, only) is only or given[name] == only):
            raise ValueError(f"`{name}` of `{row.__name__}` can only be {only} in a stream")


def _frame(row: type[Row], given: Mapping[str, Any]) -> Frame:
    """A frame of as many channels as are told, of any size where the row does not ask for it.

    Raises `ValueError` where it asks for one and is not told.
    """
    told = given.get("normalized_shape", given.get("shape"))
    if told is not None:
        channels, *space = (told,) if isinstance(told, int) else tuple(told)
        return Frame(channels, tuple(space))
    if isinstance(given.get("sizes"), tuple | list):
        return Frame(prod(size for size in given["sizes"] if size > 0))
    if issubclass(row, Learned) and given.get("each", row.each) != "frame":
        raise ValueError(
            f"`{row.__name__}` for each {given.get('each', row.each)} needs `shape`, "
            "that of a frame: (C, *S)"
        )
    channels = next((given[name] for name in INFERRED if given.get(name) is not None), 1)
    return Frame(channels, (SIZE,) * ((row.rank or 1) - 1))


def settle(self: Layer, operation: Row) -> None:
    """Give a module its operation, and the numbers that follow from it."""
    self.operation = operation
    self.path = ""
    axes = (operation.time(), *_space(operation))
    self.__dict__.update(stride=strides(axes), padding=paddings(axes))


def _space(operation: Row) -> tuple[Time, ...]:
    rank = operation.rank or 1
    return operation.space(Frame(1, (SIZE,) * (rank - 1)))


def row_of(row: type[Row], given: Mapping[str, Any]) -> Row:
    """The row of arguments as Python has them."""
    known = {each.name for each in arguments(row)}
    values = {
        name: _plain(value) for name, value in given.items() if name in known and name != "dtype"
    }
    if values.get("temporal_fill") == "neg_inf" and issubclass(row, MaxPool):
        del values["temporal_fill"]
    if values.get("padding") == "valid":
        values["padding"] = 0
    told = values.get("normalized_shape")
    if isinstance(told, tuple) and len(told) > 1:
        values.setdefault("over", "frame")
    if issubclass(row, SpacePad):
        values["padding"] = _by_dimension(values.get("padding"), row.rank or 0)
    return make(row, values)


def _by_dimension(padding: Any, rank: int) -> Any:
    """Padding of space with time first; torch has the numbers of the last dimension first."""
    numbers = isinstance(padding, tuple) and all(isinstance(each, int) for each in padding)
    if not numbers or len(padding) != 2 * rank:
        return padding
    return tuple(padding[at : at + 2] for at in range(2 * rank - 2, -1, -2))


def _plain(value: Any) -> Any:
    """An argument as rows read it: sequences and tensors are tuples, what has a word is one."""
    value = word_of(value.tolist() if isinstance(value, Tensor) else value)
    if callable(value):
        return _word(value)
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


def _word(activation: Any) -> str:
    """The word for an activation, or its name in angles where there is none."""
    exact = isinstance(activation, nn.GELU) and activation.approximate == "none"
    if activation is functional.gelu or exact:
        return "gelu"
    if activation in (functional.relu, torch.relu) or isinstance(activation, nn.ReLU):
        return "relu"
    return f"<{getattr(activation, '__name__', type(activation).__name__)}>"


def built_from(
    made: type[Layer], row: type[Row], module: nn.Module, extra: Mapping[str, Any]
) -> Layer:
    """A copy of a module as a continual one, with its mode, dtype and device."""
    twin = alike(made, row, module, extra)
    for name, parameter in twin._parameters.items():
        if parameter is not None:
            own = nn.Parameter(parameter.detach().clone(), parameter.requires_grad)
            twin._parameters[name] = own
    for name, buffer in twin._buffers.items():
        if buffer is not None:
            twin._buffers[name] = buffer.detach().clone()
    twin._modules = {name: copy.deepcopy(part) for name, part in twin._modules.items()}
    return twin


def alike(made: type[Layer], row: type[Row], module: nn.Module, extra: Mapping[str, Any]) -> Layer:
    """A continual module with the tensors of `module` itself: neither is a copy.

    Raises `ValueError` where it has an argument that no stream has.
    """
    _check_fixed(row, _kept(module))
    given = _arguments_of(row, module)
    operation = row_of(row, {**given, **extra})
    twin = made.__new__(made)
    twin.__dict__.update({name: _shallow(value) for name, value in module.__dict__.items()})
    if "inplace" in twin.__dict__:
        twin.__dict__["inplace"] = False
    parametrise_alike(twin)
    settle(twin, operation)
    return twin


def _arguments_of(row: type[Row], module: nn.Module) -> dict[str, Any]:
    """The arguments of a row, as a module of torch.nn keeps them."""
    if isinstance(module, nn.TransformerEncoderLayer):
        return _of_encoder(module)
    given = {
        each.name: getattr(module, each.name)
        for each in arguments(row)
        if hasattr(module, each.name)
    }
    if isinstance(module, nn.MultiheadAttention):
        given["bias"] = module.in_proj_bias
    if given.get("align_corners", False) is None:
        del given["align_corners"]
    if isinstance(given.get("bias"), Tensor | None) and "bias" in given:
        given["bias"] = given["bias"] is not None
    if "scale_factor" in given:
        given["scale_factor"] = _whole(given["scale_factor"])
    return given


def _kept(module: nn.Module) -> dict[str, Any]:
    """What torch keeps of the arguments of a module, but for its tensors."""
    kept = dict(vars(module))
    if isinstance(module, nn.MultiheadAttention):
        kept["add_bias_kv"] = module.bias_k is not None
        for name in ("kdim", "vdim"):
            kept[name] = None if kept[name] == module.embed_dim else kept[name]
    return kept


def _of_encoder(module: nn.TransformerEncoderLayer) -> dict[str, Any]:
    """The arguments of an encoder's layer, which torch keeps in its parts."""
    return {
        "d_model": module.self_attn.embed_dim,
        "nhead": module.self_attn.num_heads,
        "dim_feedforward": module.linear1.out_features,
        "dropout": module.dropout.p,
        "activation": module.activation,
        "layer_norm_eps": module.norm1.eps,
        "norm_first": module.norm_first,
        "bias": module.linear1.bias is not None,
    }


def _whole(value: Any) -> Any:
    """Factors, which torch keeps as floats; those that are whole are integers."""
    if isinstance(value, tuple):
        return tuple(map(_whole, value))
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _shallow(value: Any) -> Any:
    return value.copy() if isinstance(value, dict) else value


def row_for(module: nn.Module) -> type[Row] | None:
    """The row of a module of torch.nn, or None where there is none."""
    found = (row for row in table().values() if torch_class(row) is kind_of(module))
    return next(found, None)
