"""Operators that make each number of a result of one of each operand."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import pi, sqrt
from typing import Any

from torch import Tensor

from codsl.native.call import Call
from codsl.native.values import Expression, Pending, Unsupported, Value

PLAIN: Mapping[str, str] = {
    "abs": "codsl::absolute({0})",
    "neg": "-{0}",
    "relu": "({0} < 0 ? {T}(0) : {0})",
    "sigmoid": "codsl::sigmoid({T}({0}))",
    "silu": "{0} * codsl::sigmoid({0})",
    "tanh": "codsl::tanh({T}({0}))",
    "exp": "codsl::exp({T}({0}))",
    "expm1": "codsl::expm1({T}({0}))",
    "log": "codsl::log({T}({0}))",
    "log1p": "codsl::log1p({T}({0}))",
    "log2": "std::log2({T}({0}))",
    "log10": "std::log10({T}({0}))",
    "sqrt": "std::sqrt({T}({0}))",
    "rsqrt": "1 / std::sqrt({T}({0}))",
    "reciprocal": "1 / {T}({0})",
    "square": "{0} * {0}",
    "sin": "std::sin({T}({0}))",
    "cos": "std::cos({T}({0}))",
    "erf": "codsl::erf({T}({0}))",
    "floor": "std::floor({0})",
    "ceil": "std::ceil({0})",
    "round": "std::nearbyint({0})",
    "trunc": "std::trunc({0})",
    "sign": "{T}(({0} > 0) - ({0} < 0))",
    "hardswish": "{0} * codsl::clamp({T}({0} + 3), {T}(0), {T}(6)) / 6",
    "hardsigmoid": "codsl::clamp({T}({0} + 3), {T}(0), {T}(6)) / 6",
    "mish": "{0} * codsl::tanh(codsl::softplus({0}))",
    "log_sigmoid": "-codsl::softplus(-{0})",
    "clone": "{0}",
    "alias": "{0}",
    "detach": "{0}",
    "lift_fresh_copy": "{0}",
    "_to_copy": "{T}({0})",
    "to": "{T}({0})",
    "logical_not": "!{0}",
    "bitwise_not": "!{0}",
    "isnan": "std::isnan({0})",
    "isfinite": "std::isfinite({0})",
    "mul": "{0} * {1}",
    "maximum": "codsl::larger({T}({0}), {T}({1}))",
    "minimum": "codsl::smaller({T}({0}), {T}({1}))",
    "eq": "{0} == {1}",
    "ne": "{0} != {1}",
    "lt": "{0} < {1}",
    "le": "{0} <= {1}",
    "gt": "{0} > {1}",
    "ge": "{0} >= {1}",
    "logical_and": "{0} && {1}",
    "logical_or": "{0} || {1}",
    "logical_xor": "!{0} != !{1}",
    "bitwise_and": "{0} & {1}",
    "bitwise_or": "{0} | {1}",
    "remainder": "codsl::remainder({T}({0}), {T}({1}))",
    "atan2": "std::atan2({T}({0}), {T}({1}))",
    "where": "{0} ? {T}({1}) : {T}({2})",
}
"""Operators of tensors alone."""


KINDS = {"dtype", "layout", "device", "pin_memory", "non_blocking", "memory_format"}
"""Arguments that say of what kind a result is, which is known."""


def plain(text: str, call: Call, *operands: Any, **given: Any) -> Value:
    """An operator that is one line."""
    if more := given.keys() - KINDS:
        raise Unsupported(f"`{call.name}` with `{'`, `'.join(sorted(more))}`")
    count = sum(f"{{{number}}}" in text for number in range(len(operands)))
    return call.expression(text, *operands[:count])


def _add(call: Call, x: Any, y: Any, alpha: float = 1) -> Value:
    both = isinstance(x, Pending) and isinstance(y, Pending) and alpha == 1
    if both and (kernel := x.kernel.plus(y.kernel)) is not None:
        summed: Value = replace(x, kernel=kernel)
        return summed
    return call.expression("{0} + {1}", x, y) if alpha == 1 else _scaled(call, x, y, alpha)


def _scaled(call: Call, x: Any, y: Any, alpha: float) -> Value:
    return call.expression("{0} + {2} * {1}", x, y, alpha)


def _sub(call: Call, x: Any, y: Any, alpha: float = 1) -> Value:
    return call.expression("{0} - {1}", x, y) if alpha == 1 else _scaled(call, x, y, -alpha)


def _rsub(call: Call, x: Any, y: Any, alpha: float = 1) -> Value:
    return _sub(call, y, x, alpha)


def _div(call: Call, x: Any, y: Any, rounding_mode: str | None = None) -> Value:
    rounded = {
        None: "{0} / {1}",
        "floor": "std::floor({0} / {1})",
        "trunc": "std::trunc({0} / {1})",
    }
    return call.expression(rounded[rounding_mode].replace("{0}", "{T}({0})"), x, y)


def _addcmul(call: Call, x: Any, y: Any, z: Any, value: float = 1) -> Value:
    return call.expression("{0} + {3} * {1} * {2}", x, y, z, value)


def _addcdiv(call: Call, x: Any, y: Any, z: Any, value: float = 1) -> Value:
    return call.expression("{0} + {3} * {1} / {2}", x, y, z, value)


def _lerp(call: Call, x: Any, y: Any, weight: Any) -> Value:
    return call.expression("{0} + {2} * ({1} - {0})", x, y, weight)


def _clamp(call: Call, x: Any, low: Any = None, high: Any = None) -> Value:
    if low is not None:
        x = call.expression("({0} < {1} ? {T}({1}) : {T}({0}))", x, low)
    return x if high is None else call.expression("({0} > {1} ? {T}({1}) : {T}({0}))", x, high)


def _hardtanh(call: Call, x: Any, low: float = -1, high: float = 1) -> Value:
    return _clamp(call, x, low, high)


def _elu(call: Call, x: Any, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Value:
    below = "{1} * codsl::expm1({3} * {0})"
    return call.expression(
        f"({{0}} > 0 ? {{2}} * {{0}} : {{2}} * {below})", x, alpha, scale, input_scale
    )


def _celu(call: Call, x: Any, alpha: float = 1) -> Value:
    return _elu(call, x, alpha, 1, 1 / alpha)


def _leaky_relu(call: Call, x: Any, slope: Any = 0.01) -> Value:
    return call.expression("({0} > 0 ? {0} : {1} * {0})", x, slope)


def _rrelu(call: Call, x: Any, _: Any, low: float = 1 / 8, high: float = 1 / 3, *__: Any) -> Value:
    return _leaky_relu(call, x, (low + high) / 2)


def _prelu(call: Call, x: Any, weight: Tensor) -> Value:
    sizes = (-1, *(1,) * (len(call.sizes) - 2))
    return _leaky_relu(call, x, call.view(weight.reshape(sizes)))


def _softplus(call: Call, x: Any, beta: float = 1, threshold: float = 20) -> Value:
    soft = "({0} * {1} > {2} ? {0} : codsl::softplus({0} * {1}) / {1})"
    return call.expression(soft, x, beta, threshold)


def _softshrink(call: Call, x: Any, lambd: float = 0.5) -> Value:
    shrunk = "({0} > {1} ? {0} - {1} : {0} < -{1} ? {0} + {1} : {0} * 0)"
    return call.expression(shrunk, x, lambd)


def _hardshrink(call: Call, x: Any, lambd: float = 0.5) -> Value:
    return call.expression("(({0} > {1}) | ({0} < -{1}) ? {0} : {T}(0))", x, lambd)


def _threshold(call: Call, x: Any, threshold: float, value: float) -> Value:
    return call.expression("({0} <= {1} ? {2} : {0})", x, threshold, value)


def _gelu(call: Call, x: Any, approximate: str = "none") -> Value:
    if approximate == "tanh":
        inner = "{0} + {T}(0.044715) * {0} * {0} * {0}"
        return call.expression(f"{{0}} / 2 * (1 + codsl::tanh({{1}} * ({inner})))", x, sqrt(2 / pi))
    return call.expression("{0} / 2 * (1 + codsl::erf({0} * {1}))", x, sqrt(0.5))


def _pow(call: Call, x: Any, y: Any) -> Value:
    known = {2: "{0} * {0}", 3: "{0} * {0} * {0}", 0.5: "std::sqrt({0})", 1: "{0}"}
    if isinstance(y, int | float) and y in known:
        return call.expression(known[y], x)
    return call.expression("std::pow({T}({0}), {T}({1}))", x, y)


def _masked_fill(call: Call, x: Any, mask: Any, value: Any) -> Value:
    return call.expression("{1} ? {T}({2}) : {0}", x, mask, value)


def _filled(call: Call, value: float) -> Expression:
    return call.expression("{T}({0})", value)


POINTWISE: Mapping[str, Callable[..., Any]] = {
    **{name: partial(plain, text) for name, text in PLAIN.items()},
    "add": _add,
    "sub": _sub,
    "rsub": _rsub,
    "div": _div,
    "addcmul": _addcmul,
    "addcdiv": _addcdiv,
    "lerp": _lerp,
    "clamp": _clamp,
    "clamp_min": _clamp,
    "clamp_max": lambda call, x, high: _clamp(call, x, None, high),
    "hardtanh": _hardtanh,
    "relu6": lambda call, x: _clamp(call, x, 0, 6),
    "elu": _elu,
    "celu": _celu,
    "selu": lambda call, x: _elu(call, x, 1.6732632423543772, 1.0507009873554805),
    "leaky_relu": _leaky_relu,
    "rrelu_with_noise": _rrelu,
    "prelu": _prelu,
    "_prelu_kernel": _leaky_relu,
    "softplus": _softplus,
    "softshrink": _softshrink,
    "hardshrink": _hardshrink,
    "log_sigmoid_forward": lambda call, x: [call.expression(PLAIN["log_sigmoid"], x), None],
    "threshold": _threshold,
    "gelu": _gelu,
    "pow": _pow,
    "masked_fill": _masked_fill,
    "zeros_like": lambda call, *_, **__: _filled(call, 0),
    "ones_like": lambda call, *_, **__: _filled(call, 1),
    "full_like": lambda call, _, value, **__: _filled(call, value),
    **dict.fromkeys(
        ["new_empty", "empty_like", "empty", "zeros", "new_empty_strided"],
        lambda call, *_, **__: _filled(call, 0),
    ),
    "new_zeros": lambda call, *_, **__: _filled(call, 0),
    "new_ones": lambda call, *_, **__: _filled(call, 1),
    "new_full": lambda call, _, __, value, **___: _filled(call, value),
}
