"""Seconds until a network is there: `python tests/benchmarks/start.py` prints a table.

Each network is checked and built in a process of its own, as often as `--runs` says; the least
counts. The time of importing torch is told apart; that of importing codsl is part of building.
"""

import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROBE = """
import sys, time
sys.path[:0] = [{root!r}, {root!r} + "/tests"]
{setup}
began = time.perf_counter()
import torch
torch.set_num_threads(1)
there = time.perf_counter()
import codsl
net = codsl.build({spec}).eval()
built = time.perf_counter()
print(there - began, built - there, len(net.graph.nodes))
"""
NETWORKS = {
    "x3d m": ("", "{root!r} + '/networks/x3d.codsl', variant='m'"),
    "slowfast r50": ("", "{root!r} + '/networks/slowfast.codsl'"),
    "10,000 layers, text": ("from effort import flat; spec = flat('text', 10_000)", "spec"),
    "10,000 layers, yaml": ("from effort import flat; spec = flat('yaml', 10_000)", "spec"),
}
"""What comes before, and the spec."""


def seconds(name: str) -> list[float]:
    """Seconds of importing torch, seconds of building, and how many layers there are."""
    setup, spec = NETWORKS[name]
    probe = PROBE.format(root=str(ROOT), setup=setup, spec=spec.format(root=str(ROOT)))
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return [float(word) for word in ran.stdout.split()]


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="of each network")
    options = parser.parse_args()
    for name in NETWORKS:
        runs = [seconds(name) for _ in range(options.runs)]
        built, torch = min(each[1] for each in runs), min(each[0] for each in runs)
        layers = round(runs[0][2])
        print(f"{name:<20} {layers:>6} layers {built:6.2f} s, after {torch:.2f} s for torch")


if __name__ == "__main__":
    main()
