"""Rows whose like torch.nn does not have, against plain formulas; how they start; wrong uses."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from formulas import CLIP, FRAME
from row_networks import ROWS, clip, examples, frame_of, network
from torch import Tensor, nn

import codsl
from codsl.layers.row import make
from harness.contract import contract

TOLERANCE = 1e-12
OTHERS = [
    ("permute", {"dims": 0}, 1),
    ("permute", {"dims": (1, 0)}, 2),
    ("reshape", {"sizes": (2, 2)}, 1),
    ("reshape", {"sizes": (3, 8)}, 2),
    ("scale", {"each": "place"}, 2),
    ("bias", {"each": "place"}, 3),
    ("layer_norm", {"over": "frame", "normalized_shape": (4, 6, 6)}, 3),
    ("group_norm", {"num_groups": 4}, 2),
    ("temporal_shift", {"fold_div": 2, "online": True}, 1),
    ("stack", {"frames": 1}, 1),
    ("stack", {"frames": 5, "padding": 4, "stride": 2}, 2),
]
"""Uses that are no examples of the manual."""
CASES = [case for case in examples() if case[0] in FRAME or case[0] in CLIP] + OTHERS
IDS = [f"{name}-{number}-{rank}d" for number, (name, _, rank) in enumerate(CASES)]


def stirred(net: nn.Module) -> nn.Module:
    """Parameters and statistics of their own."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, each in [*net.named_parameters(), *net.named_buffers()]:
            if name.endswith("running_var"):
                each.uniform_(0.5, 2, generator=generator)
            elif isinstance(each, nn.Parameter) or name.endswith("running_mean"):
                each.normal_(generator=generator)
    return net


def close(found: Tensor, wanted: Tensor) -> None:
    assert found.shape == wanted.shape
    worst = ((found - wanted).abs() / wanted.abs().clamp(min=1)).max()
    assert worst <= TOLERANCE, f"off by {worst:.3g}"


def formula(row: Any, name: str, state: dict[str, Tensor], x: Tensor) -> Tensor:
    if name in CLIP:
        return CLIP[name](row, x)
    return torch.stack([FRAME[name](row, state, frame) for frame in x.unbind(2)], 2)


@pytest.mark.parametrize(("name", "example", "rank"), CASES, ids=IDS)
@torch.no_grad()
def test_rows_are_their_formulas(name: str, example: dict[str, Any], rank: int) -> None:
    x = frame_of(name, rank)
    net = stirred(network(name, example, x, torch.float64)).eval()
    layer = net.get_submodule("layer")
    row = make(ROWS[name], example)
    for frames in (net.graph.min_frames, net.graph.min_frames + 7):
        given = clip(x, frames, torch.float64)
        for part in [*net.children()][:-1]:
            given = part(given)
        close(layer(given), formula(row, name, layer.state_dict(), given))


@pytest.mark.parametrize(("name", "example", "rank"), OTHERS)
def test_other_uses_keep_the_contract(name: str, example: dict[str, Any], rank: int) -> None:
    contract(stirred(network(name, example, frame_of(name, rank), torch.float64)).eval())


FRESH: list[tuple[str, dict[str, Any], Any]] = [
    ("layer_norm", {}, lambda: nn.LayerNorm(4)),
    ("layer_norm", {"over": "frame"}, lambda: nn.LayerNorm((4, 6))),
    ("layer_norm", {"bias": False}, lambda: nn.LayerNorm(4, bias=False)),
    ("layer_norm", {"elementwise_affine": False}, lambda: nn.LayerNorm(4, 1e-5, False)),
    ("rms_norm", {}, lambda: nn.RMSNorm(4)),
    ("group_norm", {"num_groups": 2}, lambda: nn.GroupNorm(2, 4)),
    ("group_norm", {"num_groups": 2, "affine": False}, lambda: nn.GroupNorm(2, 4, affine=False)),
    ("instance_norm2d", {}, lambda: nn.InstanceNorm2d(4)),
    ("instance_norm2d", {"affine": True}, lambda: nn.InstanceNorm2d(4, affine=True)),
    (
        "embedding",
        {"num_embeddings": 5, "embedding_dim": 3, "padding_idx": 1},
        lambda: nn.Embedding(5, 3, 1),
    ),
]


