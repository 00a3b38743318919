"""Deep4: the spec, and the reference's formulas."""

import torch
from references.eeg import deep4
from side_by_side import FOLDER, agree, built, clip, out_of_tune

import codsl

SIZES = {"electrodes": 6, "filters": 5, "kernel": 4, "classes": 3, "window": 2}


@torch.no_grad()
def test_the_reference_and_the_stream_agree() -> None:
    net, x = deep4(**SIZES), clip(2, 6, 610)
    out_of_tune(net, net.final_layer, lambda: net(x))
    agree(built("eeg_deep4", net.state_dict(), **SIZES), x, net(x))


def test_an_output_sees_what_braindecode_was_measured_to_see() -> None:
    """braindecode 1.8.1, `Deep4Net`: output `o` sees frames `81 * o` to `81 * o + 521`."""
    graph = codsl.check(FOLDER / "eeg_deep4.codsl")
    assert (graph.receptive_field, graph.delay, graph.stride) == (522, 521, 81)


def test_the_parameters_are_those_of_the_filters() -> None:
    """Schirrmeister et al., 2017: 25, 25, 50, 100 and 200 filters of 10."""
    graph = codsl.check(FOLDER / "eeg_deep4.codsl")
    blocks = sum(out * (inputs * 10 + 2) for inputs, out in [(25, 50), (50, 100), (100, 200)])
    assert graph.parameters == 25 * 11 + 25 * 25 * 22 + 2 * 25 + blocks + 4 * (200 * 2 + 1)
