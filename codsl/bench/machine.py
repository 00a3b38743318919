"""The machine: what it is, how fast it multiplies matrices, and how fast it copies memory."""

import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import torch

from codsl.bench.result import Machine

SIDE = 1024
"""Rows and columns of the matrices: large enough for the best rate, small enough for the caches."""

TRIES = 10
"""How often a rate is measured; the best counts, as of a limit it must."""

LEAST = 2e-3
"""Seconds that a try takes at least, so that the clock's own time is no part of it."""


def here() -> Machine:
    """The machine that this runs on, now."""
    return Machine(
        _processor(),
        os.cpu_count() or 1,
        torch.get_num_threads(),
        f"{platform.system()} {platform.machine()}",
        platform.python_version(),
        torch.__version__,
        datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _processor() -> str:
    """The name of the processor, as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads for what torch computes."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def matrix_rate() -> float:
    """Floating-point operations of a float32 matrix product, a second."""
    a, b = torch.randn(2, SIDE, SIDE).unbind()
    out = torch.empty(SIDE, SIDE)
    return 2 * SIDE**3 / _least(lambda: torch.mm(a, b, out=out))


def copy_rate(size: int) -> float:
    """Bytes read and written a second while `size` bytes of memory are copied, half to half; what
    fits into a cache is faster."""
    half = torch.zeros(max(size // 8, 16)), torch.empty(max(size // 8, 16))
    return 2 * half[0].nbytes / _least(lambda: half[1].copy_(half[0]))


def _least(call: Callable[[], object]) -> float:
    """Seconds of a call, the least of several tries."""
    call()
    begin = perf_counter()
    call()
    repeats = max(1, round(LEAST / max(perf_counter() - begin, 1e-9)))
    return min(_mean(call, repeats) for _ in range(TRIES))


def _mean(call: Callable[[], object], repeats: int) -> float:
    begin = perf_counter()
    for _ in range(repeats):
        call()
    return (perf_counter() - begin) / repeats
