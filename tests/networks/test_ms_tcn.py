"""MS-TCN: the spec, the reference's formulas, and its outputs, a delay for each stage."""

import torch
from references.ms_tcn import MultiStage
from side_by_side import EXACT, FOLDER, agree, built, clip, filled, off, out_of_tune
from torch import Tensor
from zoo import case

import codsl

SIZES = {"features": 40, "stages": 3, "layers": 5, "channels": 16, "classes": 8}


def named(outputs: list[Tensor]) -> dict[str, Tensor]:
    return {f"stage{i}": each for i, each in enumerate(outputs, start=1)}


@torch.no_grad()
def test_the_reference_and_the_stream_agree() -> None:
    net, x = MultiStage(**SIZES), clip(2, 40, 230)
    out_of_tune(net, net.stages[-1].conv_out, lambda: net(x))
    agree(built("ms_tcn", net.state_dict(), **SIZES), x, named(net(x)))


@torch.no_grad()
def test_the_case() -> None:
    """Made by yabufarha/ms-tcn, `MultiStageModel`."""
    given = case("mstcn")
    wanted = [given.tensors[f"output{i}"] for i in range(3)]
    agree(built("ms_tcn", given.weights, **SIZES), given.input, named(wanted))
    found = filled(MultiStage(**SIZES), given.weights)(given.input)
    assert all(off(one, other) <= EXACT for one, other in zip(found, wanted, strict=True))


@torch.no_grad()
def test_stages_come_one_after_the_other() -> None:
    """`meta.json` of the case: output `o` of the last stage sees frames `o - 93` to `o + 93`."""
    net = codsl.build(FOLDER / "ms_tcn.codsl", params=SIZES)
    assert (net.receptive_field, net.delay) == (187, 93)
    first: dict[str, int] = {}
    for t in range(100):
        for name, y in net.forward_step(torch.randn(1, 40)).items():
            if y is not None:
                first.setdefault(name, t)
    assert first == {"stage1": 31, "stage2": 62, "stage3": 93}


def test_the_parameters_are_the_published_ones() -> None:
    """0.8 M for 50 Salads (19 classes): Li et al., 2020, of MS-TCN++."""
    graph = codsl.check(FOLDER / "ms_tcn.codsl", params={"classes": 19})
    assert round(graph.parameters / 1e6, 1) == 0.8
