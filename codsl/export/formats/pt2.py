"""The graph of torch.export, run by torch."""

from collections.abc import Mapping
from pathlib import Path
from warnings import catch_warnings, simplefilter

import torch
from torch import Tensor
from torch.export import ExportedProgram

from codsl.export.formats.format import KEY, Format, Model, by_name
from codsl.export.gathering import gathered
from codsl.export.layout import Layout
from codsl.export.rings import Rings

SAMPLE = """\
import torch

files = {"codsl": ""}
module = torch.export.load(here / "model.pt2", extra_files=files).module()
about = json.loads(files["codsl"])


@torch.inference_mode()
def run(given):
    made = module(*(torch.from_numpy(given[name]) for name in about["given"]))
    return {name: y.numpy() for name, y in zip(about["made"], made)}
"""


def program_of(model: Model) -> ExportedProgram:
    """The graph of a model."""
    with torch.no_grad(), catch_warnings():
        simplefilter("ignore")
        step = model.in_one_graph().step.eval()
        return gathered(
            torch.export.export(step, tuple(model.given), dynamic_shapes=model.shapes())
        )


def _write(model: Model, path: Path) -> None:
    with catch_warnings():
        simplefilter("ignore")
        program = program_of(model)
        program.example_inputs = None  # they would be in the file, all of their zeros
        torch.export.save(program, path, extra_files={KEY: model.about})


def _load(path: Path, layout: Layout, rows: int) -> Rings:
    module = torch.export.load(path).module()

    def run(given: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return by_name(layout, module(*(given[name] for name in layout.given)))

    return Rings(layout, rows, run)


PT2 = Format(
    "pt2",
    "torch.export's graph, for torch without codsl",
    "model.pt2",
    _write,
    _load,
    SAMPLE,
    needs="torch",
)
