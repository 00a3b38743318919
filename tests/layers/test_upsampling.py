"""More items than came in: transposed convolutions, upsampling, and crops of the ends."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from row_networks import assert_refused
from torch import Tensor, nn

import codsl
from harness.contract import (
    Declared,
    clip_of,
    clips_of,
    contract,
    frame_by_frame,
    in_chunks,
    keeps_as_declared,
    purely,
    randomise,
)


def built(*layers: Any, space: tuple[int, ...] = (), channels: int = 4) -> codsl.Network:
    """A network of double precision, with values of its own."""
    torch.manual_seed(4)
    spec = {"codsl": 1, "input": [channels, "T", *space], "layers": list(layers)}
    net = codsl.build(spec, dtype=torch.float64).eval()
    randomise(net, 4)
    return net


def drawn(draw: random.Random, rank: int) -> dict[str, Any]:
    """Arguments of a transposed convolution."""
    kernel = [draw.choice((1, 2, 3, 4, 5)), *(draw.choice((1, 2, 3)) for _ in range(rank - 1))]
    stride = [draw.choice((1, 2, 2, 3)), *(draw.choice((1, 2)) for _ in range(rank - 1))]
    dilation = [draw.choice((1, 1, 2, 3)), *(1 for _ in range(rank - 1))]
    padding = [draw.randint(0, d * (k - 1)) for k, d in zip(kernel, dilation, strict=True)]
    extra = [draw.randrange(max(s, d)) for s, d in zip(stride, dilation, strict=True)]
    return {
        "kernel_size": kernel,
        "stride": stride,
        "dilation": dilation,
        "padding": padding,
        "output_padding": extra,
        "groups": draw.choice((1, 2)),
        "bias": draw.random() < 0.7,
    }


def sees_something(given: dict[str, Any]) -> bool:
    """Whether every output is made of some item."""
    kernel, stride, dilation = (given[word][0] for word in ("kernel_size", "stride", "dilation"))
    return {dilation * tap % stride for tap in range(kernel)} == set(range(stride))


def streams_alike(net: codsl.Network, seed: int) -> None:
    """The contract but for what depends on what: outputs of nothing but `bias` see no frame."""
    declared = Declared.of(net.graph)
    x = clip_of(net, declared.most, seed, torch.float64)
    clips = clips_of(net, x, declared)
    frame_by_frame(net, x, clips, declared)
    in_chunks(net, x, clips, declared, random.Random(seed))
    purely(net, x, clips[declared.most], declared)
    keeps_as_declared(net, x, declared)


def test_transposed_convolutions_equal_torch_and_keep_the_contract() -> None:
    """Whatever the arguments: 60 of them, of which some have outputs of bias alone."""
    draw = random.Random(3)
    holes = 0
    for seed in range(60):
        rank = draw.choice((1, 1, 2, 3))
        given = drawn(draw, rank)
        layer = {f"conv_transpose{rank}d": {"name": "up", "out_channels": 2, **given}}
        net = built(layer, space=(5, 4)[: rank - 1])
        arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        theirs = getattr(nn, f"ConvTranspose{rank}d")(4, 2, **arguments, dtype=torch.float64)
        theirs.load_state_dict(net.get_submodule("up").state_dict())
        x = torch.randn(2, 4, net.min_frames + 5, *(5, 4)[: rank - 1], dtype=torch.float64)
        assert torch.equal(net(x), theirs(x))
        holes += not sees_something(given)
        with torch.no_grad():
            (contract if sees_something(given) else streams_alike)(net, seed=seed)
    assert holes > 5


@pytest.mark.parametrize("pair", [[0, 0], [1, 0], [0, 1], [3, 1], [0, 4], [5, 2], [2, 6]])
def test_each_end_is_left_out_by_itself(pair: list[int]) -> None:
    """A pair is torch's whole answer, cut at both ends; also by more than the kernel has."""
    whole = built({"conv_transpose1d": {"name": "up", "out_channels": 3, **FIVE}})
    cut = built({"conv_transpose1d": {"name": "up", "out_channels": 3, **FIVE, "padding": [pair]}})
    cut.load_state_dict(whole.state_dict())
    x = torch.randn(2, 4, 9, dtype=torch.float64)
    y = whole(x)
    assert (cut(x) - y[:, :, pair[0] : y.shape[2] - pair[1]]).abs().max() < 1e-12
    contract(cut)


