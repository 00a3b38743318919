"""Every row of the table: the contract, and torch.nn's own layer bit for bit."""

from __future__ import annotations

import copy
import itertools
import pickle
import random
from typing import Any

import pytest
import torch
from formulas import CLIP, FRAME
from row_networks import ROWS, clip, examples, frame_of, network
from torch import Tensor, nn
from torch_layers import torch_layer

import codsl
from codsl.algebra.shape import Frame
from codsl.layers.adaptive import AdaptivePool
from codsl.layers.row import arguments, make, type_name
from harness.contract import LONGEST, contract, randomise

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]
EXAMPLES = [
    pytest.param(*case, id=f"{case[0]}-{number}-{case[2]}d")
    for number, case in enumerate(examples())
]
FIRST = [next(group) for _, group in itertools.groupby(EXAMPLES, lambda each: each.values[0])]
"""One example of each row."""

DOUBLE = torch.float64

LAYERS = """
    conv1d conv2d conv3d avg_pool1d avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
    adaptive_max_pool2d adaptive_max_pool3d batch_norm1d batch_norm2d batch_norm3d delay
    identity linear flatten dropout dropout1d dropout2d dropout3d alpha_dropout
    feature_alpha_dropout threshold relu rrelu hardtanh relu6 sigmoid hardsigmoid tanh silu
    hardswish elu celu selu glu gelu hardshrink leaky_relu log_sigmoid softplus softshrink
    prelu softsign tanhshrink softmin softmax softmax2d log_softmax rnn gru lstm
    conv_transpose1d conv_transpose2d conv_transpose3d upsample crop
    gtu layer_norm rms_norm group_norm instance_norm1d instance_norm2d instance_norm3d
    mish local_response_norm
    square sqrt rsqrt reciprocal exp log log1p log2 log10 abs neg sin cos pow clamp
    add sub mul div normalize scale bias
    channel_shuffle pixel_shuffle pixel_unshuffle slice permute reshape
    multihead_attention transformer_encoder_layer cumulative_layer_norm channel_layer_norm
    running_mean positional_encoding recycling_positional_encoding
    embedding graph_conv stft mel subsample temporal_shift stack
    zero_pad2d zero_pad3d constant_pad2d constant_pad3d replication_pad2d replication_pad3d
    reflection_pad2d reflection_pad3d circular_pad2d circular_pad3d
"""
"""The layers of this version."""

OTHERWISE = """
    conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d avg_pool1d avg_pool2d
    avg_pool3d max_pool1d max_pool2d max_pool3d crop multihead_attention transformer_encoder_layer
    cumulative_layer_norm channel_layer_norm running_mean positional_encoding
    recycling_positional_encoding
"""
"""Layers that torch lacks, or has not with all arguments, or not bit for bit."""


def reference(name: str, arguments: dict[str, Any], x: Frame, dtype: torch.dtype) -> Any:
    """Torch's own layer, fresh under the same seed; None where torch has none such."""
    row = make(ROWS[name], arguments)
    previous = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        torch.manual_seed(5)
        return torch_layer(row, x)
    finally:
        torch.set_default_dtype(previous)


@pytest.mark.parametrize(("name", "example", "rank"), EXAMPLES)
def test_examples_keep_the_contract(name: str, example: dict[str, Any], rank: int) -> None:
    held(name, example, rank, DOUBLE)


@pytest.mark.parametrize(("name", "example", "rank"), FIRST)
def test_single_numbers_keep_the_contract(name: str, example: dict[str, Any], rank: int) -> None:
    held(name, example, rank, torch.float32)


def held(name: str, example: dict[str, Any], rank: int, dtype: torch.dtype) -> None:
    """Hold an example to the contract."""
    net = network(name, example, frame_of(name, rank), dtype).eval()
    randomise(net, 5)
    contract(net, dtype)


