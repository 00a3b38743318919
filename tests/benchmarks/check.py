"""Seconds and memory of checking: `python tests/benchmarks/check.py` prints a table.

Networks of up to ten thousand layers, the command on a network of `networks/`, and the worst of
the bad inputs, each in a process of its own. Processor time, minimum of three.
"""

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
sys.path[:0] = [str(TESTS), str(ROOT)]

from hostile import CASES  # noqa: E402

PROBE = """
import resource, sys, time
sys.path[:0] = {path!r}
import codsl
from effort import flat
from hostile import CASES
for warm in ("yaml", "text"):
    codsl.check(flat(warm, 8))
spec = {spec}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.process_time()
try:
    codsl.check(spec)
except codsl.SpecError:
    pass
spent = time.process_time() - began
print(spent, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def probe(spec: str) -> tuple[float, float]:
    """Seconds and megabytes of checking what the expression `spec` gives."""
    script = PROBE.format(path=sys.path[:2], spec=spec)
    line = [sys.executable, "-c", script]
    runs = [subprocess.run(line, capture_output=True, text=True, check=True) for _ in range(3)]
    figures = [tuple(map(float, run.stdout.split())) for run in runs]
    return min(each[0] for each in figures), max(each[1] for each in figures)


def main() -> None:
    for surface in ("yaml", "text"):
        for layers in (2_500, 5_000, 10_000):
            seconds, megabytes = probe(f"flat({surface!r}, {layers})")
            print(f"{layers:>6} layers, {surface:<5} {seconds:6.2f} s {megabytes:6.0f} MB")
    network = str(ROOT / "networks" / "x3d.yaml")
    seconds, megabytes = probe(repr(network))
    print(f"{'x3d.yaml':<20} {seconds:6.2f} s {megabytes:6.0f} MB")
    figures = {case: probe(f"CASES[{case!r}][1]()") for case in CASES}
    for case, (seconds, megabytes) in sorted(figures.items(), key=lambda item: -item[1][0])[:15]:
        print(f"{case:<32} {seconds:6.2f} s {megabytes:6.0f} MB")


if __name__ == "__main__":
    main()