FIVE = {"kernel_size": 5, "stride": 2}


def test_a_causal_one_gives_its_outputs_at_once() -> None:
    net = built({"conv_transpose1d": {"out_channels": 3, **FIVE, "padding": "causal"}})
    assert (net.delay, net.graph.stride * 2) == (0, 1)
    y = net.forward_steps(torch.randn(1, 4, 1, dtype=torch.float64))
    assert y is not None
    assert y.shape == (1, 3, 2)


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("linear", [False, True])
def test_upsampling_equals_torch(factor: int, rank: int, linear: bool) -> None:
    """Over time and, by another factor, over space."""
    mode = ("linear", "bilinear", "trilinear")[rank - 1] if linear else "nearest"
    factors = (factor, *(2, 3)[: rank - 1])
    space = (4, 3)[: rank - 1]
    net = built({"upsample": {"scale_factor": list(factors), "mode": mode}}, space=space)
    x = torch.randn(2, 4, 11, *space, dtype=torch.float64)
    wanted = nn.Upsample(scale_factor=factors, mode=mode)(x)
    assert (net(x) - wanted).abs().max() < 1e-12
    contract(net)


def test_corners_are_aligned_over_space() -> None:
    layer = {"upsample": {"scale_factor": [1, 2, 3], "mode": "trilinear", "align_corners": True}}
    net = built(layer, space=(4, 3))
    x = torch.randn(2, 4, 5, 4, 3, dtype=torch.float64)
    upsampled = nn.Upsample(scale_factor=(2, 3), mode="bilinear", align_corners=True)
    wanted = torch.stack([upsampled(frame) for frame in x.unbind(2)], 2)
    assert (net(x) - wanted).abs().max() < 1e-12
    contract(net)


def test_linear_upsampling_is_exact_in_an_endless_stream() -> None:
    """Weights are those of a period, not of a frame number that outgrows its precision."""
    torch.manual_seed(4)
    spec = {"codsl": 1, "input": [1, "T"], "layers": [LINEAR]}
    net = codsl.build(spec, dtype=torch.float32).eval()
    x = torch.rand(1, 1, 20_000)
    chunks = [net.forward_steps(chunk) for chunk in x.split(7, 2)]
    y = torch.cat([*chunks, net.flush()], 2).double()
    wanted = nn.Upsample(scale_factor=3, mode="linear")(x.double())
    assert (y - wanted).abs().max() < 1e-7


LINEAR = {"upsample": {"scale_factor": 3, "mode": "linear"}}


def test_a_decoder_meets_its_encoder() -> None:
    """A U-Net: strides of 2 twice, and up again to joins of the same rate."""
    down = {"out_channels": 4, "kernel_size": 3, "stride": 2, "padding": 1}
    inner = [
        {"conv1d": {"name": "down2", **down}},
        {"upsample": {"scale_factor": 2, "mode": "linear"}},
    ]
    outer = [
        {"conv1d": {"name": "down1", **down}},
        {"residual": {"name": "r2", "aggregation": "concat", "layers": inner}},
        {"conv_transpose1d": {"name": "up1", "out_channels": 4, "kernel_size": 2, "stride": 2}},
    ]
    for front, name in ((0, "even"), (1, "odd")):
        net = built({"residual": {"name": name, "layers": outer}}, {"crop": {"front": front}})
        assert net.graph.stride == 1
        assert net.graph.time.bursts
        contract(net)


