"""Modules by hand leave Python as networks of a spec do."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

import codsl.nn as co
from codsl.export.export import export
from harness.contract import randomise

if TYPE_CHECKING:
    from pathlib import Path


COMPILER = shutil.which("g++") or shutil.which("c++")


def by_hand() -> co.Sequential:
    """A network whose frames have been seen, behind which nothing is."""
    torch.manual_seed(0)
    body = co.Sequential(co.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
    net = co.Sequential(
        co.Conv2d(3, 4, (3, 5), padding=(0, 2)),
        co.Residual(body),
        co.AdaptiveAvgPool2d(1, kernel_size=2),
        co.Lambda(lambda x: x.mean(-1)),
        co.LSTM(4, 5),
        co.Conv1d(5, 2, 3, stride=2),
    )
    randomise(net, 1)
    net.eval().forward_step(torch.zeros(1, 3, 6))
    net.reset()
    return net


@pytest.mark.parametrize("to", ["onnx", "pt2", "openvino", "cpp"])
def test_an_export_is_verified(to: str, tmp_path: Path) -> None:
    if to in ("onnx", "openvino"):
        pytest.importorskip("onnxruntime" if to == "onnx" else "openvino", reason="an extra")
    if to == "cpp" and not COMPILER:
        pytest.skip("no C++ compiler is installed")
    made = export(by_hand(), tmp_path / "out", to)
    assert "verified" in str(made)
    assert made.proof.frames > 10