@pytest.mark.parametrize(("name", "example", "theirs"), FRESH)
def test_keys_and_fresh_weights_are_torchs(name: str, example: dict[str, Any], theirs: Any) -> None:
    found = network(name, example, frame_of(name, 2)).get_submodule("layer").state_dict()
    torch.manual_seed(5)
    wanted = theirs().state_dict()
    assert list(found) == list(wanted)
    assert all(map(torch.equal, found.values(), wanted.values()))


@pytest.mark.parametrize(
    ("each", "shape"),
    [("frame", (1,)), ("channel", (4,)), ("place", (6, 6)), ("number", (4, 6, 6))],
)
@pytest.mark.parametrize(("name", "key"), [("scale", "weight"), ("bias", "bias")])
def test_learnt_numbers_start_as_told(
    name: str, key: str, each: str, shape: tuple[int, ...]
) -> None:
    net = network(name, {"each": each, "init": 0.25}, frame_of(name, 3), torch.float16)
    assert {key: tuple(value.shape) for key, value in net.state_dict().items()} == {
        f"layer.{key}": shape
    }
    (parameter,) = net.parameters()
    assert parameter.dtype == torch.float16
    assert (parameter == 0.25).all()
    assert net.graph.parameters == parameter.numel()
    with torch.no_grad():
        parameter.zero_()
    net.get_submodule("layer").reset_parameters()
    assert (parameter == 0.25).all()
    assert "init=0.25" in repr(net)


GRAPH = {"out_channels": 3, "adjacency": tuple((0.5,) * 6 for _ in range(6))}
STATISTICS = {"mean": (0.485, 0.456, 0.406, 0.5), "std": 0.25}


def test_a_graph_convolution_starts_as_a_convolution() -> None:
    net = network("graph_conv", {**GRAPH, "edge_importance": True}, frame_of("graph_conv", 2))
    torch.manual_seed(5)
    theirs = nn.Conv2d(4, 3, 1)
    found = net.get_submodule("layer").state_dict()
    assert list(found) == ["weight", "bias", "edge_importance"]
    assert torch.equal(found["weight"], theirs.weight)
    assert torch.equal(found["bias"], theirs.bias)
    assert (found["edge_importance"] == 1).all()
    assert (net.get_buffer("layer.adjacency") == 0.5).all()
    assert net.graph.parameters == sum(each.numel() for each in net.parameters()) == 12 + 3 + 36
    assert net.graph.report().total["macs"] == 6 * 4 * 3 + 6 * 6 * 3


def test_a_learnt_graph_is_a_parameter() -> None:
    net = network("graph_conv", {**GRAPH, "learned": True}, frame_of("graph_conv", 2))
    names = [name for name, _ in net.named_parameters()]
    assert names == ["layer.weight", "layer.bias", "layer.adjacency"]
    net(clip(net.graph.input, 3, torch.float32)).sum().backward()
    assert all(each.grad is not None and each.grad.abs().sum() > 0 for each in net.parameters())


@pytest.mark.parametrize(
    ("name", "example", "rank"),
    [
        ("add", {"other": (1, 2, 3, 4)}, 2),
        ("normalize", STATISTICS, 2),
        ("scale", {}, 2),
        ("graph_conv", GRAPH, 2),
    ],
)
def test_own_modules_are_copied_cast_and_pickled(
    name: str, example: dict[str, Any], rank: int
) -> None:
    net = stirred(network(name, example, frame_of(name, rank)))
    x = clip(net.graph.input, 3, torch.float32)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(other(x), net(x))
    assert net.double()(x.double()).dtype == torch.float64
    assert net.half()(x.half()).dtype == torch.float16


