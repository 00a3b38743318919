"""DS-CNN: the spec, the reference's formulas under Keras's names, and the published sizes."""

import pytest
import torch
from references.ds_cnn import DSCNN
from side_by_side import FOLDER, agree, built, clip, out_of_tune

import codsl

SIZES = {"channels": 12, "window": 7, "classes": 5}


@torch.no_grad()
def test_the_reference_and_the_stream_agree() -> None:
    net, x = DSCNN(**SIZES), clip(2, 1, 61, 10)
    out_of_tune(net, net.dense, lambda: net(x))
    agree(built("ds_cnn", net.as_keras(), **SIZES), x, net(x))


def test_small_is_that_of_mlperf_tiny() -> None:
    """Banbury et al., 2021: its Keras model has 24908 numbers, 23756 of them trained; a clip is of
    49 frames, in 25 items."""
    graph = codsl.check(FOLDER / "ds_cnn.codsl", variant="s")
    assert graph.parameters == 23_756
    assert graph.parameters + 9 * 2 * 64 == 24_908
    # item 0 of the stem sees frames -4 to 5; four blocks reach 2 frames each, the pool 24 items
    assert (graph.stride, graph.delay, graph.receptive_field) == (2, 5 + 8 + 48, 10 + 16 + 48)


@pytest.mark.parametrize(("variant", "millions"), [("s", 5.4), ("m", 19.8), ("l", 56.9)])
def test_a_second_costs_what_is_published(variant: str, millions: float) -> None:
    """Zhang et al., 2017, count multiplications and additions of a clip; without those of
    norms, to a twentieth."""
    graph = codsl.check(FOLDER / "ds_cnn.codsl", variant=variant)
    total = 50 * 2 * graph.report().to_dict()["total"]["macs"] / 1e6
    assert total == pytest.approx(millions, rel=0.05)
