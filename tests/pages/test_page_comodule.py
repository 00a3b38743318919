"""The page of continual-inference's `CoModule`, with only the import changed."""

import re
from inspect import Parameter, signature
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import codsl.nn as co

SIGNATURES = {
    "build_from": "module, *args, **kwargs",
    "clean_state": "",
    "forward": "input",
    "forward_step": "input, update_state=True",
    "forward_steps": "input, pad_end=False, update_state=True",
    "get_state": "",
    "set_state": "state",
    "warm_up": "step_shape",
}
SKETCHES = {
    "forward": """
        O
        ↑
        N
        ↑
-----------------    (-: aggregation)
P   I   I   I   P
""",
    "forward_step": """
O+S O+S O+S O+S
 ↑   ↑   ↑   ↑
 N   N   N   N
 ↑   ↑   ↑   ↑
 I   I   I   I
""",
    "forward_steps": """
        O
        ↑
-----------------    (-: aggregation)
O  O+S O+S O+S  O
↑   ↑   ↑   ↑   ↑
N   N   N   N   N
↑   ↑   ↑   ↑   ↑
P   I   I   I   P
""",
}

REQUIRED = ["receptive_field", "forward", "forward_step", "get_state", "set_state", "clean_state"]


class Mean(co.CoModule):
    """The mean of the last three frames, by hand."""

    receptive_field = 3

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        self.past: list[Tensor] = []

    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> "Mean":
        made = Mean()
        made.gain = nn.Parameter(module.gain.detach().clone())
        return made

    def forward(self, input: Tensor) -> Tensor:
        return self.gain * input.unfold(2, 3, 1).mean(-1)

    def forward_step(self, input: Tensor, update_state: bool = True) -> Tensor | None:
        seen = [*self.past, input]
        if update_state:
            self.past = seen[-2:]
        return self.gain * torch.stack(seen).mean(0) if len(seen) == 3 else None

    def get_state(self) -> Any:
        return list(self.past) or None

    def set_state(self, state: Any) -> None:
        self.past = list(state)

    def clean_state(self) -> None:
        self.past = []


def written(method: Any) -> str:
    known = [each for each in signature(method).parameters.values() if each.name != "self"]
    star = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}
    return ", ".join(
        star.get(each.kind, "")
        + each.name
        + ("" if each.default is Parameter.empty else f"={each.default!r}")
        for each in known
    )


@pytest.mark.parametrize("name", SIGNATURES)
def test_the_methods_are_the_pages(name: str) -> None:
    assert written(getattr(co.CoModule, name)) == SIGNATURES[name]


@pytest.mark.parametrize("name", SKETCHES)
def test_the_docstrings_have_the_sketches(name: str) -> None:
    lines = [line.strip() for line in SKETCHES[name].strip().splitlines()]
    found = [line.strip() for line in (getattr(co.CoModule, name).__doc__ or "").splitlines()]
    start = found.index(lines[0])
    assert found[start : start + len(lines)] == lines


def test_build_from_is_static() -> None:
    assert isinstance(co.CoModule.__dict__["build_from"], staticmethod)
    assert isinstance(co.Sequential.__dict__["build_from"], staticmethod)


@pytest.mark.parametrize(
    ("made", "numbers"),
    [
        (lambda: co.Conv3d(1, 1, (3, 5, 3), (2, 1, 1), (1, 2, 0)), (3, 1, (2, 1, 1), (1, 2, 0))),
        (lambda: co.Conv1d(1, 1, 5), (5, 4, (1,), (0,))),
        (lambda: co.MaxPool1d(2), (2, 1, (2,), (0,))),
        (lambda: co.Delay(3), (1, 3, (1,), (0,))),
        (lambda: co.Sequential(co.Conv1d(1, 1, 3), nn.ReLU(), co.Conv1d(1, 1, 3, 2, 1)),
         (5, 3, (2,), (1,))),
        (Mean, (3, 2, (1,), (0,))),
    ],
)  # fmt: skip
def test_variables(made: Any, numbers: tuple[Any, ...]) -> None:
    """`receptive_field`, `delay`, `stride` and `padding`, the latter two as tuples."""
    module = made()
    found = (module.receptive_field, module.delay, module.stride, module.padding)
    assert found == numbers


@torch.no_grad()
@pytest.mark.parametrize("made", [lambda: co.Conv1d(2, 2, 3, padding=1), Mean])
def test_update_state_false_changes_nothing(made: Any) -> None:
    net = made()
    x = torch.randn(1, 2, 9)
    net.forward_steps(x[:, :, :5])
    tried = net.forward_steps(x[:, :, 5:7], update_state=False)
    once = net.forward_step(x[:, :, 5], update_state=False)
    assert torch.allclose(net.forward_step(x[:, :, 5]), once)
    second = net.forward_step(x[:, :, 6])
    assert torch.allclose(torch.stack([once, second], 2), tried, atol=1e-6)


@torch.no_grad()
def test_pad_end_is_the_mapping_of_forward() -> None:
    net = co.Conv1d(2, 2, 5, padding=2)
    x = torch.randn(1, 2, 9)
    assert net.forward_steps(x).shape[2] == 7
    net.clean_state()
    assert torch.allclose(net.forward_steps(x, pad_end=True), net(x), atol=1e-6)


@torch.no_grad()
def test_state_goes_out_and_in() -> None:
    net = co.Conv1d(2, 2, 3)
    assert net.get_state() is None
    x = torch.randn(1, 2, 9)
    net.forward_steps(x[:, :, :4])
    state = net.get_state()
    wanted = net.forward_step(x[:, :, 4])
    net.forward_steps(x)
    net.set_state(state)
    assert torch.equal(net.forward_step(x[:, :, 4]), wanted)
    net.state = state
    assert torch.equal(net.forward_step(x[:, :, 4]), wanted)
    net.clean_state()
    assert net.state is None
    assert net.forward_step(x[:, :, 0]) is None


@torch.no_grad()
@pytest.mark.parametrize("made", [lambda: co.Conv2d(2, 2, 3), Mean])
def test_warm_up(made: Any) -> None:
    net = made()
    net.warm_up(step_shape=(3, 2, 4))
    assert net.forward_step(torch.randn(3, 2, 4)) is not None
    net.clean_state()
    net.forward_steps(torch.randn(3, 2, net.delay, 4))
    assert net.forward_step(torch.randn(3, 2, 4)) is not None


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_class_that_lacks_a_member_is_refused(missing: str) -> None:
    members = {name: getattr(Mean, name) for name in REQUIRED if name != missing}
    with pytest.raises(TypeError, match=rf"`{missing}`.*Lacking"):
        type("Lacking", (co.CoModule,), members)


def test_all_that_is_missing_is_named() -> None:
    with pytest.raises(TypeError) as caught:
        type("Nothing", (co.CoModule,), {})
    named = re.findall(r"`(\w+)`", str(caught.value))
    assert named == REQUIRED


def test_build_from_copies() -> None:
    theirs = nn.Conv3d(2, 4, 3, padding=1)
    ours = co.Conv3d.build_from(theirs)
    assert torch.equal(ours.weight, theirs.weight)
    with torch.no_grad():
        theirs.weight.add_(1)
    assert not torch.equal(ours.weight, theirs.weight)
    with pytest.raises(NotImplementedError):
        co.CoModule.build_from(theirs)
