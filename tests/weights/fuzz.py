"""The fuzzer by hand: `python tests/weights/fuzz.py --minutes 10 [--format NumPy] [--start 0]`."""

import argparse
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent.parent)]

from fuzzing import ROWS, Result, fuzz  # noqa: E402


def main() -> int:
    """Each format in turn, by the half minute; 1 where something was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=1.0)
    options.add_argument("--format", choices=[row.format.name for row in ROWS])
    options.add_argument("--start", type=int, default=1_000_000)
    asked = options.parse_args()
    rows = [row for row in ROWS if asked.format in (None, row.format.name)]
    results = {row.format.name: Result() for row in rows}
    starts = dict.fromkeys(results, asked.start)
    end = time.monotonic() + 60 * asked.minutes
    slice_ = min(30.0, 60 * asked.minutes / len(rows))
    while time.monotonic() < end:
        for row in rows:
            done, total = fuzz(row, slice_, starts[row.format.name]), results[row.format.name]
            starts[row.format.name] += sum(done.counts.values())
            total.counts += done.counts
            total.findings += done.findings
            for finding in done.findings:
                print(finding, flush=True)
    for name, result in results.items():
        print(f"{name}: {sum(result.counts.values())} files, {dict(result.counts)}")
    return int(any(result.findings for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
