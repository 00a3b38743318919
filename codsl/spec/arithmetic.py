"""The operators and the functions of expressions, on numbers that are bounded."""

import math
import operator
from collections.abc import Callable
from math import inf
from typing import Any

LARGEST = 2**53
"""Integers up to here are exact as floats too."""


def round_to(x: float, n: int) -> int:
    """The width rule of MobileNet and X3D: a multiple of `n` near `x`, never below 0.9 of it."""
    rounded = max(n, int(x + n / 2) // n * n)
    return rounded + n if rounded < 0.9 * x else rounded


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > 1024 or (abs(base) > 1 and exponent * math.log2(abs(base)) > 64):
        raise OverflowError
    result: float | complex = base**exponent
    if isinstance(result, complex):
        raise ValueError("a root of a negative number")
    return result


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "int": int,
    "round": round,
    "ceil": math.ceil,
    "floor": math.floor,
    "round_to": round_to,
    "len": len,
}
TAKES = dict.fromkeys(FUNCTIONS, (1, 1)) | {
    "min": (2, inf),
    "max": (2, inf),
    "round": (1, 2),
    "round_to": (2, 2),
}
"""How many arguments each of them takes, at least and at most."""
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": _power,
}
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
