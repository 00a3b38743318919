"""The page of continual-inference's `Conv2d`, with only the import changed."""

from inspect import Parameter, signature

import pytest
import torch
from torch import nn

import codsl.nn as co

PAGE = (
    "in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, "
    "padding_mode='zeros', device=None, dtype=None, temporal_fill='zeros'"
)


def written(parameter: Parameter) -> str:
    if parameter.default is Parameter.empty:
        return parameter.name
    return f"{parameter.name}={parameter.default!r}"


@pytest.mark.parametrize("name", ["Conv1d", "Conv2d", "Conv3d"])
def test_the_signature_is_the_pages(name: str) -> None:
    known = list(signature(getattr(co, name)).parameters.values())
    assert ", ".join(map(written, known[:12])) == PAGE
    assert all(each.kind is Parameter.POSITIONAL_OR_KEYWORD for each in known[:12])
    assert all(each.default is not Parameter.empty for each in known[12:])


@pytest.mark.parametrize("name", ["Conv1d", "Conv2d", "Conv3d"])
def test_torchs_positions(name: str) -> None:
    rank = int(name[-2])
    given = (4, 6, 3, 2, 1, 1, 2, False, "zeros", None, torch.float64)
    torch.manual_seed(0)
    theirs = getattr(nn, name)(*given)
    torch.manual_seed(0)
    ours = getattr(co, name)(*given, "zeros")
    assert isinstance(ours, type(theirs))
    assert list(ours.state_dict()) == list(theirs.state_dict()) == ["weight"]
    assert torch.equal(ours.weight, theirs.weight)
    x = torch.randn(2, 4, 7, *(5,) * (rank - 1), dtype=torch.float64)
    assert torch.equal(ours(x), theirs(x))


def test_variables() -> None:
    conv = co.Conv2d(4, 6, (3, 2), groups=2)
    assert conv.weight.shape == (6, 2, 3, 2)
    assert conv.bias.shape == (6,)
    bound = (2 / (4 * 3 * 2)) ** 0.5
    assert conv.weight.abs().max() <= bound
    assert conv.bias.abs().max() <= bound
    assert conv.state is None
    conv.forward_step(torch.randn(1, 4, 5))
    assert conv.state is not None
    assert conv.state is conv.get_state()


@torch.no_grad()
def test_one_instant_at_a_time() -> None:
    """ "Assuming an input of shape (B, C, T, S), it computes the convolution over one temporal
    instant t at a time"."""
    conv = co.Conv2d(2, 3, (3, 3), padding=(0, 1))
    x = torch.randn(2, 2, 6, 5)
    steps = [conv.forward_step(x[:, :, t]) for t in range(6)]
    assert [step is None for step in steps] == [True, True, False, False, False, False]
    assert torch.allclose(torch.stack(steps[2:], 2), conv(x), atol=1e-6)


@pytest.mark.parametrize(
    "given", [{"stride": 2}, {"padding": 1}, {"dilation": 2}, {"padding": 1, "stride": (3, 1)}]
)
@torch.no_grad()
def test_what_the_page_says_is_not_supported_over_time(given: dict[str, object]) -> None:
    conv = co.Conv2d(1, 1, 3, **given).double()
    x = torch.randn(1, 1, 12, 9, dtype=torch.float64)
    chunks = [conv.forward_steps(x[:, :, :7]), conv.forward_steps(x[:, :, 7:], pad_end=True)]
    assert torch.allclose(torch.cat(chunks, 2), conv(x), atol=1e-12)


@torch.no_grad()
def test_temporal_fill_holds_in_every_mode() -> None:
    """Left out it follows `padding_mode`, so that `forward` is torch's; said, it is as said."""
    x = torch.randn(1, 1, 6, dtype=torch.float64) + 5
    theirs = nn.Conv1d(1, 1, 3, padding=1, padding_mode="replicate", dtype=torch.float64)
    ours = co.Conv1d(1, 1, 3, padding=1, padding_mode="replicate", dtype=torch.float64)
    zeros = co.Conv1d(
        1, 1, 3, padding=1, padding_mode="replicate", dtype=torch.float64, temporal_fill="zeros"
    )
    boring = co.Conv1d(1, 1, 3, padding=1, dtype=torch.float64, temporal_fill="replicate")
    for conv in (ours, zeros, boring):
        conv.load_state_dict(theirs.state_dict())
    plain = nn.functional.conv1d(x, theirs.weight, theirs.bias, padding=1)
    for conv, wanted in ((ours, theirs(x)), (zeros, plain), (boring, theirs(x))):
        assert torch.allclose(conv(x), wanted, atol=1e-12)
        assert torch.allclose(conv.forward_steps(x, pad_end=True), wanted, atol=1e-12)


@pytest.mark.parametrize("fill", ["ones", 3])
def test_another_temporal_fill_is_an_error(fill: object) -> None:
    with pytest.raises(ValueError, match="temporal_fill"):
        co.Conv2d(1, 1, 3, temporal_fill=fill)
