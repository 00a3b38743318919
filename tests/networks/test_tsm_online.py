"""Online TSM: the spec, the authors' network going frame by frame, and the published sizes."""

from typing import Any

import torch
from references.tsm import Online
from side_by_side import FOLDER, agree, built, clip, out_of_tune

import codsl

SMALL: dict[str, Any] = {
    "width": 0.4,
    "stem": 16,
    "features": 24,
    "classes": 5,
    "blocks": (
        *((16, 1, 1), (24, 2, 6), (24, 1, 6), (32, 2, 6), (32, 1, 6), (32, 1, 6), (64, 2, 2)),
        *((64, 1, 2), (64, 1, 2), (64, 1, 2), (96, 1, 2), (96, 1, 2), (96, 1, 2), (160, 2, 2)),
        *((160, 1, 2), (160, 1, 2), (320, 1, 2)),
    ),
}


@torch.no_grad()
def test_the_reference_and_the_stream_agree() -> None:
    net, x = Online(**SMALL), clip(2, 3, 24, 32, 32)
    out_of_tune(net, net.classifier, lambda: net(x))
    agree(built("tsm_online", net.state_dict(), size=32, **SMALL), x, net(x))


def test_a_frame_sees_what_the_reference_was_measured_to_see() -> None:
    """Ten blocks shift: output `o` sees frames `o - 10` to `o`."""
    graph = codsl.check(FOLDER / "tsm_online.codsl")
    assert (graph.receptive_field, graph.delay, graph.stride) == (11, 0, 1)


def test_the_sizes_are_those_of_mobilenet_v2() -> None:
    """Sandler et al., 2018: 3.4 M parameters and 300 M multiply-adds; torchvision counts
    3504872 parameters."""
    graph = codsl.check(FOLDER / "tsm_online.codsl", params={"classes": 1000})
    assert graph.parameters == 3_504_872
    assert round(graph.report().to_dict()["total"]["macs"] / 1e7) == 30
