"""Networks of one row: the rows of codsl, their examples, and frames and clips that these take."""

from __future__ import annotations

import pickle
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

import codsl
from codsl.algebra.shape import Frame
from codsl.layers.table import table

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = {name: row for name, row in table().items() if row.__module__.startswith("codsl.layers.")}

POSITIVE = ["exp"]
BEFORE: dict[str, list[Any]] = {
    **dict.fromkeys(("sqrt", "rsqrt", "log", "log2", "log10", "log1p", "pow"), POSITIVE),
    "embedding": ["sigmoid", {"mul": 5}],
}
"""What stands before a row that cannot take all numbers."""


def examples() -> list[tuple[str, dict[str, Any], int]]:
    """Every example of every row, of each number of dimensions that it can have."""
    return [
        (name, dict(example), rank)
        for name, row in ROWS.items()
        for example in row.examples
        for rank in ((row.rank,) if row.rank else (1, 2, 3))
        if _fits(name, example, rank)
    ]


def _fits(name: str, example: Any, rank: int) -> bool:
    """The last dimension of `(B, C, T)` is time, and an order is of so many dimensions."""
    if name == "permute":
        return len(example["dims"]) == rank
    return not (example.get("dim") == -1 and rank == 1)


def frame_of(name: str, rank: int) -> Frame:
    """A frame that every example takes."""
    return Frame(1 if name in ("embedding", "stft") else 4, (6, 6)[: rank - 1])


def plain(value: Any) -> Any:
    """An argument as the YAML form has it."""
    return [plain(each) for each in value] if isinstance(value, tuple) else value


def network(
    name: str, arguments: dict[str, Any], x: Frame, dtype: torch.dtype = torch.float32
) -> Any:
    """A network of one layer, `layer`, fresh under a seed, behind what it needs before it."""
    graph = _graph(name, pickle.dumps((arguments, x)))
    torch.manual_seed(5)
    return codsl.build(graph, dtype=dtype)


@cache
def _graph(name: str, pickled: bytes) -> codsl.Graph:
    """What is checked once, whatever is shown of it."""
    arguments, x = pickle.loads(pickled)
    written = {key: plain(value) for key, value in arguments.items()}
    spec = {
        "codsl": 1,
        "input": [x.channels, "T", *x.space],
        "layers": [*BEFORE.get(name, []), {name: {"name": "layer", **written}}],
    }
    return codsl.check(spec)


def clip(x: Frame, frames: int, dtype: torch.dtype) -> Tensor:
    """A random clip."""
    generator = torch.Generator().manual_seed(frames)
    return torch.randn(2, x.channels, frames, *x.space, generator=generator, dtype=dtype)


def assert_refused(make: Callable[[], Any], code: str, said: str) -> None:
    """One mistake is found, which says this."""
    with pytest.raises(codsl.SpecError) as error:
        make()
    (found,) = error.value.diagnostics
    assert found.code == code
    assert said in str(found)
