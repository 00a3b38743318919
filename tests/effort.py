"""Work as a number that does not depend on the machine: how many calls Python makes."""

import sys
from collections.abc import Callable
from types import FrameType

ENDLESS = 60
"""Seconds of processor time after which something hangs; no bound on how fast it must be."""


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, in Python and in C, while `work` runs."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def flat(surface: str, layers: int) -> str:
    """A spec of so many layers one after another, a quarter of them joins."""
    if surface == "yaml":
        lines = ["codsl: 1", "input: [8, T, 16, 16]", "layers:"]
        for at in range(layers // 4):
            lines += [
                f"  - conv3d: {{name: c{at}, out_channels: 8, kernel_size: 3, padding: 1}}",
                "  - relu",
                f"  - residual: {{name: r{at}, layers: [silu]}}",
            ]
        return "\n".join(lines) + "\n"
    lines = ["codsl 1", "network n {", "  input (8, T, 16, 16)"]
    for at in range(layers // 4):
        lines += [f"  c{at} = conv3d(8, 3, padding=1)", "  relu", f"  r{at} = residual {{ silu }}"]
    return "\n".join([*lines, "}"]) + "\n"
