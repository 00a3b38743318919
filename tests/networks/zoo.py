"""Cases made by running reference implementations, where a folder of them is at hand.

`CODSL_ZOO` names the folder; a case in it is `weights.safetensors` under the reference's own keys,
`case.npz` with `input` and `output` (and `tap`, `stream_output`, ...), and `meta.json`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

VARIABLE = "CODSL_ZOO"


@dataclass(frozen=True)
class Case:
    """A reference's weights, its input, and what it gave, in float64."""

    weights: Path
    tensors: dict[str, Tensor]
    meta: dict[str, Any]

    @property
    def input(self) -> Tensor:
        return self.tensors["input"]

    @property
    def output(self) -> Tensor:
        return self.tensors["output"]


def case(name: str) -> Case:
    """A case by name; the test is skipped where there is no such folder."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"${VARIABLE} names no folder of reference cases")
    path = Path(folder) / name
    with np.load(path / "case.npz") as found:
        tensors = {key: torch.from_numpy(found[key]) for key in found.files}
    doubles = {
        key: each.double() if each.is_floating_point() else each for key, each in tensors.items()
    }
    return Case(path / "weights.safetensors", doubles, json.loads((path / "meta.json").read_text()))
