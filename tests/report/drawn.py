"""Pictures read back: networks to draw, and the texts of a picture with the room they take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import codsl
from codsl.graph.report import Report, Row
from codsl.report.text import MONO, SANS, columns

NETWORKS = Path(__file__).parents[2] / "networks"
SVG = "{http://www.w3.org/2000/svg}"

SMALL = """codsl 1
network small {
  input (3, T, 16, 16) rate 15
  stem = conv3d(8, 3, padding=1)
  block = residual {
    conv1 = conv3d(8, 3, padding=1)
    conv2 = conv3d(8, (3, 1, 1), padding=("causal", 0, 0))
  }
  halve = max_pool3d((2, 1, 1))
  delay(3)
}
"""

TWO = """codsl 1
network two {
  inputs rgb (3, T, 4, 4), flow (2, T, 4, 4)
  outputs scores, far
  near = conv3d(8, 3, padding=1) from rgb
  far = conv3d(8, (5, 3, 3), stride=(2, 1, 1), padding=("causal", 1, 1)) from flow
  half = max_pool3d((2, 1, 1)) from near
  join from half, far
  scores = conv3d(4, 1)
}
"""

LARGE = ("x3d", "slowfast", "i3d", "s3d", "ms_tcn", "wavenet", "cnn_lstm", "seanet_decoder")


@cache
def report_of(name: str) -> Report:
    """The report of a network of this file, or of one that is shipped."""
    here = {"small": SMALL, "two": TWO}
    return codsl.check(here.get(name) or NETWORKS / f"{name}.codsl").report()


def row(path: str, kind: str = "relu", inputs: tuple[str, ...] = ("input",)) -> Row:
    """A layer of a report that nobody checked."""
    holds = (0,) * len(inputs)
    return Row(path, kind, inputs, (1, "T"), 2, 1, 3, 2, 0, 0, 0, holds, 4.0, 8, (), True)


def made_up(name: str, *rows: Row) -> Report:
    """A report that nobody checked."""
    total = {
        "input": [1, "T"], "output": [1, "T"], "params": 2, "stride": 1, "receptive_field": 3,
        "delay": 0, "min_frames": 1, "macs": 4, "clip_frames": 3, "clip_macs": 12, "state_bytes": 8,
    }  # fmt: skip
    return Report(name, rows, total)


@dataclass(frozen=True)
class Box:
    """The room that a text takes, by the widths that the layout reckons with."""

    text: str
    left: float
    right: float
    top: float
    bottom: float

    def meets(self, other: Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def texts(root: ElementTree.Element) -> list[Box]:
    """All texts of a picture."""
    return list(_texts(root, 0.0, 0.0))


def _texts(element: ElementTree.Element, x: float, y: float) -> Iterator[Box]:
    if element.tag == f"{SVG}g" and "transform" in element.attrib:
        inside = element.attrib["transform"].removeprefix("translate(").removesuffix(")")
        right, down = map(float, inside.split(","))
        x, y = x + right, y + down
    if element.tag == f"{SVG}text":
        yield _box(element, x, y)
    for child in element:
        yield from _texts(child, x, y)


def _box(element: ElementTree.Element, x: float, y: float) -> Box:
    text = "".join(element.itertext())
    size = float(element.get("font-size", 12))
    gaps = sum(float(part.get("dx", 0)) for part in element)
    mono = "mono" in element.get("class", "")
    width = columns(text) * size * (MONO if mono else SANS) + gaps
    x += float(element.attrib["x"])
    left = x - width * {"start": 0, "middle": 0.5, "end": 1}[element.get("text-anchor", "start")]
    base = y + float(element.attrib["y"])
    return Box(text, left, left + width, base - 0.75 * size, base + 0.2 * size)


def place(text: str) -> float:
    """A place that is given in per cent."""
    assert text.endswith("%")
    return float(text[:-1])
