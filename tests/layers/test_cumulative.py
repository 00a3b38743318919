"""Statistics of all frames so far, and positions: right, and right for ever."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

import codsl
from harness.contract import contract, randomise

DOUBLE = torch.float64
FRAMES = 100_000
STEPS = 10_000
FEWER = 5000
CHUNK = 200


def built(
    *layers: Any,
    channels: int = 3,
    space: tuple[int, ...] = (),
    dtype: torch.dtype = DOUBLE,
) -> codsl.Network:
    """A network with values of its own."""
    torch.manual_seed(6)
    spec = {"codsl": 1, "input": [channels, "T", *space], "layers": list(layers)}
    net = codsl.build(spec, dtype=dtype).eval()
    randomise(net, 6)
    return net


def streamed(net: codsl.Network, x: Tensor) -> Tensor:
    """What steps give, and chunks for all frames beyond `STEPS`."""
    with torch.no_grad():
        steps = [net.forward_step(frame) for frame in x[:, :, :STEPS].unbind(2)]
        rest = x[:, :, STEPS:].split(CHUNK, 2) if x.shape[2] > STEPS else ()
        return torch.cat([torch.stack(steps, 2), *(net.forward_steps(each) for each in rest)], 2)


def so_far(x: Tensor, t: int) -> Tensor:
    """All numbers of the items up to `t`, a row for each clip."""
    return x[:, :, : t + 1].flatten(1)


@pytest.mark.parametrize("space", [(), (4,), (2, 3)])
def test_cumulative_normalisation_is_by_all_numbers_so_far(space: tuple[int, ...]) -> None:
    """As defined, frame by frame, with statistics of two passes."""
    net = built({"cumulative_layer_norm": {"name": "norm", "eps": 0.01}}, space=space)
    norm = net.get_submodule("norm")
    assert list(norm.state_dict()) == ["gamma", "beta"]
    x = 5 + torch.randn(2, 3, 9, *space, dtype=DOUBLE)
    ones = (1,) * (1 + len(space))
    y = net(x)
    for t in range(9):
        spread, mean = torch.var_mean(so_far(x, t), 1, correction=0)
        scaled = (x[:, :, t] - mean.view(-1, *ones)) / (spread.view(-1, *ones) + 0.01).sqrt()
        wanted = scaled * norm.gamma.view(-1, *ones[1:]) + norm.beta.view(-1, *ones[1:])
        assert (y[:, :, t] - wanted).abs().max() < 1e-12


def test_channels_are_normalised_at_each_place() -> None:
    net = built({"channel_layer_norm": {"name": "norm"}}, channels=4, space=(5,))
    norm = net.get_submodule("norm")
    x = torch.randn(2, 4, 6, 5, dtype=DOUBLE)
    last = torch.nn.functional.layer_norm(x.movedim(1, 3), (4,), norm.gamma, norm.beta, 1e-8)
    assert (net(x) - last.movedim(3, 1)).abs().max() < 1e-12
    assert net.graph.time.pointwise


@pytest.mark.parametrize("space", [(), (4,)])
def test_the_mean_of_all_items_so_far(space: tuple[int, ...]) -> None:
    x = torch.randn(2, 3, 30, *space, dtype=DOUBLE)
    plain, fading = built("running_mean", space=space), built(FADING, space=space)
    wanted = [x[:, :, : t + 1].mean(2) for t in range(30)]
    assert (plain(x) - torch.stack(wanted, 2)).abs().max() < 1e-12
    weights = [0.7**t * (0.3 if t < 29 else 1.0) for t in range(30)]
    last = sum(weight * x[:, :, 29 - t] for t, weight in enumerate(weights))
    assert (fading(x)[:, :, 29] - last).abs().max() < 1e-12


FADING = {"running_mean": {"momentum": 0.3}}


SUMS = ("cumulative_layer_norm", "running_mean", FADING)
POSITIONS = ("positional_encoding", {"recycling_positional_encoding": {"num_embeddings": 7}})
"""Layers that know only how many frames there were, which is exact in any precision."""


@pytest.mark.parametrize(
    ("layer", "dtype", "frames"),
    [
        ("cumulative_layer_norm", torch.float32, FRAMES),
        *((layer, torch.float32, FEWER) for layer in (*SUMS[1:], *POSITIONS)),
        *((layer, DOUBLE, FEWER) for layer in SUMS),
    ],
    ids=lambda each: str(each).replace("torch.", ""),
)
def test_streams_do_not_drift(layer: Any, dtype: torch.dtype, frames: int) -> None:
    """After so many frames far from zero the answer is that of the clip in double precision."""
    net, exact = built(layer, dtype=dtype), built(layer)
    exact.load_state_dict(net.state_dict())
    x = (30 + torch.randn(1, 3, frames)).to(dtype)
    found = streamed(net, x).double()
    with torch.no_grad():
        clip = exact(x.double())
    error = (found - clip).abs() / clip.abs().clamp(min=1)
    assert error[..., -100:].max() < (1e-12 if dtype is DOUBLE else 2e-6)
    assert error.max() < (1e-11 if dtype is DOUBLE else 2e-6)


def test_half_precision_is_summed_in_double() -> None:
    """In float16 a sum of 5,000 frames would be endless."""
    net = built("running_mean", dtype=torch.float16)
    y = streamed(net, torch.full((1, 3, 5000), 100.0, dtype=torch.float16))
    assert y.dtype == torch.float16
    assert torch.equal(y, torch.full_like(y, 100))


def test_what_is_carried_has_a_width_of_its_own() -> None:
    net = built({"cumulative_layer_norm": {"name": "norm"}}, dtype=torch.float32)
    state = net.init_state(2)
    kinds = dict(zip(state.names, (each.dtype for each in state.tensors), strict=True))
    assert kinds["norm:count"] == torch.int64
    assert kinds["norm:sums"] == torch.float64
    assert net.graph.report().total["state_bytes"] == 8 + 16


@pytest.mark.parametrize("channels", [1, 4, 5])
def test_positions_are_sines_and_cosines(channels: int) -> None:
    net = built({"positional_encoding": {"base": 100}}, channels=channels)
    y = net(torch.zeros(1, channels, 40, dtype=DOUBLE))
    for t in range(40):
        for c in range(channels):
            angle = t / 100 ** ((c - c % 2) / channels)
            wanted = math.cos(angle) if c % 2 else math.sin(angle)
            assert abs(y[0, c, t].item() - wanted) < 1e-12


def test_positions_are_those_of_what_enters_the_layer() -> None:
    """Behind a stride and a crop items are counted, not frames."""
    down = {"max_pool1d": {"kernel_size": 2, "stride": 2}}
    net = built(down, {"crop": {"front": 3, "back": 1}}, "positional_encoding")
    x = torch.zeros(1, 3, 30, dtype=DOUBLE)
    wanted = built("positional_encoding")(torch.zeros(1, 3, 11, dtype=DOUBLE))
    assert (net(x) - wanted).abs().max() < 1e-12
    contract(net)


@pytest.mark.parametrize("learned", [True, False])
def test_positions_come_again(learned: bool) -> None:
    given = {"name": "at", "num_embeddings": 7, "learned": learned}
    net = built({"recycling_positional_encoding": given}, channels=6, space=(2,))
    table = net.get_submodule("at").weight
    assert list(net.state_dict()) == (["at.weight"] if learned else [])
    y = net(torch.zeros(1, 6, 12, 2, dtype=DOUBLE))
    for t in range(12):
        assert torch.equal(y[0, :, t], table[t % 7][:, None].expand(6, 2))
    assert len({tuple(row) for row in table.round(decimals=9).tolist()}) == 7


def test_among_others_they_keep_the_contract() -> None:
    """Behind a window and a stride, and in a join with another delay."""
    conv = {"out_channels": 4, "kernel_size": 3, "stride": [2, 1], "padding": 1}
    norm = {"conv2d": {"name": "c", "out_channels": 4, "kernel_size": 3, "padding": 1}}
    body = [{"cumulative_layer_norm": {"eps": 1e-3}}, norm, "running_mean"]
    net = built({"conv2d": conv}, "positional_encoding", {"residual": {"layers": body}}, space=(4,))
    contract(net)


@pytest.mark.parametrize(
    ("layer", "code", "said"),
    [
        ({"cumulative_layer_norm": {"eps": -1}}, "E0305", "0 or more"),
        ({"running_mean": {"momentum": 2}}, "E0305", "1 or less"),
        ({"positional_encoding": {"base": 0}}, "E0305", "1 or more"),
        ({"recycling_positional_encoding": {"num_embeddings": 0}}, "E0305", "1 or more"),
        (
            {"recycling_positional_encoding": {"num_embeddings": 3, "learned": False}},
            "E0402",
            "two channels",
        ),
        (
            {"recycling_positional_encoding": {"num_embeddings": 5, "learned": False}},
            "E0402",
            "of 5 is zero",
        ),
    ],
)
def test_what_cannot_be_is_refused(layer: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(codsl.SpecError) as error:
        built(layer, channels=1 if said == "two channels" else 4)
    (found,) = error.value.diagnostics
    assert found.code == code
    assert said in str(found)
