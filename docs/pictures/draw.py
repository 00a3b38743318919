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
    yield "first.svg", codsl.report.svg(_network("README.md", "first").report())
    yield "windows.svg", codsl.report.svg(_network("docs/time.md", "windows").report())
    padded = codsl.check(TWO % (", padding=1", ", padding=1"))
    yield "modes.svg", modes(padded, frames=9, chunk=3)
    halved = codsl.check(TWO % (", stride=2, padding=1", ", padding=1"))
    yield "stride.svg", modes(halved, frames=9, chunk=4)
    yield "clip_and_stream.svg", against(codsl.check(TWO % ("", "")), outputs=3)


def _network(document: str, name: str) -> codsl.Graph:
    """The network of this name that a document shows in the text form."""
    text = (ROOT / document).read_text(encoding="utf-8")
    shown = re.search(rf"^```text\n(codsl 1\n\nnetwork {name} .*?)^```$", text, re.DOTALL | re.M)
    if shown is None:
        raise LookupError(f"{document} has lost its network `{name}`")
    return codsl.check(shown[1])


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else HERE
    for name, text in pictures():
        (folder / name).write_text(f"{text}\n", encoding="utf-8", newline="\n")
