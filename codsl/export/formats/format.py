"""What a format is: someone who writes a step to a file, and runs it from there."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from torch import Tensor, nn

from codsl.export.layout import Layout
from codsl.export.phases import BranchedStep, PhasedStep
from codsl.export.rings import Streams

KEY = "codsl"
"""Under which a file has its metadata, as JSON."""


@dataclass(frozen=True)
class Model:
    """A step, with tensors like those that it will be given, and the metadata of its file.

    `batch` is the most rows that it will take, where `dynamic` lets them vary from 1 on; None where
    there is no most.
    """

    step: nn.Module
    given: Sequence[Tensor]
    layout: Layout
    about: str
    dynamic: bool
    batch: int | None

    def shapes(self) -> tuple[tuple[dict[int, object], ...]] | None:
        """Which dimensions may vary, as `torch.export` has it: the first of everything, alike."""
        if not self.dynamic:
            return None
        dim = torch.export.Dim("batch", min=1, max=self.batch)
        return (tuple({0: dim} if x.dim() else {} for x in self.given),)

    def in_one_graph(self) -> "Model":
        """The same with a step that can be traced."""
        if not isinstance(self.step, PhasedStep):
            return self
        with torch.no_grad(), catch_warnings():
            simplefilter("ignore")
            return replace(self, step=BranchedStep(self.step, self.given, self.shapes()))


@dataclass(frozen=True)
class Format:
    """`write` writes a model to a file named `file`, maybe with others beside it, and `load` gives
    so many streams that it runs there. `packages` are those that this needs, as they are imported,
    with the extra of codsl that brings each, and `lacks` says what else is missing here. `most` is
    the most rows of a batch that varies; with 1 none does. Inner images have a multiple of
    `channels`. Some runtimes have no `double` precision.

    `sample` is Python that defines `about`, the metadata, and `run(given)`, on arrays by name,
    without codsl, and `needs` what it needs besides NumPy. `programs` are made of the metadata and
    lie beside it. Where the state of streams is inside, `driving` says how to drive them.
    """

    name: str
    words: str
    file: str
    write: Callable[[Model, Path], None]
    load: Callable[[Path, Layout, int], Streams]
    sample: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    needs: str = ""
    most: int | None = None
    channels: int = 1
    double: bool = True
    lacks: Callable[[], str] = str
    driving: Callable[[dict[str, Any]], Iterator[str]] | None = None
    programs: Mapping[str, Callable[[dict[str, Any]], str]] = field(default_factory=dict)


def by_name(layout: Layout, made: Sequence[Tensor]) -> dict[str, Tensor]:
    """What came out, by its names."""
    return dict(zip(layout.made, made, strict=True))
