"""Shallow FBCSP: the spec, the reference's formulas, and braindecode's own outputs."""

import torch
from references.eeg import shallow
from side_by_side import EXACT, FOLDER, agree, built, clip, filled, off, out_of_tune
from zoo import case

import codsl

SIZES = {"electrodes": 8, "filters": 12, "classes": 4, "window": 10}


@torch.no_grad()
def test_the_reference_and_the_stream_agree() -> None:
    net, x = shallow(**SIZES), clip(2, 8, 330)
    out_of_tune(net, net.final_layer, lambda: net(x))
    agree(built("eeg_shallow", net.state_dict(), **SIZES), x, net(x))


@torch.no_grad()
def test_the_case() -> None:
    """Made by braindecode 1.8.1, `ShallowFBCSPNet`."""
    given = case("eeg_shallow")
    agree(built("eeg_shallow", given.weights, **SIZES), given.input, given.output)
    assert off(filled(shallow(**SIZES), given.weights)(given.input), given.output) <= EXACT


def test_an_output_sees_what_braindecode_was_measured_to_see() -> None:
    """`meta.json` of the case: output `o` sees frames `15 * o` to `15 * o + 233`."""
    graph = codsl.check(FOLDER / "eeg_shallow.codsl", params=SIZES)
    assert (graph.receptive_field, graph.delay, graph.stride) == (234, 233, 15)
    assert graph.parameters == 1972


def test_a_trial_gives_one_output() -> None:
    """Trials of data set 2a of BCI competition IV: 22 electrodes, 4.5 s at 250 Hz; the parameters
    by hand, convolutions, norm and classifier."""
    graph = codsl.check(FOLDER / "eeg_shallow.codsl")
    assert graph.min_frames <= 1125 < graph.min_frames + 15
    assert graph.parameters == 40 * 26 + 40 * 40 * 22 + 2 * 40 + 4 * (40 * 69 + 1)
