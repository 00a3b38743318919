"""Numbers of a convolution in torch's order are told where they fit all the same, and no others."""

from __future__ import annotations

from random import Random

import pytest

from codsl.mending import edited
from mistakes.planted import diagnostics

INPUTS = {1: "(C, T)", 2: "(C, T, 64)", 3: "(C, T, 64, 64)"}


def text(body: str, channels: int = 3, rank: int = 3) -> str:
    frame = INPUTS[rank].replace("C", str(channels))
    return f"codsl 1\nnetwork n {{\n  input {frame}\n  {body}\n}}\n"


@pytest.mark.parametrize(
    ("body", "channels", "meant"),
    [
        ("conv3d(3, 32, 3)", 3, "conv3d(32, 3)"),
        ("conv3d(3, 24, 3)", 3, "conv3d(24, 3)"),
        ("conv3d(3, 64, 7, 2)", 3, "conv3d(64, 7, 2)"),
        ("conv3d(16, 32, 1, bias=false)", 16, "conv3d(32, 1, bias=false)"),
        ("conv2d(4, 16, 5)", 4, "conv2d(16, 5)"),
        ("conv1d(1, 64, 3)", 1, "conv1d(64, 3)"),
        ("conv1d(64, 128, 1)", 64, "conv1d(128, 1)"),
    ],
)
def test_it_is_told_with_what_was_meant(body: str, channels: int, meant: str) -> None:
    source = text(body, channels, int(body[4]))
    (warning,) = diagnostics(source, "n.codsl")
    assert (warning.code, warning.severity) == ("W0706", "warning")
    assert warning.span is not None
    assert f"has a kernel of {warning.span.text}" in warning.message
    assert meant.partition(", bias")[0] in warning.helps[0].text
    mended = edited(source, warning.helps[0].edits)
    assert meant in mended
    assert diagnostics(mended, "n.codsl") == ()


def test_on_images() -> None:
    (warning,) = diagnostics(text("per_frame { conv2d(3, 32, 3) }"), "n.codsl")
    assert warning.code == "W0706"


@pytest.mark.parametrize(
    ("body", "channels", "rank"),
    [
        ("conv3d(out_channels=3, kernel_size=32, stride=3)", 3, 3),
        ("conv3d(3, 32, stride=3)", 3, 3),
        ("conv3d(4, 32, 3)", 3, 3),
        ("conv3d(3, 3, 3)", 3, 3),
        ("conv3d(3, 11, 3)", 3, 3),
        ("conv3d(3, 16, 16)", 3, 3),
        ("conv3d(3, 16, 8)", 3, 3),
        ("conv3d(3, (1, 16, 16), (1, 3, 3))", 3, 3),
        ("conv2d(3, 15, 1, 7)", 3, 2),
        ("conv1d(1, 400, 160)", 1, 1),
        ("conv1d(64, 16, 8)", 64, 1),
        ("conv1d(64, 20, 5)", 64, 1),
        ("conv1d(512, 10, 5)", 512, 1),
        ("conv1d(8, 64, 1, 32)", 8, 1),
        ("conv1d(8, 31, 1, 15)", 8, 1),
        ("avg_pool1d(16, 3)", 16, 1),
    ],
)
def test_what_may_well_be_meant_is_not_told(body: str, channels: int, rank: int) -> None:
    assert diagnostics(text(body, channels, rank), "n.codsl") == ()


@pytest.mark.parametrize("seed", range(20))
def test_strides_by_position_are_not_told(seed: int) -> None:
    """Random convolutions as people write them here, as many channels out as in among them."""
    draw = Random(seed)
    rank = draw.choice((1, 2, 3))
    layers, channels = [], draw.choice((1, 3, 8, 16, 64))
    for number in range(6):
        out = channels if draw.random() < 0.7 else draw.choice((8, 16, 24, 32))
        stride = draw.choice((1, 2, 3, 4, 5, 8))
        kernels = (1, 3, 5, 7, 9, 11, 2 * stride, 4 * stride) if rank == 1 else (1, 3, 5, 7)
        layers.append(f"c{number} = conv{rank}d({out}, {draw.choice(kernels)}, {stride})")
    source = text("\n  ".join(layers), channels, rank)
    assert not [each for each in diagnostics(source, "n.codsl") if each.code == "W0706"]


@pytest.mark.parametrize("seed", range(20))
def test_a_network_of_torch_is_told_at_its_first_layer(seed: int) -> None:
    draw = Random(seed)
    channels, out = draw.choice((1, 3)), 2 * draw.randrange(6, 25)
    source = text(f"conv3d({channels}, {out}, {draw.choice((1, 3, 5, 7))})", channels)
    assert [each.code for each in diagnostics(source, "n.codsl")] == ["W0706"]


def test_of_linear_it_is_a_mistake_with_the_same_remedy() -> None:
    source = text("linear(3, 10)", rank=1)
    (mistake,) = diagnostics(source, "n.codsl")
    assert mistake.severity == "error"
    assert "`in_features` is inferred" in mistake.helps[0].text
    assert "linear(10)" in edited(source, mistake.helps[0].edits)