def test_constants_are_in_no_state_dict() -> None:
    for name, given in (("add", {"other": (1, 2, 3, 4)}), ("normalize", STATISTICS)):
        assert not network(name, given, frame_of(name, 1)).state_dict()


def test_ids_are_rounded_and_checked() -> None:
    net = codsl.build(
        {"codsl": 1, "input": [1, "T"], "layers": [{"embedding": {"name": "e", "num_embeddings": 3,
         "embedding_dim": 2}}]}
    )  # fmt: skip
    weight = net.state_dict()["e.weight"]
    ids = torch.tensor([[0.0, 1.4, 1.6, torch.nan]]).unsqueeze(0)
    y = net(ids)
    assert torch.equal(y[0, :, :3].T, weight[[0, 1, 2]])
    assert y[0, :, 3].isnan().all()
    for wrong in (-1.0, 3.0, torch.inf):
        with pytest.raises(ValueError, match="ids are 0 to 2"):
            net.forward_step(torch.tensor([[wrong]]))


def test_softmax_between_stages() -> None:
    """Two stages of a multi-stage TCN (Farha and Gall, 2019), causal and centred."""
    stage = """{ conv1d(6, 1) r[i in 0..2] = residual {
      d = conv1d(6, 3, padding=how, dilation=2 ** i) relu p = conv1d(6, 1) } out = conv1d(5, 1) }"""
    for how in ("causal", "same"):
        net = codsl.build(
            f'codsl 1\ntemplate stage(how: str) {stage}\nnetwork n {{\n input (4, T)\n'
            f'one = stage(how="{how}")\n softmax\n two = stage(how="{how}")\n softmax\n}}\n',
            dtype=torch.float64,
        )  # fmt: skip
        contract(net.eval())
        assert net.graph.receptive_field == 29


NETWORKS = {
    "shifted residual with a learnt factor": """ input (8, T, 6)
 residual { temporal_shift c = conv2d(8, 1) n = layer_norm(over="frame") gelu scale(init=0) }
 residual("mul") { group_norm(4) sigmoid } """,
    "two ways to half the rate": """ input (4, T, 6)
 parallel("concat") { a { subsample(2) square } b { stack(3, stride=2, padding=1) } }
 channel_shuffle(8) """,
    "spatial and temporal graph convolution": """ input (4, T, 6)
 residual {
  gcn = graph_conv(4, ((0.5, 0, 0, 0, 0, 1), (0, 1, 0, 0, 0, 0), (0, 0, 1, 0, 0, 0),
    (0, 0, 0, 1, 0, 0), (0, 0, 0, 0, 1, 0), (1, 0, 0, 0, 0, 0.5)), edge_importance=true)
  bn1 = batch_norm2d relu
  tcn = conv2d(4, (5, 1), padding=(2, 0)) bn2 = batch_norm2d
 } relu """,
    "gates and slices of a WaveNet": """ input (3, T)
 first = conv1d(4, 1)
 r[i in 0..2] = residual { g = conv1d(8, 2, padding="causal", dilation=2 ** i) gtu }
 parallel("sum") { a { slice(0, stop=2) neg } b { slice(-2) add((0.5, 1)) } }
 log_softmax """,
    "ids, reshaped": """ input (1, T, 6)
 clamp(0, 4) e = embedding(5, 4) permute((1, 0)) reshape((2, 3, -1)) zero_pad3d((0, 1, (0, 1)))
 c = conv3d(2, (2, 3, 3)) instance_norm3d """,
}


@pytest.mark.parametrize("body", NETWORKS.values(), ids=NETWORKS)
def test_rows_in_networks_keep_the_contract(body: str) -> None:
    net = codsl.build(f"codsl 1\nnetwork n {{\n{body}\n}}\n", dtype=torch.float64)
    contract(stirred(net).eval())


