"""Reference packages, where they are installed."""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
import torch

KEPT: list[torch.library.Library] = []
"""What declares operators, for as long as they are to be known."""


@cache
def installed(module: str) -> Any:
    """A module of a reference package; the test is skipped where there is none.

    The wheel of torchvision imports beside a torch of another build once two operators are known.
    """
    for package in (module.partition(".")[0], "torchvision"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return import_module(module)
        except RuntimeError:
            KEPT.append(torch.library.Library("torchvision", "FRAGMENT"))
            KEPT[-1].define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            KEPT[-1].define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            return import_module(module)
