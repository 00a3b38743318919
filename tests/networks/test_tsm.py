"""TSM: the spec, the reference's formulas, and the published sizes."""

from typing import Any

import pytest
import torch
from references.tsm import TSM
from side_by_side import FOLDER, agree, built, clip, out_of_tune

import codsl


@torch.no_grad()
@pytest.mark.parametrize("bottleneck", [False, True])
def test_the_reference_and_the_stream_agree(bottleneck: bool) -> None:
    sizes: dict[str, Any] = {
        "depths": (2, 1, 2, 1),
        "bottleneck": bottleneck,
        "width": 8,
        "classes": 5,
        "segments": 4,
    }
    net, x = TSM(**sizes), clip(2, 3, 23, 32, 32)
    out_of_tune(net, net.new_fc, lambda: net(x))
    agree(built("tsm", net.state_dict(), size=32, **sizes), x, net(x))


def test_a_frame_sees_what_the_reference_was_measured_to_see() -> None:
    """Of ResNet-18, with 8 blocks, output `o` sees frames `o - 8` to `o + 8`, before the mean of
    all segments."""
    graph = codsl.check(FOLDER / "tsm.codsl", variant="r18")
    rows = {row.path: row for row in graph.report().nodes}
    assert (rows["classify"].receptive_field, rows["classify"].delay) == (17, 8)
    assert graph.parameters + 600 * 513 == 11_689_512, "torchvision's, of 1000 classes"


def test_the_sizes_are_the_published_ones() -> None:
    """Lin et al., 2019: ResNet-50 on Kinetics, 24.3 M parameters, 33 G for 8 frames."""
    graph = codsl.check(FOLDER / "tsm.codsl", variant="r50")
    assert round(graph.parameters / 1e6, 1) == 24.3
    assert round(8 * graph.report().to_dict()["total"]["macs"] / 1e9) == 33
