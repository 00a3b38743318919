"""Draws the pictures of the documents anew, beside itself or into the folder that is given."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import codsl
from codsl.report.streams import against, modes

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

TWO = """codsl 1
network two {
  input (4, T)
  first = conv1d(4, 3%s)
  second = conv1d(4, 3%s)
}
"""


def pictures() -> Iterator[tuple[str, str]]:
    """Each picture with the name of its file."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first = re.search(r"^```text\n(codsl 1\n\nnetwork first .*?)^```$", readme, re.DOTALL | re.M)
    if first is None:
        raise LookupError("the README has lost its first network")
    yield "first.svg", codsl.report.svg(codsl.check(first[1]).report())
    padded = codsl.check(TWO % (", padding=1", ", padding=1"))
    yield "modes.svg", modes(padded, frames=9, chunk=3)
    yield "clip_and_stream.svg", against(codsl.check(TWO % ("", "")), outputs=3)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else HERE
    for name, text in pictures():
        (folder / name).write_text(f"{text}\n", encoding="utf-8", newline="\n")
