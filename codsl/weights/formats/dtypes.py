"""The dtypes that tensors of files may have, by the names that most formats give them."""

from typing import Any, TypeAlias

import ml_dtypes
import numpy as np

DType: TypeAlias = np.dtype[Any]

PLAIN = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)
NARROW = (
    *("bfloat16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e4m3b11fnuz"),
    *("float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"),
)
DTYPES: dict[str, DType] = {
    **{name: np.dtype(name) for name in PLAIN},
    **{name: np.dtype(getattr(ml_dtypes, name)) for name in NARROW},
}
"""Those of which one number takes one byte or more, and means the same on every machine."""
