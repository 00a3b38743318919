"""The report of a graph as plain data, and as a plain table."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from fractions import Fraction
from math import isinf
from typing import Any

COLUMNS = ("path", "type", "shape", "params", "stride", "field", "delay", "holds", "MACs", "state")

Bundle = dict[str, str]
"""The looks of a value by kind of content, as notebooks ask for them."""


@dataclass(frozen=True)
class Row:
    """A node. `stride`, `receptive_field`, `past`, `ahead`, `delay`, `fires` and `holds` are in
    input frames, `macs` for one input frame on average, `state_bytes` for one stream in float32.

    `inputs` are the paths of what it reads, or names of the network's inputs. A stream computes it
    `fires` frames after its own, which is `delay` or later, where it waits on the way to a join.
    `outputs` are the network's outputs that it is; a node that is not `live` is never computed.
    """

    path: str
    type: str
    inputs: tuple[str, ...]
    shape: tuple[int | str, ...]
    params: int
    stride: int | Fraction
    receptive_field: float
    past: float
    ahead: int
    delay: int
    fires: int
    holds: tuple[int, ...]
    macs: float
    state_bytes: int
    outputs: tuple[str, ...]
    live: bool


@dataclass(frozen=True)
class Report:
    """All nodes, and the whole. `clip_frames` is the clip that a step is compared with: the least
    whose every layer has an input, and long enough for one whole receptive field."""

    name: str
    nodes: tuple[Row, ...]
    total: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it; an endless receptive field is null."""
        return {
            "name": self.name,
            "nodes": [
                {name: _plain(value) for name, value in row.__dict__.items()} for row in self.nodes
            ],
            "total": _plain(self.total),
        }

    def bundle(self, plain: str, include: Collection[str], exclude: Collection[str]) -> Bundle:
        """What a notebook shows, by kind of content, `plain` beside what `LOOKS` draws."""
        looks: dict[str, Callable[[Report], str]] = {"text/plain": lambda report: plain, **LOOKS}
        return {
            kind: look(self)
            for kind, look in looks.items()
            if kind not in exclude and (not include or kind in include)
        }

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> Bundle:
        return self.bundle(str(self), include or (), exclude or ())

    def to_json(self) -> str:
        """The report as a JSON text."""
        return json.dumps(self.to_dict(), indent=2)

    def cells(self) -> list[tuple[str, ...]]:
        """The table, a row for each node, the columns as in `COLUMNS`."""
        return [
            (
                row.path,
                row.type,
                " x ".join(map(str, row.shape)),
                amount(row.params),
                str(row.stride),
                endless(row.receptive_field),
                str(row.delay),
                " ".join(map(str, row.holds)) if any(row.holds) else "",
                amount(row.macs),
                amount(row.state_bytes, "B"),
            )
            for row in self.nodes
        ]

    def summary(self) -> list[tuple[str, str]]:
        """The totals, as words and figures."""
        total = self.total
        ms = "delay_ms" in total

        def frames(key: str) -> str:
            in_time = (
                f" ({total[f'{key}_ms']:g} ms)" if ms and total[f"{key}_ms"] is not None else ""
            )
            return f"{_frames(total[key])}{in_time}"

        return [
            *_ports("input", total["input"]),
            *_ports("output", total["output"]),
            ("parameters", amount(total["params"])),
            ("receptive field", frames("receptive_field")),
            ("delay", frames("delay")),
            ("stride", frames("stride")),
            ("shortest clip", _frames(total["min_frames"])),
            (
                "MACs",
                f"{amount(total['macs'])} per step, {amount(total['clip_macs'])} per clip of "
                f"{total['clip_frames']}{_ratio(total)}",
            ),
            ("state", f"{amount(total['state_bytes'], 'B')} per stream"),
        ]

    def __str__(self) -> str:
        cells = [COLUMNS, *self.cells()]
        widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]
        lines = [
            "  ".join(
                cell.ljust(width) if column < 3 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        label = max(len(word) for word, _ in self.summary())
        lines += ["", *(f"{word:<{label}}  {figure}" for word, figure in self.summary())]
        return "\n".join(lines)


LOOKS: dict[str, Callable[[Report], str]] = {}
"""How a notebook shows a report, by kind of content; the room that draws fills it in."""


def _plain(value: Any) -> Any:
    """A figure as JSON has it."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Fraction):
        return float(value)
    return None if isinstance(value, float) and isinf(value) else value


def _ports(word: str, shapes: Any) -> list[tuple[str, str]]:
    """The frames that enter or leave, by name where they have names."""
    named = shapes.items() if isinstance(shapes, dict) else [("", shapes)]
    return [(f"{word} {name}".rstrip(), " x ".join(map(str, shape))) for name, shape in named]


def _ratio(total: dict[str, Any]) -> str:
    """How much more work a clip is than in the stream the output that it is for, or the frame whose
    outputs it is for."""
    stride = total["stride"]
    streamed = total["macs"] * max(1, stride)
    word = "an output" if stride >= 1 else "a frame"
    return f", {total['clip_macs'] / streamed:.1f}x {word} streamed" if streamed else ""


def _frames(count: float | Fraction) -> str:
    return "1 frame" if count == 1 else f"{endless(count)} frames"


def endless(value: float | Fraction) -> str:
    """A number of frames, or `inf`."""
    return "inf" if isinf(value) else str(value)


def amount(value: float, unit: str = "") -> str:
    """A figure in three digits: `1.23 M`, `512 B`."""
    if not value:
        return "-"
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if float(f"{value:.3g}") >= factor:
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value:.4g} {unit}".rstrip()
