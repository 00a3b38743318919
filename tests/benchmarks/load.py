"""Seconds and memory of loading weights: `python tests/benchmarks/load.py` prints a table.

A network of many layers is filled from a safetensors file and from a file of torch, each as often
as `--runs` says and in a process of its own, by codsl and by the libraries themselves, which read
a file whole before `load_state_dict` copies it. `--size` is that of a file in megabytes. Memory is
the peak of the resident set above that of the built network: pages of a file that is mapped into
memory count. The least of the seconds is told, and the most of the memory. The files have been
read before, and lie in the system's cache as far as that has room.
"""

import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]

WIDTH, KERNEL = 256, 3
NUMBERS = WIDTH * WIDTH * KERNEL + WIDTH

SETUP = """
import resource, sys, time
sys.path.insert(0, {root!r})
import safetensors.torch, torch
import codsl
torch.manual_seed(0)
net = codsl.build("codsl 1\\nnetwork n {{ input ({width}, T) "
                  "conv[i in 1..{layers}] = conv1d({width}, {kernel}) }}\\n")
"""
WRITE = """
codsl.save_weights(net, {folder!r} + "/weights.safetensors")
torch.save(net.state_dict(), {folder!r} + "/weights.pt")
"""
PROBE = """
def memory(word):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(word)) / 1024

before = memory("VmRSS")
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
began = time.perf_counter()
{load}
seconds = time.perf_counter() - began
print(seconds, memory("VmHWM") - before, before)
"""
WAYS = {
    "codsl.load_weights(.safetensors)": (
        "codsl.load_weights(net, {folder!r} + '/weights.safetensors')"
    ),
    "safetensors.load_file + load_state_dict": (
        "net.load_state_dict(safetensors.torch.load_file({folder!r} + '/weights.safetensors'))"
    ),
    "codsl.load_weights(.pt)": "codsl.load_weights(net, {folder!r} + '/weights.pt')",
    "torch.load + load_state_dict": (
        "net.load_state_dict(torch.load({folder!r} + '/weights.pt', weights_only=True))"
    ),
}
"""What is compared, and how."""


def run(script: str) -> str:
    """What a script prints, in a process of its own."""
    line = [sys.executable, "-c", script]
    return subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> None:
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=1000, metavar="MB", help="of a file")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="of each way")
    options = parser.parse_args()
    layers = max(1, options.size * 1_000_000 // (4 * NUMBERS))
    setup = SETUP.format(root=str(ROOT), width=WIDTH, kernel=KERNEL, layers=layers)
    with TemporaryDirectory() as folder:
        run(setup + WRITE.format(folder=folder))
        size = Path(folder, "weights.safetensors").stat().st_size
        print(f"{2 * layers} tensors, {size / 1e6:.0f} MB")
        figures: dict[str, list[list[float]]] = {way: [] for way in WAYS}
        for _ in range(options.runs):
            for way, load in WAYS.items():
                probe = PROBE.format(load=load.format(folder=folder))
                figures[way].append([float(each) for each in run(setup + probe).split()])
        for way, runs in figures.items():
            seconds, peak = min(each[0] for each in runs), max(each[1] for each in runs)
            print(f"{way:<40} {seconds:6.2f} s {peak:6.0f} MiB above {runs[0][2]:.0f} MiB")


if __name__ == "__main__":
    main()