def test_a_stack_is_what_a_convolution_sees() -> None:
    """The convolution of a window is a linear map of the stacked frames."""
    torch.manual_seed(0)
    conv = nn.Conv1d(4, 3, 5, stride=2, padding=2, dtype=torch.float64)
    net = network("stack", {"frames": 5, "stride": 2, "padding": 2}, frame_of("stack", 1))
    x = clip(net.graph.input, 11, torch.float64)
    flat = conv.weight.permute(0, 2, 1).flatten(1)
    close(torch.einsum("oc,bct->bot", flat, net(x)) + conv.bias[:, None], conv(x))


def said(layer: Any, shape: list[Any]) -> codsl.Diagnostic:
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check({"codsl": 1, "input": shape, "layers": [layer]})
    (found,) = caught.value.diagnostics
    return found


IN1, IN2, IN3 = [4, "T"], [4, "T", 6], [4, "T", 6, 6]
WRONG: list[tuple[Any, list[Any], str, str, str]] = [
    ({"layer_norm": {"normalized_shape": 3}}, IN2, "E0402", "(4,) here", "inferred"),
    ({"layer_norm": {"normalized_shape": [4, 6]}}, IN2, "E0402", "here", 'over="frame"'),
    ({"layer_norm": {"over": "time"}}, IN2, "E0305", "`channels` or `frame`", ""),
    ({"rms_norm": {"eps": -1}}, IN2, "E0305", "0 or more", ""),
    ({"group_norm": {"num_groups": 3}}, IN2, "E0414", "does not divide", "divisor is 4"),
    ({"group_norm": {"num_groups": 2, "num_channels": 8}}, IN2, "E0402", "8", "inferred"),
    ({"group_norm": {"num_groups": 4}}, IN1, "E0409", "its own mean", "fewer"),
    ("instance_norm1d", IN1, "E0409", "one number", "layer_norm"),
    ("instance_norm3d", [4, "T", 1, 1], "E0409", "one number", "layer_norm"),
    ("instance_norm3d", IN2, "E0401", "time and two", "`instance_norm2d`"),
    ({"instance_norm2d": {"num_features": 3}}, IN2, "E0402", "3", "inferred"),
    ("clamp", IN1, "E0304", "`min`, `max`", ""),
    ({"clamp": {"min": 1, "max": 0}}, IN1, "E0305", "above", ""),
    ({"add": {"other": [1, 2]}}, IN1, "E0402", "2 numbers for 4", "one each"),
    ({"add": {"other": []}}, IN1, "E0305", "one for each channel", ""),
    ({"add": {"other": [1, True]}}, IN1, "E0305", "place 2", ""),
    ({"add": {"other": "$(1 / 3 == 0)"}}, IN1, "E0305", "expected a number", ""),
    ({"div": {"other": [1, 0, 1, 1]}}, IN1, "E0305", "no 0", ""),
    ({"normalize": {"mean": 0.5}}, IN1, "E0304", "`std`", ""),
    ({"normalize": {"mean": 0, "std": 0}}, IN1, "E0305", "above 0", ""),
    ({"normalize": {"mean": 0, "std": [1, 1, 1, -1]}}, IN1, "E0305", "above 0", ""),
    ({"normalize": {"mean": [0, 1], "std": 1}}, IN1, "E0402", "`mean`", "one each"),
    ({"normalize": {"mean": 0, "std": [1, 2]}}, IN2, "E0402", "2 numbers for 4", "one each"),
    ({"log": {"eps": -1}}, IN1, "E0305", "0 or more", ""),
    ("pow", IN1, "E0304", "`exponent`", ""),
    ({"scale": {"each": "place"}}, IN1, "E0401", "no space", "channel"),
    ({"scale": {"each": "time"}}, IN1, "E0305", "`place`", ""),
    ({"channel_shuffle": {"groups": 3}}, IN1, "E0414", "does not divide", "divisor is 4"),
    ({"pixel_shuffle": {"upscale_factor": 3}}, IN3, "E0402", "multiple of 9", ""),
    ({"pixel_shuffle": {"upscale_factor": 2}}, IN2, "E0401", "two dimensions", ""),
    ({"pixel_unshuffle": {"downscale_factor": 4}}, IN3, "E0403", "do not fill 6 x 6", ""),
    ({"slice": {"start": 4}}, IN1, "E0402", "takes none", "0 to 3"),
    ({"slice": {"start": 2, "stop": 1}}, IN1, "E0402", "takes none", "left out"),
    ({"permute": {"dims": [0, 1]}}, IN3, "E0401", "no order", "each of (0, 1, 2)"),
    ({"permute": {"dims": [0, 1, 1]}}, IN3, "E0401", "no order", "once"),
    ({"permute": {"dims": []}}, IN3, "E0305", "1 to 8", ""),
    ({"permute": {"dims": [0, 1, -1]}}, IN3, "E0305", "at place 3", ""),
    ({"reshape": {"sizes": [-1, -1]}}, IN3, "E0305", "one may be -1", ""),
    ({"reshape": {"sizes": [0, -1]}}, IN3, "E0305", "expected sizes", ""),
    ({"reshape": {"sizes": [5, -1]}}, IN3, "E0402", "144 numbers", ""),
    ({"reshape": {"sizes": [4, 6]}}, IN3, "E0402", "144 numbers", "worked out"),
    ({"embedding": {"num_embeddings": 3, "embedding_dim": 2}}, IN1, "E0402", "one channel",
     "`slice`"),
    ({"embedding": {"num_embeddings": 3, "embedding_dim": 2, "padding_idx": 3}}, [1, "T"],
     "E0305", "none of 3 ids", "0 to 2"),
    ({"gtu": {"dim": 2}}, IN2, "E0409", "over time", "channels"),
    ("gtu", [3, "T"], "E0402", "`gtu` halves", ""),
    ("temporal_shift", IN1, "E0402", "nothing would be shifted", "4 at most"),
    ({"temporal_shift": {"fold_div": 1}}, IN1, "E0305", "2 or more", ""),
    ({"stack": {"frames": 3, "padding": 3}}, IN1, "E0404", "more than 2", "at most 2"),
    ({"stack": {"frames": 3, "stride": 2, "padding": "same"}}, IN1, "E0406", "stride", ""),
    ({"stack": {"frames": 3, "padding": "full"}}, IN1, "E0305", "`causal`", ""),
    ({"subsample": {"stride": 0}}, IN1, "E0305", "1 or more", ""),
    ({"graph_conv": {"out_channels": 2, "adjacency": [[1, 0], [0, 1]]}}, IN2, "E0402",
     "of 2 nodes, the input has 6", "counts nodes"),
    ({"graph_conv": {"out_channels": 2, "adjacency": [[1, 0], [0]]}}, IN2, "E0305",
     "2 rows of 2", ""),
    ({"graph_conv": {"out_channels": 2, "adjacency": [[[1]], [[1, 0], [0, 1]]]}}, IN2, "E0305",
     "of the same size", ""),
    ({"graph_conv": {"out_channels": 2, "adjacency": [[1, "a"], [0, 1]]}}, IN2, "E0305",
     "at place 2", ""),
    ({"graph_conv": {"out_channels": 2, "adjacency": [[[[1]]]]}}, IN2, "E0305", "number", ""),
    ({"graph_conv": {"out_channels": 2, "adjacency": 3}}, IN2, "E0305", "square matrix", ""),
    ({"graph_conv": {"out_channels": 2, "adjacency": [[]]}}, IN2, "E0305", "square matrix", ""),
    ({"graph_conv": {"out_channels": 2}}, IN2, "E0305", "`adjacency`", "edges"),
    ({"graph_conv": {**GRAPH, "edges": [[0, 1]], "center": 0}}, IN2, "E0305", "`edges`", ""),
    ({"graph_conv": {**GRAPH, "center": 0}}, IN2, "E0305", "`center`", ""),
    ({"graph_conv": {"out_channels": 2, "edges": [[0, 1]]}}, IN2, "E0305", "`center`", ""),
    ({"graph_conv": {"out_channels": 2, "edges": [[0, 1, 2]]}}, IN2, "E0305", "pair", ""),
    ({"graph_conv": {"out_channels": 2, "edges": [[0, -1]]}}, IN2, "E0305", "-1", ""),
    ({"graph_conv": {"out_channels": 2, "edges": 3}}, IN2, "E0305", "pairs", ""),
    ({"graph_conv": {"out_channels": 2, "edges": [[0, 99]], "center": 0}}, IN2, "E0402",
     "100 nodes", "nodes"),
    ({"graph_conv": {**GRAPH, "in_channels": 5}}, IN2, "E0402", "5", "inferred"),
    ({"zero_pad3d": {"padding": 1}}, IN3, "E0409", "cannot pad time", "(0, 1, 1)"),
    ({"zero_pad2d": {"padding": [1, [0, 2]]}}, IN2, "E0409", "cannot pad time", "(0, (0, 2))"),
    ({"zero_pad2d": {"padding": [0, 1, 1, 1]}}, IN2, "E0305", "2 entries", ""),
    ({"zero_pad2d": {"padding": "same"}}, IN2, "E0305", "an integer or a pair", ""),
    ({"zero_pad3d": {"padding": [0, 1]}}, IN2, "E0401", "two dimensions", "`zero_pad2d`"),
    ({"zero_pad3d": {"padding": [0, 1, 1]}}, IN2, "E0401", "two dimensions", "`zero_pad2d`"),
    ({"reflection_pad2d": {"padding": [0, 6]}}, IN2, "E0404", "than the 6", ""),
    ({"circular_pad2d": {"padding": [0, 7]}}, IN2, "E0404", "than the 6", ""),
    ({"constant_pad2d": {"padding": [0, 1]}}, IN2, "E0304", "`value`", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "shape", "code", "message", "help_"),
    WRONG,
    ids=[f"{number}-{next(iter(wrong[0]), '') if isinstance(wrong[0], dict) else wrong[0]}"
         for number, wrong in enumerate(WRONG)],
)  # fmt: skip
def test_wrong_uses_are_told(
    layer: Any, shape: list[Any], code: str, message: str, help_: str
) -> None:
    found = said(layer, shape)
    assert found.code == code
    assert message in found.message, found.message
    assert any(help_ in each.text for each in found.helps) or not help_, found.helps


MENDED = [
    ("group_norm(3)", "(4, T, 6)", "4"),
    ("group_norm(4)", "(4, T)", "1"),
    ("channel_shuffle(3)", "(4, T, 6)", "4"),
    ('scale("place")', "(4, T)", '"channel"'),
    ("zero_pad3d(1)", "(4, T, 6, 6)", "(0, 1, 1)"),
    ("zero_pad2d((1, (0, 2)))", "(4, T, 6)", "(0, (0, 2))"),
    ("temporal_shift(6)", "(4, T)", "4"),
    ("instance_norm3d", "(4, T, 6)", "instance_norm2d"),
]


@pytest.mark.parametrize(("layer", "shape", "mend"), MENDED)
def test_what_is_offered_mends(layer: str, shape: str, mend: str) -> None:
    text = f"codsl 1\nnetwork n {{\n input {shape}\n {layer}\n}}\n"
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(text)
    ((edit,),) = [each.edits for each in caught.value.diagnostics[0].helps]
    assert edit.replacement == mend
    codsl.check(text[: edit.span.start] + mend + text[edit.span.end :])
