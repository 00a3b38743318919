"""BC-ResNet: the spec, the reference's formulas with time last, and the published sizes."""

import pytest
import torch
from references.bc_resnet import BCResNet
from side_by_side import FOLDER, agree, built, clip, out_of_tune

import codsl

SIZES = {"tau": 1.5, "classes": 5, "window": 9}


@torch.no_grad()
def test_the_reference_and_the_stream_agree() -> None:
    net, x = BCResNet(**SIZES), clip(2, 1, 140, 40)
    out_of_tune(net, net.classifier[5], lambda: net(x.transpose(2, 3)))
    agree(built("bc_resnet", net.state_dict(), **SIZES), x, net(x.transpose(2, 3)))


@torch.no_grad()
def test_time_comes_last_in_every_kernel() -> None:
    """A kernel of 5 by 5 fits either way; only one is right."""
    net = BCResNet(**SIZES)
    weights = net.state_dict()
    spec = built("bc_resnet", weights, **SIZES)
    found = spec.get_parameter("stem.weight")
    assert torch.equal(found, weights["cnn_head.0.weight"].double().transpose(2, 3))
    assert not torch.equal(found, weights["cnn_head.0.weight"].double())


def test_a_frame_sees_what_the_reference_was_measured_to_see() -> None:
    """Before the pool, item `o` sees frames `o - 58` to `o + 58`."""
    graph = codsl.check(FOLDER / "bc_resnet.codsl")
    rows = {row.path: row for row in graph.report().nodes}
    assert (rows["mix.norm"].receptive_field, rows["mix.norm"].delay) == (117, 58)
    assert (graph.delay, graph.stride) == (58 + 100, 1)


@pytest.mark.parametrize(
    ("variant", "thousands"),
    [("bc1", 9.2), ("bc2", 27.3), ("bc3", 54.2), ("bc6", 188), ("bc8", 321)],
)
def test_the_parameters_are_the_published_ones(variant: str, thousands: float) -> None:
    """Kim et al., 2021."""
    found = codsl.check(FOLDER / "bc_resnet.codsl", variant=variant).parameters / 1000
    assert round(found, 1 if thousands < 100 else None) == thousands
