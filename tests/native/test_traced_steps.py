"""A step is traced as torch's operators, by nothing that takes long to load."""

from __future__ import annotations

import operator
import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from codsl.native.tracing import LIKE, traced
from codsl.native.values import Unsupported


class Parts(nn.Module):
    """The first half of a frame beside what a factor makes of the second."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.full((3,), 2.0))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        one, other = x.chunk(2, 1)
        other = other * self.factor
        other += torch.arange(3)
        return one, other, self.factor


def test_operators_in_order_and_what_they_give() -> None:
    x = torch.randn(2, 6)
    module = Parts()
    program = traced(module, [x])
    (given,) = program.graph.find_nodes(op="placeholder")
    assert given.meta[LIKE] == ((2, 6), torch.float32)
    called = [str(node.target) for node in program.graph.nodes if node.op == "call_function"]
    assert called[:1] == ["aten.split.Tensor"]
    assert not any("_." in name for name in called), "nothing is written over"
    parts = program.graph.find_nodes(op="call_function", target=operator.getitem)
    assert all(node.meta[LIKE] == ((2, 3), torch.float32) for node in parts)
    for found, wanted in zip(program(x), module(x), strict=True):
        assert torch.equal(found, wanted)


def test_what_no_result_is_made_of_is_left_out() -> None:
    class Idle(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            torch.sin(x)
            return (x + 1,)

    assert "sin" not in traced(Idle(), [torch.zeros(2)]).code


def test_operators_that_give_nothing_are_no_part_of_it() -> None:
    class Asks(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            torch.ops.aten._assert_tensor_metadata(x, [2], None, torch.float32)
            return (x + len(x[:0].unbind(0)),)

    program = traced(Asks(), [torch.zeros(2)])
    called = program.graph.find_nodes(op="call_function", target=torch.ops.aten.add.Tensor)
    assert len(called) == 1
    assert "assert" not in program.code
    assert "unbind" not in program.code


def test_a_number_that_is_taken_out_is_refused() -> None:
    class Taken(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            return (x * float(x.sum()),)

    with pytest.raises(Unsupported, match="takes a number out of a tensor"):
        traced(Taken(), [torch.ones(2)])


STEP = """
import sys
import torch
import codsl
from codsl.engine.backends.native import NATIVE
from codsl.engine.lister import Lister
from codsl.engine.pure import PureStep
from codsl.native.tracing import traced

text = "codsl 1\\nnetwork n { input (2, T) a = conv1d(2, 1) tanh b = conv1d(2, 1) sigmoid }\\n"
net = codsl.build(text).eval()
style = NATIVE.style(1, torch.device("cpu"))
listing = Lister(net.program, torch.empty(0), style).listing(0)
print("aten.tanh_." in traced(PureStep(listing), [torch.ones(1, 2)]).code)
print(*(name for name in ("torch._dynamo", "torch._inductor") if name in sys.modules))
"""


def test_the_compiler_of_torch_is_not_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", STEP], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n\n"), done.stderr