@pytest.mark.parametrize(("name", "example", "rank"), EXAMPLES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_examples_equal_torch(
    name: str, example: dict[str, Any], rank: int, dtype: torch.dtype
) -> None:
    """Keys, fresh weights and the clip are torch's, in `eval()` and in training."""
    x = frame_of(name, rank)
    ours, theirs = network(name, example, x, dtype), reference(name, example, x, dtype)
    if theirs is None:
        assert name in {*OTHERWISE.split(), *FRAME, *CLIP}, f"torch has `{name}`"
        return
    same_weights(ours.get_submodule("layer"), theirs)
    randomise(ours, 6)
    randomise(theirs, 6)
    for training in (False, True):
        ours.train(training)
        theirs.train(training)
        assert compared(ours, theirs, x, dtype, lengths(ours, name, example)) > 0


@pytest.mark.parametrize(("name", "example", "rank"), EXAMPLES)
def test_examples_are_copied_and_pickled(name: str, example: dict[str, Any], rank: int) -> None:
    """Also after some frames; the copy goes on as the network does, and neither disturbs it."""
    x = frame_of(name, rank)
    net = network(name, example, x, torch.float64).eval()
    chunks = clip(x, 24, torch.float64).split(12, 2)
    with torch.no_grad():
        net.forward_steps(chunks[0])
        copies = [copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
        wanted = net.forward_steps(chunks[1])
        assert wanted is not None
        assert all(torch.equal(each.forward_steps(chunks[1]), wanted) for each in copies)


OTHER = ("dropout", "rrelu", "batch_norm", "instance_norm")
"""Layers that in training are another function than in a stream, or a random one."""
SAME = [each for each in EXAMPLES if not any(word in str(each.values[0]) for word in OTHER)]


@pytest.mark.parametrize(("name", "example", "rank"), SAME)
def test_gradients_are_equal_in_clips_and_streams(
    name: str, example: dict[str, Any], rank: int
) -> None:
    """Of the weights and of the clip, in chunks of three and the end; a stream in training keeps
    what its state was made of."""
    x = frame_of(name, rank)
    drops = any(each.name == "dropout" for each in arguments(ROWS[name]))
    net = network(name, {**example, **({"dropout": 0.0} if drops else {})}, x, DOUBLE)
    randomise(net, 5)
    given = clip(x, net.min_frames + 8, DOUBLE).requires_grad_()
    parts = [net.forward_steps(chunk) for chunk in given.split(3, 2)]
    streamed = torch.cat([y for y in (*parts, net.flush()) if y is not None], 2)
    moved = [*([] if name == "embedding" else [given]), *net.parameters()]
    wanted, found = (torch.autograd.grad((y * y).sum(), moved) for y in (net(given), streamed))
    for one, other in zip(found, wanted, strict=True):
        assert (one - other).abs().max() < 1e-10


def lengths(net: Any, name: str, example: dict[str, Any]) -> list[int]:
    """The clips that torch can be asked about."""
    if issubclass(ROWS[name], AdaptivePool):
        return [example["kernel_size"]]
    least = net.graph.min_frames
    return [least, least + 1, least + 2, least + 9]


def same_weights(ours: nn.Module, theirs: nn.Module) -> None:
    """The same keys in the same order, with equal tensors."""
    wanted = {key.removeprefix("module."): value for key, value in theirs.state_dict().items()}
    found = ours.state_dict()
    assert list(found) == list(wanted)
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)


def compared(ours: Any, theirs: Any, x: Frame, dtype: torch.dtype, frames: list[int]) -> int:
    """How many clips were compared with torch; none differs by a bit."""
    count = 0
    for length in frames:
        given = clip(x, length, dtype)
        try:
            torch.manual_seed(7)
            wanted = theirs(given)
        except (RuntimeError, ValueError):
            continue
        torch.manual_seed(7)
        assert torch.equal(ours(given), wanted), f"{length} frames differ"
        count += 1
    return count


def swept(name: str, arguments: dict[str, Any], x: Frame) -> int:
    """Hold one combination to torch; how many clips were compared."""
    theirs = reference(name, arguments, x, torch.float64)
    ours = network(name, arguments, x, torch.float64).eval()
    if theirs is None:
        return 0
    same_weights(ours.get_submodule("layer"), theirs)
    return compared(ours, theirs, x, torch.float64, lengths(ours, name, arguments))


def combinations(**choices: list[Any]) -> list[dict[str, Any]]:
    """Every combination of these arguments."""
    named = itertools.product(*choices.values())
    return [dict(zip(choices, values, strict=True)) for values in named]


CONVOLUTIONS = [
    each
    for each in combinations(
        kernel_size=[1, 2, 3, 4],
        stride=[1, 2, 3],
        padding=[0, 1, 2, "same"],
        dilation=[1, 2],
        groups=[1, 2],
        padding_mode=["zeros", "replicate"],
    )
    if each["padding"] != "same" or each["stride"] == 1
    if each["padding"] == "same" or each["padding"] <= each["dilation"] * (each["kernel_size"] - 1)
]
AVERAGES = [
    each
    for each in combinations(
        kernel_size=[1, 2, 3, 4],
        stride=[None, 1, 2, 3],
        padding=[0, 1, 2],
        ceil_mode=[False, True],
        count_include_pad=[False, True],
        divisor_override=[None, 3],
    )
    if 2 * each["padding"] <= each["kernel_size"]
    if each["padding"] < each["kernel_size"]
]
MAXIMA = [
    each
    for each in combinations(
        kernel_size=[1, 2, 3, 4],
        stride=[None, 1, 2, 3],
        padding=[0, 1, 2],
        dilation=[1, 2, 3],
        ceil_mode=[False, True],
    )
    if 2 * each["padding"] <= each["kernel_size"]
    if each["padding"] <= each["dilation"] * (each["kernel_size"] - 1)
]


def sample(all_of_them: list[dict[str, Any]], most: int, seed: int) -> list[dict[str, Any]]:
    """Some of them."""
    return random.Random(seed).sample(all_of_them, min(most, len(all_of_them)))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolutions_equal_torch(rank: int) -> None:
    cases = sample(CONVOLUTIONS, 120, rank)
    x = Frame(4, (9, 9)[: rank - 1])
    done = [swept(f"conv{rank}d", {"out_channels": 2, **case}, x) for case in cases]
    assert min(done) >= 3
    assert sum(done) >= 350


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_average_pools_equal_torch(rank: int) -> None:
    cases = [
        case if rank > 1 else {k: v for k, v in case.items() if k != "divisor_override"}
        for case in sample(AVERAGES, 120, rank)
    ]
    x = Frame(2, (5, 6)[: rank - 1])
    done = [swept(f"avg_pool{rank}d", case, x) for case in cases]
    assert min(done) >= 1
    assert sum(done) >= 300


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_max_pools_equal_torch(rank: int) -> None:
    x = Frame(2, (10, 11)[: rank - 1])
    done = [swept(f"max_pool{rank}d", case, x) for case in sample(MAXIMA, 120, rank)]
    assert min(done) >= 1
    assert sum(done) >= 300


def test_sweeps_keep_the_contract() -> None:
    """Combinations of arguments in streams too, uneven padding among them."""
    draw = random.Random(11)
    done = 0
    for kind, cases in (("conv", CONVOLUTIONS), ("avg_pool", AVERAGES), ("max_pool", MAXIMA)):
        for case in sample(cases, 25, 12):
            rank = draw.choice((1, 2, 3))
            arguments = {**case, **({"out_channels": 2} if kind == "conv" else {})}
            if rank == 1:
                arguments.pop("divisor_override", None)
            if draw.random() < 0.5 and arguments["padding"] != "same":
                most = arguments.get("dilation", 1) * (arguments["kernel_size"] - 1)
                pair = (draw.randint(0, most), draw.randint(0, most))
                arguments["padding"] = (pair, *(0,) * (rank - 1))
            space = tuple(draw.choice((10, 11)) for _ in range(rank - 1))
            net = network(f"{kind}{rank}d", arguments, Frame(2, space), torch.float64).eval()
            randomise(net, done)
            assert net.graph.receptive_field < LONGEST / 2
            contract(net, seed=done)
            done += 1
    assert done == 75


class Residual(nn.Module):
    """A body and a shortcut as a user of torch writes them, in the order of the spec."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 6, 3, stride=(2, 1), padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.project = nn.Conv2d(4, 6, 1, stride=(2, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.project(x) + self.norm(self.conv(x)).relu()


def test_a_whole_network_equals_torch() -> None:
    """Fresh weights and the clip of a network, under one seed."""
    torch.manual_seed(8)
    theirs = nn.Sequential(
        nn.Conv2d(3, 4, (3, 1), padding=(1, 0)),
        nn.PReLU(4),
        Residual(),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Conv2d(6, 2, 3, padding="same", padding_mode="replicate"),
        nn.Hardswish(),
    )
    spec = """codsl 1
network whole {
  input (3, T, 6)
  first = conv2d(4, (3, 1), padding=(1, 0))
  slope = prelu(4)
  r = residual {
    conv = conv2d(6, 3, stride=(2, 1), padding=1, bias=false)
    norm = batch_norm2d
    relu
  } shortcut {
    project = conv2d(6, 1, stride=(2, 1))
  }
  max_pool2d(2, ceil_mode=true)
  last = conv2d(2, 3, padding="same", padding_mode="replicate")
  hardswish
}
"""
    torch.manual_seed(8)
    ours = codsl.build(spec)
    found, wanted = ours.state_dict(), theirs.state_dict()
    assert [key.rpartition(".")[2] for key in found] == [key.rpartition(".")[2] for key in wanted]
    assert all(map(torch.equal, found.values(), wanted.values()))
    for training in (True, False):
        x = torch.randn(2, 3, 11, 6)
        assert torch.equal(ours.train(training)(x), theirs.train(training)(x))
    contract(ours.eval(), torch.float32)


def test_the_table_holds_the_layers_of_this_version() -> None:
    """None is missing, and each has an example."""
    assert sorted(ROWS) == sorted(LAYERS.split())
    assert all(row.examples and row.__doc__ for row in ROWS.values())
    assert all(type_name(row) == name for name, row in ROWS.items())
