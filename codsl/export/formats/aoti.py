"""A package of AOTInductor: machine code, run by torch or its C++ library."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from torch import Tensor

from codsl.engine.backends.inductor import SETTINGS
from codsl.export.formats.format import KEY, Format, Model, by_name
from codsl.export.formats.pt2 import program_of
from codsl.export.layout import Layout
from codsl.export.rings import Rings

MOST = 64
"""Rows that the code is made for; it does not look whether there are more."""

SAMPLE = """\
import torch

module = torch._inductor.aoti_load_package(str(here / "model.pt2"))
about = json.loads(module.get_metadata()["codsl"])


def run(given):
    made = module(*(torch.from_numpy(given[name]) for name in about["given"]))
    return {name: y.numpy() for name, y in zip(about["made"], made)}
"""


def _write(model: Model, path: Path) -> None:
    settings = {**SETTINGS, "aot_inductor.metadata": {KEY: model.about}}
    with torch.no_grad(), catch_warnings():
        simplefilter("ignore")
        torch._inductor.aoti_compile_and_package(
            program_of(model), package_path=str(path), inductor_configs=settings
        )


def _load(path: Path, layout: Layout, rows: int) -> Rings:
    module: Any = torch._inductor.aoti_load_package(str(path))

    def run(given: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return by_name(layout, module(*(given[name] for name in layout.given)))

    return Rings(layout, rows, run)


AOTI = Format(
    "aoti",
    "machine code by AOTInductor, for torch or its C++ library",
    "model.pt2",
    _write,
    _load,
    SAMPLE,
    needs="torch",
    most=MOST,
)
