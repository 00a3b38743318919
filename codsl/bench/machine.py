"""The machine: what it is, how fast it multiplies matrices, and how fast it copies memory."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import torch

from codsl.bench.result import Machine

SHORT = 1 << 22
"""Bytes that are copied at least, so that the call itself is no part of it."""

SIDE = 512
"""Rows and columns of the matrices: large enough for the best rate, small enough for the caches."""

BEAT = 48
"""Rows and columns of those that are multiplied again and again, in some microseconds each."""
TRIES = 200
"""How many of these are made to see how long one takes."""


def here() -> Machine:
    """The machine that this runs on, now."""
    return Machine(
        f"{_processor()} ({torch.backends.cpu.get_cpu_capability()})",
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


class Rates:
    """What the machine does besides, to be called in turns with contenders: a float32 matrix
    product of `flops` operations, and a copy that reads and writes `bytes`, half each, and is
    called `copies` times for one, since it may be short."""

    def __init__(self, size: int) -> None:
        count = max(size // 8, 16)
        self._a, self._b = torch.randn(2, SIDE, SIDE).unbind()
        self._product = torch.empty(SIDE, SIDE)
        self._from, self._to = torch.zeros(count), torch.empty(count)
        self.flops = 2 * SIDE**3
        self.copies = max(1, SHORT // size) if size else 1
        self.bytes = 2 * self._from.nbytes * self.copies

    def multiply(self) -> None:
        """A matrix product."""
        torch.mm(self._a, self._b, out=self._product)

    def copy(self) -> None:
        """Copies of so much memory as a step has to read; what fits into a cache is faster."""
        for _ in range(self.copies):
            self._to.copy_(self._from)


class Beat:
    """The same arithmetic every time, of about so many `seconds`: where that takes longer now and
    then, it is the machine's doing."""

    def __init__(self, seconds: float) -> None:
        self._a, self._b = torch.randn(2, BEAT, BEAT).unbind()
        self._product = torch.empty(BEAT, BEAT)
        self._count = TRIES
        begin = perf_counter()
        self()
        self._count = max(1, round(seconds * TRIES / (perf_counter() - begin)))

    def __call__(self) -> None:
        """So many matrix products."""
        for _ in range(self._count):
            torch.mm(self._a, self._b, out=self._product)
