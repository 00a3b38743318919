"""The page of tripy's `Conv`, before 0.1.0: its four examples, through `co.Conv` and through the
language, and what it states of arguments and of the size of the output."""

from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import codsl
import codsl.nn as co


@dataclass(frozen=True)
class Example:
    """What the page prints."""

    arguments: tuple[Any, ...]
    named: dict[str, Any]
    language: str
    shape: tuple[int, ...]
    weight: Tensor
    bias: Tensor | None
    output: list[Any] = field(default_factory=list)


def count(*shape: int) -> Tensor:
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape)


EXAMPLES = {
    "basic": Example(
        (),
        {"in_channels": 1, "out_channels": 1, "kernel_dims": (2, 2), "dtype": torch.float32},
        "conv2d(1, (2, 2))",
        (1, 1, 4, 4),
        count(1, 1, 2, 2),
        torch.zeros(1),
        [[[[24.0, 30.0, 36.0], [48.0, 54.0, 60.0], [72.0, 78.0, 84.0]]]],
    ),
    "padding and stride": Example(
        (1, 1, (3, 3)),
        {"padding": ((1, 1), (1, 1)), "stride": (3, 1), "bias": False, "dtype": torch.float32},
        "conv2d(1, (3, 3), padding=((1, 1), (1, 1)), stride=(3, 1), bias=false)",
        (1, 1, 4, 4),
        count(1, 1, 3, 3),
        None,
        [[[[73.0, 121.0, 154.0, 103.0], [139.0, 187.0, 202.0, 113.0]]]],
    ),
    "depthwise": Example(
        (2, 2, (3, 3)),
        {"groups": 2, "bias": False, "dtype": torch.float32},
        "conv2d(2, (3, 3), groups=2, bias=false)",
        (1, 2, 3, 3),
        count(2, 1, 3, 3),
        None,
        [[[[204.0]], [[1581.0]]]],
    ),
    "dilated": Example(
        (1, 1, (2, 2)),
        {"dilation": (2, 2), "bias": False, "dtype": torch.float32},
        "conv2d(1, (2, 2), dilation=(2, 2), bias=false)",
        (1, 1, 3, 3),
        count(1, 1, 2, 2),
        None,
        [[[[38.0]]]],
    ),
}


def by_hand(example: Example) -> Any:
    return co.Conv(*example.arguments, **example.named)


def in_the_language(example: Example) -> Any:
    channels, _, *space = example.shape[1:]
    sizes = ", ".join(["T", *map(str, space)])
    return codsl.build(
        f"codsl 1\nnetwork n {{ input ({channels}, {sizes}) c = {example.language} }}"
    )


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("way", [by_hand, in_the_language])
@torch.no_grad()
def test_the_examples_print_what_they_print(name: str, way: Any) -> None:
    example = EXAMPLES[name]
    net = way(example).eval()
    conv = net if way is by_hand else net.get_submodule("c")
    assert conv.weight.shape == example.weight.shape
    conv.weight.copy_(example.weight)
    assert (conv.bias is None) == (example.bias is None)
    if example.bias is not None:
        assert conv.bias.shape == example.bias.shape
        conv.bias.copy_(example.bias)
    x, wanted = count(*example.shape), torch.tensor(example.output)
    assert torch.equal(net(x), wanted)
    steps = [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]
    due = [step.unsqueeze(2) for step in steps if step is not None]
    end = net.flush()
    assert torch.equal(torch.cat([*due, *([] if end is None else [end])], 2), wanted)


def test_the_arguments() -> None:
    known = signature(co.Conv).parameters
    assert list(known)[:3] == ["in_channels", "out_channels", "kernel_dims"]
    defaults = {
        name: each.default for name, each in known.items() if each.kind is Parameter.KEYWORD_ONLY
    }
    unsaid = dict.fromkeys(["padding", "stride", "groups", "dilation", "dtype"])
    assert defaults == {**unsaid, "bias": True}


@pytest.mark.parametrize(("rank", "torchs"), [(1, nn.Conv1d), (2, nn.Conv2d), (3, nn.Conv3d)])
def test_left_out_arguments_are_those_of_torch(rank: int, torchs: type[nn.Module]) -> None:
    torch.manual_seed(0)
    ours = co.Conv(2, 3, (2,) * rank)
    torch.manual_seed(0)
    theirs: Any = torchs(2, 3, 2)
    assert isinstance(ours, torchs)
    assert repr(ours) == repr(theirs)
    assert ours.weight.dtype == torch.float32
    assert all(
        torch.equal(ours.state_dict()[key], each) for key, each in theirs.state_dict().items()
    )


@pytest.mark.parametrize("size", [(7, 9, 8), (6, 6, 6)])
@pytest.mark.parametrize("padding", [((0, 0),) * 3, ((2, 1), (0, 3), (4, 0))])
@pytest.mark.parametrize("stride", [(1, 1, 1), (2, 3, 1)])
@pytest.mark.parametrize("dilation", [(1, 1, 1), (2, 1, 2)])
@torch.no_grad()
def test_the_size_of_the_output(size: Any, padding: Any, stride: Any, dilation: Any) -> None:
    """`floor((D + before + after - dilation * (kernel - 1) - 1) / stride) + 1`."""
    kernel = (3, 2, 2)
    conv = co.Conv(2, 4, kernel, padding=padding, stride=stride, dilation=dilation, groups=2)
    wanted = [
        (each + sum(pads) - far * (taps - 1) - 1) // step + 1
        for each, pads, far, taps, step in zip(size, padding, dilation, kernel, stride, strict=True)
    ]
    x = torch.randn(1, 2, *size)
    assert list(conv(x).shape) == [1, 4, *wanted]
    assert torch.allclose(conv.forward_steps(x, pad_end=True), conv(x), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_dtype_is_that_of_the_weights(dtype: torch.dtype) -> None:
    conv = co.Conv(1, 1, (2, 2), dtype=dtype)
    assert {each.dtype for each in conv.parameters()} == {dtype}


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"padding": (1, 1)}, "pairs"),
        ({"padding": ((1, 1),)}, "`padding` has an entry for each of 2"),
        ({"stride": (1,)}, "`stride` has an entry for each of 2"),
        ({"dilation": (1, 1, 1)}, "`dilation` has an entry for each of 2"),
        ({"kernel_dims": ()}, "one to three dimensions"),
        ({"kernel_dims": (1, 1, 1, 1)}, "one to three dimensions"),
        ({"groups": 3}, "groups"),
        ({"padding": ((2, 0), (0, 0))}, "padding of 2 over time"),
    ],
)
def test_what_does_not_fit_is_said(named: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        co.Conv(**{"in_channels": 1, "out_channels": 1, "kernel_dims": (2, 2), **named})
