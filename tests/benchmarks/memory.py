"""Memory of a long stream: `python tests/benchmarks/memory.py` prints a table.

A small network takes 100,000 steps by itself and by each backend, each in a process of its own.
Told is how much the resident set has grown since the stream was under way: pages that are taken
once and kept do not count as growth, so it is looked at after the first tenth and at the end.
"""

import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from codsl.bench.pick import every  # noqa: E402

PROBE = """
import sys
sys.path.insert(0, {root!r})
import torch, codsl
torch.set_num_threads(1)
torch.manual_seed(0)
net = codsl.build("codsl 1\\nnetwork n {{ input (8, T) residual {{ a = conv1d(8, 3, padding=1) "
                  "batch_norm1d relu }} b = conv1d(4, 3, stride=2) }}").eval()
step = net.forward_step if {backend!r} == "plain" else net.compile_step({backend!r})
frame = torch.randn(1, 8)

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

with torch.inference_mode():
    for count in ({steps} // 10, {steps} - {steps} // 10):
        for _ in range(count):
            step(frame)
        print(resident())
"""


def growth(backend: str, steps: int) -> list[int]:
    """Kilobytes after the first tenth and at the end."""
    probe = PROBE.format(root=str(ROOT), backend=backend, steps=steps)
    ran = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return [int(line) for line in ran.stdout.split()]


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--backends", nargs="*", default=["plain", *map(str, every())])
    options = parser.parse_args()
    print(f"{options.steps} steps")
    for backend in options.backends:
        try:
            first, last = growth(backend, options.steps)
        except subprocess.CalledProcessError as error:
            print(f"{backend:<12} {error.stderr.strip().splitlines()[-1]}")
            continue
        print(f"{backend:<12} {last / 1024:8.1f} MiB, grown by {last - first} KiB")


if __name__ == "__main__":
    main()
