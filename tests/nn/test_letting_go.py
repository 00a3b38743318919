"""A long chunk takes the memory of what is still read, as a clip does, and not of all values."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import codsl

LAYERS = 12
SPEC = f"""codsl 1
network n {{
  input (2, T)
  first = conv1d(3, 3, padding="causal")
  unit[i in 1..{LAYERS}] = residual {{ body = conv1d(3, 3, padding="causal") relu }}
}}
"""


def most_alive(net: codsl.Network, run: Callable[[], object]) -> int:
    """How many outputs of modules there are at once, at most, when another has come."""
    seen: list[weakref.ref[Tensor]] = []
    counts = []

    def note(module: object, given: object, y: Tensor) -> None:
        seen.append(weakref.ref(y))
        counts.append(sum(each() is not None for each in seen))

    hooks = [each.register_forward_hook(note) for each in net.modules() if each is not net]
    run()
    for hook in hooks:
        hook.remove()
    assert len(counts) > 2 * LAYERS
    return max(counts)


@pytest.mark.parametrize("way", ["forward", "forward_steps"])
def test_values_go_when_nobody_reads_them_any_more(way: str) -> None:
    net = codsl.build(SPEC).eval()
    with torch.inference_mode():
        assert most_alive(net, lambda: getattr(net, way)(torch.randn(1, 2, 50))) <= 4


def test_what_is_still_read_stays() -> None:
    """Outputs, and values that a later join reads, are there until then."""
    net = codsl.build(
        "codsl 1\nnetwork n { input (2, T) a = conv1d(2, 3) b = relu c = sigmoid from b "
        'd = join(aggregation="sum") from b, c e = join(aggregation="sum") from b, d '
        "outputs b, e }"
    ).eval()
    x = torch.randn(2, 2, 30)
    with torch.inference_mode():
        wanted = net(x)
        found = net.forward_steps(x)
    for name, y in wanted.items():
        torch.testing.assert_close(found[name], y)
