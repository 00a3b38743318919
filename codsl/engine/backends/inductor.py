"""Torch's compiler, when a stream begins or ahead of time."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from torch import Tensor

from codsl.engine.backends.backend import Backend
from codsl.engine.backends.shelves import Forms, Shelving
from codsl.engine.listing import Listing, Straight
from codsl.engine.pure import PureStep
from codsl.engine.style import Style

SETTINGS: dict[str, Any] = {"freezing": True}


def _style(batch: int, device: torch.device) -> Style:
    known = batch if device.type == "cpu" else None
    return Style(last=True, batch=known, sums=batch == 1)


def _compiled(
    listing: Listing, given: Sequence[Tensor], precision: torch.dtype | None, forms: Forms
) -> Straight:
    """By `torch.compile`, as one graph."""
    with torch.no_grad(), catch_warnings(), torch._inductor.config.patch(SETTINGS):
        simplefilter("ignore")
        program = torch.export.export(PureStep(listing).eval(), tuple(given))
        step = program.module(check_guards=False)
        run = torch.compile(step.forward, fullgraph=True)
        run(*given)
    lying = [x.stride() for x in given]
    group = listing.grouping()
    return lambda *tensors: group(*run(*map(_strided, tensors, lying)))


def _strided(x: Tensor, strides: tuple[int, ...]) -> Tensor:
    """A tensor as it lay when a graph was made: torch would make it anew for any other strides, be
    they those of a dimension of one, and a package does not look."""
    if x.stride() == strides:
        return x
    return torch.empty_strided(x.shape, strides, dtype=x.dtype, device=x.device).copy_(x)


def _ahead(
    listing: Listing, given: Sequence[Tensor], precision: torch.dtype | None, forms: Forms
) -> Straight:
    """By AOTInductor, whose package is loaded again."""
    with TemporaryDirectory(prefix="codsl-") as folder:
        loader = load(package(PureStep(listing), given, Path(folder) / "step.pt2"))
    lying = [x.stride() for x in given]
    group = listing.grouping()
    return lambda *tensors: group(*loader(list(map(_strided, tensors, lying))))


def package(step: PureStep, given: Sequence[Tensor], path: Path) -> Path:
    """A package of AOTInductor of a step, for tensors of the shapes of these."""
    with torch.no_grad(), catch_warnings():
        simplefilter("ignore")
        program = torch.export.export(step.eval(), tuple(given))
        torch._inductor.aoti_compile_and_package(
            program, package_path=str(path), inductor_configs=SETTINGS
        )
    return path


def load(path: Path) -> Callable[[list[Tensor]], list[Tensor]]:
    """What a package computes, of tensors in order."""
    loaded: Any = torch._inductor.aoti_load_package(str(path))
    run: Callable[[list[Tensor]], list[Tensor]] = loaded.loader.run
    return run


COMPILE = Backend(
    "compile",
    "torch.compile",
    Shelving(_compiled),
    _style,
    precisions=(torch.bfloat16,),
    anywhere=True,
)
AOTI = Backend(
    "aoti",
    "AOTInductor, compiled ahead of time",
    Shelving(_ahead),
    _style,
    precisions=(torch.bfloat16,),
    anywhere=True,
)
