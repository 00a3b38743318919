"""Between torch's tensors and numpy's arrays, number for number."""

from typing import Any

import ml_dtypes
import numpy as np
import torch

from codsl.weights.entry import Array

VIEWED = {
    torch.bfloat16: (torch.int16, np.dtype(ml_dtypes.bfloat16)),
    torch.float8_e4m3fn: (torch.int8, np.dtype(ml_dtypes.float8_e4m3fn)),
    torch.float8_e4m3fnuz: (torch.int8, np.dtype(ml_dtypes.float8_e4m3fnuz)),
    torch.float8_e5m2: (torch.int8, np.dtype(ml_dtypes.float8_e5m2)),
    torch.float8_e5m2fnuz: (torch.int8, np.dtype(ml_dtypes.float8_e5m2fnuz)),
}
"""The dtypes that numpy has not of its own: what their bits are seen as on the way."""

BESIDES_NUMPY = frozenset(there for _, there in VIEWED.values())
"""Those dtypes, as they are in arrays."""

_BACK = {there: here for here, (_, there) in VIEWED.items()}


def numpy_dtype(dtype: torch.dtype) -> np.dtype[Any]:
    """Numpy's dtype of the same numbers. Raises `TypeError` where it has none."""
    if dtype in VIEWED:
        there: np.dtype[Any] = VIEWED[dtype][1]
        return there
    found: np.dtype[Any] = as_numpy(torch.empty(0, dtype=dtype)).dtype
    return found


def as_numpy(tensor: torch.Tensor) -> Array:
    """The numbers of a tensor on the processor, as an array that shares them."""
    plain = tensor.detach().cpu().resolve_conj().resolve_neg()
    if plain.dtype in VIEWED:
        bits, there = VIEWED[plain.dtype]
        return plain.view(bits).numpy().view(there)
    array: Array = plain.numpy()
    return array


def as_torch(array: Array) -> torch.Tensor:
    """The numbers of an array as a tensor; a copy where torch has no such strides or may not
    write. Raises `TypeError` for what is no number."""
    plain = np.ascontiguousarray(array).reshape(array.shape)
    if not plain.flags.writeable:
        plain = plain.copy()
    if not plain.dtype.isnative:
        plain = plain.astype(plain.dtype.newbyteorder("="))
    if plain.dtype in _BACK:
        return torch.from_numpy(plain.view(f"i{plain.dtype.itemsize}")).view(_BACK[plain.dtype])
    return torch.from_numpy(plain)


def address(held: torch.Tensor | Array) -> int:
    """Where the numbers lie that a tensor or an array shares with its views."""
    if isinstance(held, torch.Tensor):
        return held.untyped_storage().data_ptr()
    while isinstance(held.base, np.ndarray):
        held = held.base
    return int(held.ctypes.data)


def nonfinite(array: Array) -> int:
    """How many numbers are NaN or infinite."""
    if array.dtype.kind in "iub":
        return 0
    return int(array.size - np.count_nonzero(np.isfinite(array)))
