"""Named parts of a network, and the modes of torch: training, gradients, inference, dtypes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_network import built, clip, same, stream

import codsl
from harness.contract import contract

NAMES = """codsl 1
network names {
  input (2, T)
  step = conv1d(4, 3, padding=1)
  type = { delay = conv1d(4, 3); half = batch_norm1d }
  delay = residual { stride = conv1d(4, 3, padding="causal") }
  half = parallel {
    forward { graph = conv1d(2, 1, stride=2) }
    program { conv1d(2, 2, stride=2, padding=((1, 0),)) }
  }
  stride = linear(3)
  _state = relu
  training = { _modules = dropout(0.5) }
}
""".replace("; ", "\n")


def test_any_word_may_be_a_name() -> None:
    """Also those that modules use themselves."""
    net = built(NAMES, torch.float64)
    contract(net)
    keys = ["step", "type.delay", "type.half", "delay.stride", "half.forward.graph", "stride"]
    assert {key.rpartition(".")[0] for key in net.state_dict()} >= set(keys)
    assert net.get_submodule("step").kernel_size == (3,)
    assert net.get_submodule("type.delay").out_channels == 4
    assert net.get_submodule("half").delay == 0
    assert net.delay == 3
    assert net.stride == (2,)
    assert not torch.equal(net.train()(clip(net, 50).double()), net.eval()(clip(net, 50).double()))
    assert net.get_submodule("training._modules").p == 0.5
    assert net.half().get_submodule("stride").weight.dtype == torch.float16


def test_a_part_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"no part `mixed\.narrow`"):
        built().get_submodule("mixed.narrow")


@torch.no_grad()
def test_every_named_part_is_continual() -> None:
    """Joins too: they take their values one by one or as a list, in every mode."""
    text = 'a = conv1d(2, 1)\nb = conv1d(2, 1) from input\nj = join("concat") from a, b'
    for net in (built(), codsl.build(f"codsl 1\nnetwork n {{ input (2, T)\n{text} }}")):
        assert all(isinstance(part, codsl.nn.CoModule) for part in net.modules())
    join: Any = net.get_submodule("j")
    assert (join.receptive_field, join.delay, join.stride, join.padding) == (1, 0, (1,), (0,))
    one, other = torch.randn(2, 1, 2, 5)
    whole = torch.cat([one, other], 1)
    for y in (join(one, other), join([one, other]), join.forward_steps(one, other)):
        assert torch.equal(y, whole)
    assert torch.equal(join.forward_step([one[:, :, 1], other[:, :, 1]]), whole[:, :, 1])
    assert join.get_state() is None


PARTS = {"stem": (3, 1, 2), "mixed": (5, 4, 1), "arms": (4, 1, 1), "arms.one": (3, 0, 1)}


@pytest.mark.parametrize("path", [*PARTS, "stem.conv", "mixed.wide", "head", "mixed.slope"])
def test_a_named_part_runs_on_its_own(path: str) -> None:
    part = built(dtype=torch.float64).get_submodule(path)
    if path in PARTS:
        assert (part.receptive_field, part.delay, part.stride[0]) == PARTS[path]
    x = clip(part, 15).double()
    outputs = [part.forward_step(x[:, :, t]) for t in range(15)]
    ends = part.flush()
    due = [y.unsqueeze(2) for y in outputs if y is not None] + ([] if ends is None else [ends])
    torch.testing.assert_close(torch.cat(due, 2), part(x), rtol=0, atol=1e-10)
    first = next(t for t, y in enumerate(outputs) if y is not None)
    assert first == part.delay


def test_a_part_and_the_network_have_streams_of_their_own() -> None:
    net = built()
    x = clip(net, 20)
    wanted = stream(built(), x)
    stream(net.get_submodule("stem"), x)
    stream(net.get_submodule("stem.conv"), x[:, :, :3])
    assert same(stream(net, x), wanted)


def test_a_part_that_reads_from_outside_has_no_numbers() -> None:
    net = built(
        "codsl 1\nnetwork n {\n input (2, T)\n a = relu\n b = tanh\n"
        ' c = { d = join("sum") from a, b }\n}\n'
    )
    with pytest.raises(ValueError, match="outside"):
        _ = net.get_submodule("c").graph


def test_training_reaches_layers_without_a_name() -> None:
    net = built({"codsl": 1, "input": [2, "T"], "layers": ["dropout", {"delay": 1}]})
    x = torch.ones(2, 2, 400)
    assert torch.equal(net(x), x)
    torch.manual_seed(1)
    dropped = (net.train()(x) == 0).float().mean()
    assert 0.4 < dropped < 0.6
    assert torch.equal(net.eval()(x), x)


def test_gradients_are_equal_between_clip_and_steps() -> None:
    """With norms and dropout in `eval()`, the rest in training mode, state is not detached."""
    net = built(dtype=torch.float64).train()
    for module in net.modules():
        if "Norm" in type(module).__name__ or "Dropout" in type(module).__name__:
            module.eval()
    x = clip(net, 20).double()
    net(x).square().sum().backward()
    wanted = {name: parameter.grad.clone() for name, parameter in net.named_parameters()}
    net.zero_grad()
    parts = [y.unsqueeze(2) for y in stream(net, x) if y is not None]
    end = net.flush()
    assert end is not None
    torch.cat([*parts, end], 2).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert wanted[name].abs().max() > 0, name
        torch.testing.assert_close(parameter.grad, wanted[name], rtol=1e-9, atol=1e-9)


def test_state_is_detached_in_eval() -> None:
    net = built()
    stream(net, clip(net, 12))
    assert not any(tensor.requires_grad for tensor in net.get_state().tensors)
    net.train().reset()
    with pytest.warns(UserWarning, match="`stem.norm` is in training mode"):
        stream(net, clip(net, 12))
    assert any(tensor.requires_grad for tensor in net.get_state().tensors)


def test_a_stream_in_inference_mode() -> None:
    net = built()
    x = clip(net, 20)
    wanted = stream(net, x)
    net.reset()
    with torch.inference_mode():
        assert same(stream(net, x), wanted)


def test_other_dtypes_run_too() -> None:
    net = built(dtype=torch.bfloat16)
    x = clip(net, 20).bfloat16()
    with torch.no_grad():
        parts = [y.unsqueeze(2) for y in stream(net, x) if y is not None]
        found = torch.cat([*parts, net.flush()], 2)
        assert (found - net(x)).abs().max() < 0.1
    assert found.dtype == torch.bfloat16


def test_a_built_network_shows_its_numbers() -> None:
    net = built()
    assert net.receptive_field == net.report().total["receptive_field"] == 19
    assert (net.delay, net.stride, net.padding) == (net.graph.delay, (2, 1), (5, 2))
    assert net.get_submodule("stem.conv").padding == (1, 1)


def test_numbers_of_a_network_are_the_most_of_its_outputs() -> None:
    """The first is the finer, and sees less; the last has lost a dimension."""
    net = built(
        "codsl 1\nnetwork n {\n input (3, T, 8)\n outputs near, far, flat\n"
        " near = conv2d(3, 3, padding=1)\n"
        ' far = conv2d(3, (5, 3), stride=2, padding=("causal", 1))\n flatten\n'
        " flat = linear(2)\n}\n"
    )
    assert (net.receptive_field, net.delay) == (7, 1)
    assert (net.stride, net.padding) == ((2, 2), (5, 2))
