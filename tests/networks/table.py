"""The table of the shipped networks: `python tests/networks/table.py` writes it anew."""

import re
from math import isfinite
from pathlib import Path
from typing import Any

from shipped import FOLDER, NAMES, checked, totals, variants

from codsl.graph.graph import Graph
from codsl.graph.report import endless

TABLE = FOLDER / "README.md"
PROSE = (
    "Each is a file, and a spec by its name: `codsl report codsl:NAME [--variant V]` tells it",
    'layer by layer, `codsl.build("codsl:NAME")` builds it,',
    "and `codsl.load_weights(net, path)` takes checkpoints of the implementation that it is from.",
    "Frames are input frames. MACs are those of one input frame in a stream, and of a clip of one",
    "receptive field, which is what every output costs where a clip is run again and again; where",
    "an output sees all frames so far there is no such clip. State is one stream's in float32.",
)
COLUMNS = (
    "parameters",
    "MACs a frame",
    "MACs a clip",
    "receptive field",
    "delay",
    "stride",
    "state",
)
HEAD = f"""# Networks

{" ".join(PROSE)}

| network | {" | ".join(COLUMNS)} |
| --- | {" | ".join("--:" for _ in COLUMNS)} |
"""


def table() -> str:
    """The page, from the reports."""
    rows = [row for name in NAMES for row in rows_of(name)]
    sources = [f"- `{name}`: {doc(name)}" for name in NAMES]
    return HEAD + "\n".join(rows) + "\n\n" + "\n".join(sources) + "\n"


def rows_of(name: str) -> list[str]:
    """A row for a network, and for each variant that is not the same."""
    seen: dict[str, str] = {}
    for variant in (None, *variants(name)):
        cells = " | ".join(cells_of(checked(name, variant), totals(name, variant)))
        if cells not in seen.values():
            seen[f"{name} {variant or ''}".strip()] = cells
    return [f"| {title} | {cells} |" for title, cells in seen.items()]


def cells_of(graph: Graph, total: dict[str, Any]) -> list[str]:
    field = graph.receptive_field
    clip = total["clip_macs"]
    return [
        f"{total['params']:,}",
        short(total["macs"]),
        short(clip) if isfinite(field) else "",
        endless(field),
        str(total["delay"]),
        str(graph.stride),
        f"{short(total['state_bytes'])}B",
    ]


def short(number: float) -> str:
    """Three digits and a unit."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.3g} "


def doc(name: str) -> str:
    text = (FOLDER / f"{name}.codsl").read_text("utf-8")
    return re.search(r'^doc "(.*)"$', text, re.MULTILINE)[1]  # type: ignore[index]


if __name__ == "__main__":
    Path(TABLE).write_text(table(), "utf-8")
