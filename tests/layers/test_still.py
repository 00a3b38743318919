"""Rows on single frames: torch.nn's own layer of images bit for bit, or a clear refusal."""

from __future__ import annotations

import itertools
import json
import random
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_layers import torch_layer

import codsl
from codsl.algebra.shape import Frame
from codsl.layers.adaptive import AdaptivePool
from codsl.layers.mistake import Mistake
from codsl.layers.normalization import BatchNorm
from codsl.layers.recipe import Folded
from codsl.layers.row import ANY_RANK, OfImages, Weightless, make, settings
from codsl.layers.table import table
from harness.contract import contract, randomise

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
ROWS = {name: row for name, row in table().items() if row.__module__.startswith("codsl.layers.")}
EXAMPLES = [
    pytest.param(name, example, rank, id=f"{name}-{number}-{rank}d")
    for name, row in ROWS.items()
    for number, example in enumerate(row.examples)
    for rank in (range(3) if row.rank == ANY_RANK else (0,) if name == "linear" else (row.rank,))
    if rank < 3
]
"""An example by row, number and dimensions of space."""

BATCH, FRAMES = 2, 3


def spec_of(x: Frame, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """A layer on single frames, under the key `layer`."""
    written = {key: plain(value) for key, value in arguments.items()}
    layers = [{name: {"name": "layer", **written}}]
    inside = {"per_frame": {"layers": layers}}
    return {"codsl": 1, "input": [x.channels, "T", *x.space], "layers": [inside]}


def plain(value: Any) -> Any:
    return [plain(each) for each in value] if isinstance(value, tuple) else value


def built(x: Frame, name: str, arguments: dict[str, Any]) -> Any:
    graph = checked(json.dumps(spec_of(x, name, arguments)))
    torch.manual_seed(5)
    return codsl.build(graph, dtype=torch.float64)


@cache
def checked(spec: str) -> codsl.Graph:
    return codsl.check(json.loads(spec))


def reference(x: Frame, name: str, arguments: dict[str, Any]) -> nn.Module | None:
    """Torch's own layer of images, fresh under the same seed; None where torch has none such."""
    row = make(ROWS[name], arguments)
    torch.set_default_dtype(torch.float64)
    try:
        torch.manual_seed(5)
        if name == "linear":
            return nn.Linear(x.channels, arguments["out_features"], arguments.get("bias", True))
        if name == "flatten":
            return nn.Flatten()
        if isinstance(row, AdaptivePool):
            return getattr(nn, type(row).__name__)(row.output_size)
        if name.startswith("instance_norm"):
            return getattr(nn, type(row).__name__)(x.channels, **among(row))
        return torch_layer(row, x)
    finally:
        torch.set_default_dtype(torch.float32)


def among(row: Any) -> dict[str, Any]:
    """The arguments of a row that torch's class takes beside the number of channels."""
    return {key: value for key, value in settings(row).items() if key != "num_features"}


def images_of(clip: Tensor) -> Tensor:
    """All frames of clips as one batch."""
    return clip.transpose(1, 2).flatten(0, 1)


def torch_has(name: str) -> bool:
    """Whether torch's own layer of images is what the row is to be; other rows take each frame by
    itself outside as well."""
    row = ROWS[name]
    return name in ("linear", "flatten") or issubclass(row, Weightless | OfImages | BatchNorm)


def as_outside(x: Frame, name: str, arguments: dict[str, Any]) -> None:
    """A row that takes each frame by itself anyway does the same inside."""
    inside, outside = built(x, name, arguments), spec_of(x, name, arguments)
    outside["layers"] = outside["layers"][0]["per_frame"]["layers"]
    torch.manual_seed(5)
    plain_net = codsl.build(outside, dtype=torch.float64)
    assert inside.report().to_dict() == plain_net.report().to_dict()
    for net in (inside, plain_net):
        randomise(net, 6)
    clip = torch.randn(BATCH, x.channels, FRAMES, *x.space, dtype=torch.float64)
    y, wanted = inside.eval()(clip), plain_net.eval()(clip)
    assert torch.equal(y.nan_to_num(7.0), wanted.nan_to_num(7.0))


def fails_outside(x: Frame, name: str, arguments: dict[str, Any]) -> bool:
    """Whether an example is of other frames than these."""
    spec = spec_of(x, name, arguments)
    try:
        codsl.check({**spec, "layers": spec["layers"][0]["per_frame"]["layers"]})
    except codsl.SpecError:
        return True
    return False


def refusals(x: Frame, name: str, arguments: dict[str, Any]) -> str:
    """What is said of a row on single frames, or nothing where it works."""
    try:
        checked(json.dumps(spec_of(x, name, arguments)))
    except codsl.SpecError as error:
        return str(error)
    return ""


def compare(x: Frame, name: str, arguments: dict[str, Any]) -> None:
    """Keys, fresh weights, clip and cost are torch's of every frame, in `eval()` and training."""
    ours, theirs = built(x, name, arguments), reference(x, name, arguments)
    assert theirs is not None, "torch has no such layer"
    found, wanted = ours.get_submodule("layer").state_dict(), theirs.state_dict()
    assert list(found) == list(wanted)
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    randomise(ours, 6)
    randomise(theirs, 6)
    clip = torch.randn(BATCH, x.channels, FRAMES, *x.space, dtype=torch.float64)
    for training in (False, True):
        torch.manual_seed(7)
        y = ours.train(training)(clip)
        torch.manual_seed(7)
        assert torch.equal(images_of(y), theirs.train(training)(images_of(clip)))
    node = ours.graph.nodes[0]
    assert node.frame.shape == (y.shape[1], *y.shape[3:])
    assert node.parameters == sum(each.numel() for each in theirs.parameters())


@pytest.mark.parametrize(("name", "example", "rank"), EXAMPLES)
def test_examples_equal_torch_on_every_frame_or_say_why_not(
    name: str, example: dict[str, Any], rank: int
) -> None:
    x = Frame(4, (6, 6)[:rank])
    example = (
        {key: value for key, value in example.items() if key != "kernel_size"}
        if (name.startswith("adaptive"))
        else example
    )
    said = refusals(x, name, example)
    if said and not torch_has(name) and fails_outside(x, name, example):
        return
    if said:
        over_time = "causal" in str(example.get("padding")) or "temporal_fill" in example
        assert "a single frame has none" in said or "takes each frame by itself" in said
        assert over_time or not torch_has(name)
        return
    folded = isinstance(built(x, name, example).graph.nodes[0].recipe, Folded)
    if not folded and name not in ("linear", "flatten"):
        as_outside(x, name, example)
        return
    if hasattr(nn, ROWS[name].__name__) and reference(x, name, example) is not None:
        compare(x, name, example)
    elif hasattr(nn, ROWS[name].__name__):
        assert "pad" in str(example), "padding of its own"
    net = built(x, name, example).eval()
    assert (net.receptive_field, net.delay) == (1, 0)
    randomise(net, 5)
    contract(net)


def test_every_row_is_tried() -> None:
    """Those of three dimensions alone are refused by their rank."""
    tried = {param.values[0] for param in EXAMPLES}
    assert {name for name in ROWS if name not in tried} == {
        name for name, row in ROWS.items() if row.rank == 3
    }


def test_a_delay_is_refused_with_the_reason() -> None:
    assert "`delay` works over time" in refusals(Frame(4, (6, 6)), "delay", {"delay": 2})


def combinations(**choices: list[Any]) -> list[dict[str, Any]]:
    named = itertools.product(*choices.values())
    return [dict(zip(choices, values, strict=True)) for values in named]


def sample(cases: list[dict[str, Any]], most: int, seed: int) -> list[dict[str, Any]]:
    return random.Random(seed).sample(cases, min(most, len(cases)))


CONVOLUTIONS = [
    each
    for each in combinations(
        kernel_size=[1, 2, 3, 4],
        stride=[1, 2, 3],
        padding=[0, 1, 2, 3, 5, "same"],
        dilation=[1, 2],
        groups=[1, 2],
        padding_mode=["zeros", "replicate", "reflect", "circular"],
    )
    if each["padding"] != "same" or each["stride"] == 1
]
POOLS = combinations(
    kernel_size=[1, 2, 3, 4], stride=[None, 1, 2, 3], padding=[0, 1, 2], ceil_mode=[False, True]
)


@pytest.mark.parametrize("rank", [1, 2])
def test_convolutions_equal_torch(rank: int) -> None:
    """Padding beyond the kernel and what repeats the image included."""
    x = Frame(4, (9, 8)[:rank])
    for case in sample(CONVOLUTIONS, 150, rank):
        compare(x, f"conv{rank}d", {"out_channels": 2, **case})


@pytest.mark.parametrize("rank", [1, 2])
def test_pools_equal_torch_or_are_refused_as_torch_refuses_them(rank: int) -> None:
    x = Frame(2, (7, 6)[:rank])
    refused = 0
    for case in POOLS:
        for kind, more in (
            ("avg", {"count_include_pad": case["padding"] == 1}),
            ("avg", {"divisor_override": 3} if rank == 2 else {}),
            ("max", {"dilation": 1 + case["padding"] % 2}),
        ):
            name, arguments = f"{kind}_pool{rank}d", {**case, **more}
            given = {**arguments, "stride": case["stride"] or case["kernel_size"]}
            theirs = getattr(nn, f"{kind.title()}Pool{rank}d")(**given)
            try:
                theirs(torch.zeros(1, x.channels, *x.space))
            except RuntimeError:
                refused += 1
                with pytest.raises(codsl.SpecError, match=r"E040[34]"):
                    built(x, name, arguments)
                continue
            compare(x, name, arguments)
    assert refused > 20


ADAPTIVE = [(1, 1), (7, 7), (3, 2), (None, 2), (5, None), 4, 1]


@pytest.mark.parametrize("size", ADAPTIVE)
@pytest.mark.parametrize("kind", ["avg", "max"])
def test_adaptive_pools_take_any_size_and_no_window(kind: str, size: Any) -> None:
    compare(Frame(3, (5, 6)), f"adaptive_{kind}_pool2d", {"output_size": size})
    one = size[0] if isinstance(size, tuple) else size
    if one is not None:
        compare(Frame(3, (5,)), f"adaptive_{kind}_pool1d", {"output_size": one})


@pytest.mark.parametrize("dim", [1, 2, 3, -1, -2, -3])
@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax", "glu"])
def test_dimensions_are_those_of_images(name: str, dim: int) -> None:
    compare(Frame(4, (6, 8)), name, {"dim": dim})


def test_macs_are_those_of_the_image() -> None:
    x = Frame(4, (9, 8))
    arguments = {"out_channels": 6, "kernel_size": (3, 2), "stride": (2, 1), "groups": 2}
    (node,) = built(x, "conv2d", arguments).graph.nodes
    assert node.frame == Frame(6, (4, 7))
    assert node.macs == 6 * 4 * 7 * (4 // 2) * 3 * 2
    assert [time.stride for time in node.space] == [2, 1]


@pytest.mark.parametrize(
    ("space", "name", "arguments", "said"),
    [
        ((8, 8), "conv3d", {"out_channels": 2, "kernel_size": 3}, "use `conv2d`: inside"),
        ((8, 8), "conv1d", {"out_channels": 2, "kernel_size": 3}, "one dimension of space"),
        ((8,), "conv2d", {"out_channels": 2, "kernel_size": 3}, "use `conv1d`: inside"),
        ((), "conv1d", {"out_channels": 2, "kernel_size": 1}, "the frames here have none"),
        ((), "dropout1d", {}, "the frames here have none"),
        ((8, 8), "batch_norm3d", {}, "use `batch_norm2d`"),
        ((8, 8), "batch_norm1d", {}, "use `batch_norm2d`"),
        ((8, 8), "linear", {"out_features": 2}, "put `flatten` before it"),
        ((8, 8), "batch_norm2d", {"num_features": 3}, "the input is 4 x T x 8 x 8"),
        ((8, 8), "softmax", {"dim": 0}, "no dimension of a single frame"),
        ((8, 8), "softmax", {"dim": 4}, "no dimension of a single frame"),
        ((3, 8), "glu", {"dim": 2}, "halves an even size"),
        (
            (8, 8),
            "conv2d",
            {"out_channels": 2, "kernel_size": (3, 3, 3)},
            "expected an integer or 2 of them, one for each dimension of space",
        ),
        ((2, 8), "conv2d", {"out_channels": 2, "kernel_size": 3}, "does not fit into 2"),
        (
            (4, 8),
            "conv2d",
            {"out_channels": 2, "kernel_size": 3, "padding": 4, "padding_mode": "reflect"},
            "more than the 4 that are there",
        ),
        ((8, 8), "adaptive_avg_pool2d", {"output_size": 1, "kernel_size": 3}, "window over time"),
        ((8, 8), "adaptive_avg_pool2d", {"output_size": (1, 1, 1)}, "expected"),
        ((8, 8), "max_pool2d", {"kernel_size": 2, "padding": "causal"}, "is over time"),
        ((8, 8), "avg_pool2d", {"kernel_size": 2, "temporal_fill": "zeros"}, "before and after"),
    ],
)
def test_what_does_not_fit_is_told_in_words_of_images(
    space: tuple[int, ...], name: str, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(spec_of(Frame(4, space), name, arguments))
    assert said in str(caught.value)


def test_over_time_an_adaptive_pool_gives_one_frame() -> None:
    for size in (7, (7, 7), None, (None, 2)):
        row = make(ROWS["adaptive_avg_pool2d"], {"output_size": size, "kernel_size": 2})
        with pytest.raises(Mistake, match="expected one over time"):
            row.shape(Frame(2, (9,)))
