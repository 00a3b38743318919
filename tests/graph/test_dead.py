"""What no output is made of: built under its name, never computed, never asked for frames."""

import torch

import codsl
from codsl.pipeline import inspect

SPEC = """codsl 1
network n {
  input (2, T)
  a = conv1d(2, 5)
  b = conv1d(2, 3, padding="causal") from input
}
"""


def test_a_dead_layer_costs_nothing() -> None:
    graph, warnings = inspect(SPEC)
    assert [each.code for each in warnings] == ["W0701"]
    assert (graph.min_frames, graph.delay) == (1, 0)
    dead, alive = graph.report().nodes
    assert (dead.macs, dead.state_bytes) == (0, 0)
    assert (alive.macs, alive.state_bytes) == (12, 16)


REPEATED = """codsl 1
template unit {
  skip = conv1d(2, 1)
  rest = conv1d(2, 1) from input
}
network n {
  input (2, T)
  unit[i in 1..2] = unit
  join("sum") from unit[*].skip
}
"""


def test_what_is_read_elsewhere_may_be_dead_in_the_last_unit() -> None:
    graph, warnings = inspect(REPEATED)
    assert not warnings
    assert "unit2.rest" in [graph.nodes[at].path for at in {*range(5)} - {*graph.live}]
    _, warnings = inspect(REPEATED.replace("[*]", "1"))
    assert [each.code for each in warnings] == ["W0701"]
    nowhere = REPEATED.replace(
        "  rest = conv1d(2, 1) from input\n", "  far = relu\n  identity from input\n"
    )
    _, warnings = inspect(nowhere)
    assert [each.message for each in warnings] == ["nothing reads `unit1.far`"]


def test_a_dead_layer_has_its_weights_and_is_not_run() -> None:
    net = codsl.build(SPEC).eval()
    assert [*net.state_dict()] == ["a.weight", "a.bias", "b.weight", "b.bias"]
    clip = torch.randn(1, 2, 3)
    stream = [net.forward_step(clip[:, :, t]) for t in range(3)]
    torch.testing.assert_close(torch.stack(stream, 2), net(clip), rtol=0, atol=5e-6)
    part = net.get_submodule("a")
    assert (part.delay, part(torch.randn(1, 2, 5)).shape) == (4, (1, 2, 1))
