"""Tensors are written to one by one, and are what they were where that does not come to its end."""

import io
from collections.abc import Callable, Sequence
from contextlib import suppress
from tempfile import TemporaryFile, gettempdir
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from codsl.weights.numbers import as_numpy, as_torch, numpy_dtype
from codsl.weights.refusal import refusal

IN_MEMORY = 64 * 1024 * 1024
"""Bytes of old numbers that are kept in memory; more are kept in a temporary file."""

Written = Sequence[tuple[Tensor, Callable[[], Tensor]]]
"""Tensors, and what reads their new numbers."""


@torch.no_grad()
def overwrite(written: Written) -> None:
    """Copy to every tensor what is read for it, one in memory at a time.

    Whatever is raised meanwhile, by a file that changed or by Ctrl-C, every tensor is as before:
    the old numbers are kept until the last new one is there.
    """
    with _kept(sum(tensor.nbytes for tensor, _ in written)) as kept:
        places: list[tuple[Tensor, int]] = []
        try:
            for tensor, read in written:
                value = read()
                places.append((tensor, kept.tell()))
                _keep(tensor, kept)
                tensor.copy_(value)
        except BaseException:
            for tensor, start in reversed(places):
                kept.seek(start)
                with suppress(RuntimeError):  # torch's, for what it could not write to before
                    _restore(tensor, kept)
            raise


def _kept(size: int) -> BinaryIO:
    try:
        return io.BytesIO() if size <= IN_MEMORY else TemporaryFile()
    except OSError:
        return io.BytesIO()


def _keep(tensor: Tensor, kept: BinaryIO) -> None:
    try:
        kept.write(np.ascontiguousarray(as_numpy(tensor)).reshape(-1).view(np.uint8).data)
        kept.flush()
    except OSError as error:
        message = f"there is no room in `{gettempdir()}` for the way back from a load"
        help = "another folder is said by the environment variable `TMPDIR`"
        raise refusal("E0603", message, (str(error.strerror),), (help,)) from None


def _restore(tensor: Tensor, kept: BinaryIO) -> None:
    data = kept.read(tensor.nbytes)
    if len(data) == tensor.nbytes:
        array = np.frombuffer(data, numpy_dtype(tensor.dtype))
        tensor.copy_(as_torch(array.reshape(tuple(tensor.shape))))
