"""`same` padding with a stride: refused, with the padding that TensorFlow means by it."""

import pytest
import torch
from torch.nn import functional

import codsl


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "wanted"),
    [(7, 2, 1, (2, 3)), (3, 2, 1, (0, 1)), (2, 2, 1, (0, 0)), (3, 4, 1, (0, 0)), (3, 2, 2, (1, 2))],
)
def test_the_help_is_tensorflows(
    kernel: int, stride: int, dilation: int, wanted: tuple[int, int]
) -> None:
    """As many outputs as strides, and of the padding half, rounded down, before."""
    pads = f"`({wanted[0]}, {wanted[1]})`"
    layer = f"conv1d(4, {kernel}, stride={stride}, dilation={dilation}, padding="
    with pytest.raises(codsl.SpecError) as error:
        codsl.check(f'codsl 1\nnetwork n {{ input (3, T) {layer}"same") }}')
    (found,) = error.value.diagnostics
    assert found.code == "E0406"
    assert found.helps[0].text.endswith(f"TensorFlow pads a size that {stride} divides by {pads}")
    net = codsl.build(f"codsl 1\nnetwork n {{ input (3, T) {layer}({wanted},)) }}").eval()
    x = torch.randn(1, 3, 24)
    assert net(x).shape[2] == 24 // stride
    conv = net.conv1d
    y = functional.conv1d(
        functional.pad(x, wanted), conv.weight, conv.bias, stride=stride, dilation=dilation
    )
    assert torch.allclose(net(x), y, atol=1e-6)
