"""What surrounds the contract: refusals, snapshots, named parts, training."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from copies import pickled, saved
from torch import Tensor

import codsl
import codsl.nn as co
from codsl.network import Network
from harness.contract import contract, randomise

SPEC = """codsl 1
network small {
  input (3, T, 6)
  stem = {
    conv = conv2d(4, 3, padding=(1, 1), stride=(2, 1))
    norm = batch_norm2d
    relu
  }
  mixed = residual(shrink="lagging") {
    wide = conv2d(4, (3, 1), dilation=(2, 1))
    dropout(0.5)
    slope = prelu(4)
  }
  arms = parallel {
    one { conv = conv2d(2, 3, padding=("causal", 1)) }
    two { max_pool2d((3, 1), stride=1, padding=(1, 0)) }
  }
  adaptive_avg_pool2d(1, kernel_size=2)
  flatten
  head = linear(5)
}
"""


def built(spec: Any = SPEC, dtype: torch.dtype = torch.float32) -> Network:
    """A network with state of its own, in `eval()`."""
    torch.manual_seed(2)
    net = codsl.build(spec, dtype=dtype).eval()
    randomise(net, 2)
    return net


def clip(net: Any, frames: int, seed: int = 0) -> Tensor:
    """A clip of a batch of two."""
    frame = net.graph.input
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, frame.channels, frames, *frame.space, generator=generator)


def stream(net: Any, x: Tensor) -> list[Tensor | None]:
    """The outputs of every step."""
    return [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]


def same(found: list[Tensor | None], wanted: list[Tensor | None]) -> bool:
    """Whether two streams are equal bit for bit."""
    return len(found) == len(wanted) and all(
        (a is None and b is None) or (a is not None and b is not None and torch.equal(a, b))
        for a, b in zip(found, wanted, strict=True)
    )


def test_the_network_keeps_the_contract() -> None:
    contract(built(), torch.float32)


FRAME = torch.zeros(2, 3, 6)
WRONG_FRAMES = {
    "channels": (torch.zeros(2, 4, 6), "B x 3 x 6"),
    "space": (torch.zeros(2, 3, 5), "B x 3 x 6"),
    "a clip": (torch.zeros(2, 3, 1, 6), "B x 3 x 6"),
    "no batch": (torch.zeros(3, 6), "B x 3 x 6"),
    "one dimension": (torch.zeros(3), "B x 3 x 6"),
    "no dimension": (torch.zeros(()), "B x 3 x 6"),
    "batch": (torch.zeros(3, 3, 6), "batch of 2"),
    "dtype": (FRAME.double(), "torch.float64"),
    "integers": (FRAME.long(), "torch.int64"),
    "device": (FRAME.to("meta"), "meta"),
}


@pytest.mark.parametrize("what", WRONG_FRAMES)
def test_a_wrong_frame_leaves_the_stream_as_it_is(what: str) -> None:
    wrong, words = WRONG_FRAMES[what]
    net = built()
    x = clip(net, 20)
    wanted = stream(net, x)
    net.reset()
    found = stream(net, x[:, :, :9])
    before = net.get_state()
    with pytest.raises(ValueError, match=words):
        net.forward_step(wrong)
    with pytest.raises(ValueError, match=words):
        net.step(wrong, before)
    with pytest.raises(ValueError, match=r"B x 3 x T x 6|batch of 2|torch|meta"):
        net.forward_steps(wrong.unsqueeze(2) if wrong.dim() > 1 else wrong)
    assert net.get_state() is before
    assert same(found + stream(net, x[:, :, 9:]), wanted)


@pytest.mark.parametrize("what", [w for w in WRONG_FRAMES if w != "batch"])
def test_a_wrong_first_frame_starts_nothing(what: str) -> None:
    net = built()
    with pytest.raises(ValueError, match=r"B x 3 x 6|torch|meta|shape"):
        net.forward_step(WRONG_FRAMES[what][0])
    assert net.get_state() is None
    assert same(stream(net, clip(net, 9)), stream(built(), clip(net, 9)))


@pytest.mark.parametrize("shape", [(2, 3, 9), (2, 4, 9, 6), (2, 3, 9, 5), (3, 9, 6), (9,), ()])
def test_a_wrong_clip_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="B x 3 x T x 6"):
        built()(torch.zeros(shape))


def test_a_network_that_sees_wrong_dtypes_at_once() -> None:
    """A stream has the dtype of the weights, before there is a state."""
    net = built(dtype=torch.float64)
    with pytest.raises(ValueError, match=r"torch\.float32"):
        net.forward_step(FRAME)
    assert net.get_state() is None


def test_state_before_the_first_frame_and_after_cleaning() -> None:
    net = built()
    assert net.get_state() is None
    assert net.flush() is None
    net.forward_step(FRAME)
    assert net.get_state() is not None
    net.clean_state()
    assert net.get_state() is None
    net.forward_steps(FRAME.unsqueeze(2), update_state=False)
    assert net.get_state() is None


def test_an_empty_chunk_is_nothing() -> None:
    net = built()
    assert net.forward_steps(clip(net, 0)) is None
    state = net.get_state()
    assert state is None or state.frame == 0
    assert same(stream(net, clip(net, 20)), stream(built(), clip(net, 20)))


def test_warm_up_makes_the_next_step_give_a_result() -> None:
    net = built()
    x = clip(net, 30)
    stream(net, x)
    net.warm_up((2, 3, 6))
    warmed = net.forward_step(x[:, :, 0])
    assert warmed is not None
    padded = torch.cat([torch.zeros_like(x[:, :, : net.delay]), x], 2)
    torch.testing.assert_close(warmed, net(padded)[:, :, 0], rtol=0, atol=5e-6)


def raised(*layers: Any) -> dict[str, Any]:
    up = {"name": "up", "out_channels": 2, "kernel_size": 4, "stride": 2, "padding": 1}
    return {"codsl": 1, "input": [2, "T"], "layers": [{"conv_transpose1d": up}, *layers]}


DOWN = {"conv1d": {"name": "down", "out_channels": 2, "kernel_size": 3, "stride": 3}}


@torch.no_grad()
def test_the_first_output_may_come_before_the_delay() -> None:
    """Where a period has several outputs, of which others come later after their own frames."""
    net = codsl.build(raised(DOWN), dtype=torch.float64).eval()
    hand = co.Sequential(
        co.ConvTranspose1d(2, 2, 4, 2, 1), co.Conv1d(2, 2, 3, 3), co.Identity()
    ).double()
    for each in (net, hand):
        assert each.delay == 2
        each.warm_up((1, 2))
        assert each.get_state().frame == each.graph.begins == 1
        assert each.forward_step(torch.zeros(1, 2).double()) is not None
        each.reset()
        dues = [each.forward_step(torch.zeros(1, 2).double()) is not None for _ in range(8)]
        assert dues == [False, True, False, True, True, False, True, True]


@torch.no_grad()
def test_a_network_that_bursts_is_warmed_up() -> None:
    net = codsl.build(raised(), dtype=torch.float64).eval()
    net.warm_up((1, 2))
    assert net.get_state().frame == net.graph.begins
    assert net.forward_steps(torch.zeros(1, 2, 1).double()).shape == (1, 2, 1)


def test_a_shape_to_warm_up_with_is_checked() -> None:
    net = built()
    with pytest.raises(ValueError, match="a frame is B x 3 x 6, got one of shape"):
        net.warm_up((2, 4, 6))


def test_a_pattern_over_space_that_is_too_long_is_said_by_name() -> None:
    """The network runs; what cannot be given are its numbers over space."""
    up = {"out_channels": 2, "kernel_size": [1, 7], "stride": [1, 7]}
    layers = [{"conv_transpose2d": {"name": f"up{each}", **up}} for each in range(4)]
    net = codsl.build({"codsl": 1, "input": [2, "T", 1], "layers": layers}).eval()
    assert net(torch.zeros(1, 2, 2, 1)).shape == (1, 2, 2, 7**4)
    for ask in (lambda: net.stride, lambda: net.padding, lambda: net.graph.space):
        with pytest.raises(ValueError, match="`up3`: more than 1024 positions until"):
            ask()


def test_a_state_is_taken_up_again() -> None:
    """Two streams through one network, taken in turns."""
    net = built()
    clips = [clip(net, 20, seed) for seed in (1, 2)]
    wanted = []
    for x in clips:
        net.reset()
        wanted.append(stream(net, x))
    net.reset()
    states: list[Any] = [None, None]
    found: list[list[Tensor | None]] = [[], []]
    for t in range(20):
        for row, x in enumerate(clips):
            net.set_state(states[row])
            found[row].append(net.forward_step(x[:, :, t]))
            states[row] = net.get_state()
    assert same(found[0], wanted[0])
    assert same(found[1], wanted[1])


def test_a_state_of_another_network_is_refused() -> None:
    net, other = built(), built({"codsl": 1, "input": [3, "T", 6], "layers": ["relu"]})
    net.forward_step(FRAME)
    other.forward_step(FRAME)
    before = net.get_state()
    with pytest.raises(ValueError, match="another network"):
        net.set_state(other.get_state())
    assert net.get_state() is before


@pytest.mark.parametrize("again", [copy.deepcopy, pickled, saved, copy.copy])
def test_a_copy_goes_on_mid_stream(again: Any) -> None:
    net = built()
    x = clip(net, 24)
    stream(net, x[:, :, :11])
    other = again(net)
    wanted = stream(net, x[:, :, 11:])
    assert any(y is not None for y in wanted)
    assert same(stream(other, x[:, :, 11:]), wanted)
    end, wanted_end = other.flush(), net.flush()
    assert same([end], [wanted_end])
    assert torch.equal(other.eval()(x), net(x))


def test_weights_go_from_one_network_to_another() -> None:
    net = built()
    torch.manual_seed(9)
    other = codsl.build(SPEC).eval()
    x = clip(net, 20)
    assert not torch.equal(net(x), other(x))
    assert other.load_state_dict(net.state_dict()) is not None
    assert torch.equal(net(x), other(x))
    assert same(stream(other, x), stream(net, x))


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
