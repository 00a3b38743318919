"""Milliseconds of a step: `python tests/benchmarks/step.py` prints a table.

The network's own `forward_step` and the fast step take turns, on one thread, over streams that are
beyond their beginning; medians are told, and their ratio. `--steps` says how many are measured,
`--size` the height and width of the frames of X3D-S.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

import codsl  # noqa: E402

NETWORKS = ROOT / "networks"


def cases(size: int) -> dict[str, tuple[Any, int]]:
    """Networks, and the batch of their streams."""
    tcn = {"features": 64, "channels": (64,) * 8, "kernel": 3}
    x3d = {"size": size, "window": 13}
    return {
        "TCN 8x64": (codsl.build(NETWORKS / "tcn.codsl", params=tcn), 1),
        "TCN 8x64, 16 streams": (codsl.build(NETWORKS / "tcn.codsl", params=tcn), 16),
        f"X3D-S {size}": (codsl.build(NETWORKS / "x3d.codsl", params=x3d), 1),
    }


def seconds(step: Callable[[Any], Any], frame: torch.Tensor) -> float:
    """How long one step takes."""
    begin = perf_counter()
    step(frame)
    return perf_counter() - begin


def measured(net: Any, batch: int, steps: int) -> tuple[float, float]:
    """The medians of the network's step and of the fast one."""
    net.eval()
    fast = net.compile_step()
    frame = torch.randn(batch, *net.graph.input.shape)
    chunk = frame.unsqueeze(2).repeat_interleave(net.graph.cycle.start + 1, 2)
    net.forward_steps(chunk)
    fast.set_state(net.get_state())
    pairs = [(seconds(net.forward_step, frame), seconds(fast, frame)) for _ in range(steps + 5)]
    plain, quick = (median(each) for each in zip(*pairs[5:], strict=True))
    return plain, quick


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--size", type=int, default=160)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'network':<24}{'plain':>10}{'fast':>10}{'ratio':>8}")
    with torch.inference_mode():
        for name, (net, batch) in cases(options.size).items():
            plain, fast = measured(net, batch, options.steps)
            print(f"{name:<24}{1e3 * plain:>8.3f}ms{1e3 * fast:>8.3f}ms{plain / fast:>8.2f}")


if __name__ == "__main__":
    main()
