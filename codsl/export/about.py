"""What a file says of itself: enough to run it, and to know whence it came."""

import json
from importlib.metadata import PackageNotFoundError, version
from math import isinf
from typing import Any

from codsl.algebra.time import Time
from codsl.export.layout import Layout
from codsl.graph.graph import Graph

FORMAT = 1
"""Of what stands here; another where a driver of this one would go wrong."""


def about(graph: Graph, layout: Layout, batch: tuple[int, int | None]) -> dict[str, Any]:
    """The metadata as plain data; `batch` is how many rows there may be, from and to.

    Raises `ValueError` for parameters of the spec that JSON lacks.
    """
    plain = layout.to_dict()
    for port, outlet in zip(plain["outputs"], graph.outputs, strict=True):
        port.update(_times(graph.times[outlet.value]))
    return {
        "format": FORMAT,
        "codsl": _version(),
        "network": graph.name,
        "spec": graph.written.to_metadata() if graph.written else None,
        "fingerprint": graph.fingerprint.digest,
        "rate": graph.rate,
        "delay": graph.delay,
        "receptive_field": _field(graph.receptive_field),
        "stride": str(graph.stride),
        "batch": batch,
        "given": layout.given,
        "made": layout.made,
        **plain,
    }


def in_json(about: dict[str, Any]) -> str:
    """The metadata as a text without line breaks."""
    return json.dumps(about, ensure_ascii=True)


def _times(time: Time) -> dict[str, Any]:
    return {
        "delay": time.delay,
        "receptive_field": _field(time.receptive_field),
        "stride": str(time.stride),
    }


def _field(field: float) -> int | None:
    """Frames; None where there is no end of them."""
    return None if isinf(field) else int(field)


def _version() -> str:
    try:
        return version("codsl")
    except PackageNotFoundError:
        return "not installed"