@pytest.mark.parametrize("front", [0, 1, 4])
@pytest.mark.parametrize("back", [0, 1, 4])
def test_crops_leave_out_the_ends(front: int, back: int) -> None:
    net = built({"crop": {"front": front, "back": back}})
    x = torch.randn(2, 4, 12, dtype=torch.float64)
    assert torch.equal(net(x), x[:, :, front : 12 - back])
    assert net.delay == front + back
    contract(net)


def test_a_crop_under_a_stride_and_before_a_memory() -> None:
    conv = {"conv1d": {"out_channels": 3, "kernel_size": 3, "stride": 2, "padding": 1}}
    contract(built(conv, {"crop": {"front": 2, "back": 1}}, {"gru": {"hidden_size": 3}}))


@pytest.mark.parametrize(
    ("layer", "code", "said"),
    [
        ({"upsample": {"scale_factor": 2, "size": 8}}, "E0409", "`scale_factor`"),
        ({"upsample": {"scale_factor": [2, 2]}}, "E0401", "2 entries"),
        ({"upsample": {"scale_factor": 2, "mode": "bilinear"}}, "E0401", "use `linear`"),
        (
            {"upsample": {"scale_factor": 2, "mode": "linear", "align_corners": True}},
            "E0409",
            "last frame",
        ),
        ({"upsample": {"scale_factor": [1], "align_corners": True}}, "E0409", "repeated"),
        ({"upsample": {"scale_factor": 0}}, "E0305", "1 or more"),
        ({"upsample": {"scale_factor": 1.5}}, "E0305", "an integer"),
        ({"upsample": {"scale_factor": 2000}}, "E0415", "1024"),
        ({"conv_transpose1d": {"out_channels": 3, **FIVE, "padding": "same"}}, "E0404", "pair"),
        ({"conv_transpose1d": {"out_channels": 3, **FIVE, "output_padding": 2}}, "E0404", "less"),
        ({"conv_transpose1d": {"out_channels": 3, **FIVE, "groups": 3}}, "E0414", "nearest"),
        ({"conv_transpose1d": {"out_channels": 3, **FIVE, "in_channels": 3}}, "E0402", "inferred"),
        ({"conv_transpose2d": {"out_channels": 3, **FIVE}}, "E0401", "conv_transpose1d"),
        ({"crop": {"front": -1}}, "E0305", "0 or more"),
    ],
)
def test_what_cannot_be_is_refused(layer: dict[str, Any], code: str, said: str) -> None:
    assert_refused(lambda: built(layer), code, said)


def test_nothing_is_left_of_a_small_space() -> None:
    layer = {"conv_transpose2d": {"out_channels": 3, "kernel_size": 3, "padding": [0, 2]}}
    with pytest.raises(codsl.SpecError, match="leaves nothing"):
        built(layer, space=(2,))


def test_a_step_that_would_burst_says_what_to_do() -> None:
    net = built({"upsample": {"scale_factor": 2}})
    with pytest.raises(ValueError, match="forward_steps"):
        net.forward_step(torch.zeros(1, 4, dtype=torch.float64))


def together(parts: list[Tensor | None]) -> Tensor:
    """What came out."""
    return torch.cat([part for part in parts if part is not None], 2)


def test_a_rate_that_falls_again_is_stepped() -> None:
    """Up by 2 and down by 2: every frame gives one output, and a step does."""
    down = {"max_pool1d": {"kernel_size": 2, "stride": 2}}
    net = built({"upsample": {"scale_factor": 2, "mode": "linear"}}, down)
    x = torch.randn(1, 4, 9, dtype=torch.float64)
    assert not net.graph.time.bursts
    steps = [net.forward_step(frame) for frame in x.unbind(2)]
    parts = [None if y is None else y.unsqueeze(2) for y in steps]
    assert torch.equal(together([*parts, net.flush()]), net(x))
    contract(net)
