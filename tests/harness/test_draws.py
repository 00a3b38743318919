"""What a network is tried on hides no fault."""

from __future__ import annotations

import pytest

import codsl
from harness.contract import randomise


@pytest.mark.parametrize(
    "norm",
    [
        "batch_norm2d",
        {"instance_norm2d": {"affine": True, "track_running_stats": True}},
        {"group_norm": {"num_groups": 1}},
        "layer_norm",
        "rms_norm",
    ],
)
def test_no_number_of_a_norm_stays_as_it_is_fresh(norm: object) -> None:
    net = codsl.build({"codsl": 1, "input": [3, "T", 4], "layers": [norm]})
    fresh = {name: tensor.clone() for name, tensor in net.state_dict().items() if tensor.dim()}
    randomise(net, 5)
    drawn = net.state_dict()
    assert fresh
    assert not [name for name, tensor in fresh.items() if (tensor == drawn[name]).any()]
