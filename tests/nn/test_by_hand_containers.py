"""Containers by hand: changed, copied, saved, shared, called in modes; functions; routing."""

from __future__ import annotations

import copy
import io
import pickle
from collections import OrderedDict
from typing import Any

import pytest
import torch
from by_hand import begun
from torch import Tensor, nn

import codsl.nn as co
from codsl.algebra.shape import Frame
from harness.contract import contract, randomise

ROW = Frame(2, ())


def clip_of(frames: int = 10, batch: int = 1, channels: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(frames)
    return torch.randn(batch, channels, frames, generator=generator)


def streamed(net: Any, x: Tensor) -> Tensor:
    net.clean_state()
    steps = [net.forward_step(x[:, :, t]) for t in range(x.shape[2])]
    due = [step.unsqueeze(2) for step in steps if step is not None]
    end = net.flush()
    return torch.cat([*due, *([] if end is None else [end])], 2)


def sequential() -> Any:
    torch.manual_seed(0)
    return co.Sequential(
        co.Conv1d(2, 3, 3, padding=1), nn.ReLU(), co.Residual(co.Conv1d(3, 3, 5, padding=2))
    )


CHANGES: dict[str, tuple[Any, int]] = {
    "append": (lambda net: net.append(nn.Conv1d(3, 3, 3)), 4),
    "insert": (lambda net: net.insert(1, nn.BatchNorm1d(3)), 4),
    "extend": (lambda net: net.extend([nn.Tanh(), nn.Conv1d(3, 1, 1)]), 5),
    "item": (lambda net: net.__setitem__(1, nn.Conv1d(3, 3, 7, padding=3)), 3),
    "name": (lambda net: setattr(net, "2", nn.Conv1d(3, 2, 3)), 3),
    "new name": (lambda net: setattr(net, "head", nn.Conv1d(3, 2, 3)), 4),
    "add_module": (lambda net: net.add_module("head", nn.Conv1d(3, 2, 3)), 4),
    "del": (lambda net: net.__delitem__(2), 2),
    "pop": (lambda net: net.pop(1), 2),
    "inside": (lambda net: net[2].__setitem__(1, nn.Conv1d(3, 3, 3, padding=1)), 3),
    "+=": (lambda net: net.__iadd__(nn.Sequential(nn.Conv1d(3, 3, 3))), 4),
}


@pytest.mark.parametrize("name", CHANGES)
@torch.no_grad()
def test_a_changed_container_is_laid_out_anew(name: str) -> None:
    net = sequential().eval()
    x = clip_of()
    streamed(net, x)
    change, size = CHANGES[name]
    change(net)
    net.eval()
    assert len(net) == size
    assert all(isinstance(part, co.CoModule) for part in net)
    wanted = x
    for part in net:
        wanted = part(wanted)
    assert torch.allclose(net(x), wanted, atol=1e-6)
    net.clean_state()
    assert torch.allclose(streamed(net, x), wanted, atol=1e-6)
    assert net.delay == sum(part.delay for part in net)


@torch.no_grad()
def test_sums_and_multiples_are_continual() -> None:
    net = sequential().eval()
    x = clip_of()
    more = co.Sequential(co.Conv1d(3, 2, 3))
    together = net + more
    assert type(together) is co.Sequential
    assert list(together) == [*net, *more]
    assert torch.allclose(streamed(together.eval(), x), more(net(x)), atol=1e-6)
    one = co.Sequential(co.Conv1d(2, 2, 3, padding=1)).eval()
    for thrice in (one * 3, 3 * one):
        assert type(thrice) is co.Sequential
        assert torch.allclose(streamed(thrice.eval(), x), one(one(one(x))), atol=1e-6)


def test_inserting_among_names() -> None:
    net = co.Sequential(OrderedDict(a=co.Conv1d(2, 2, 3), b=nn.ReLU()))
    net.insert(1, nn.Tanh()).append(nn.Sigmoid()).insert(-4, nn.ReLU6())
    assert list(net._modules) == ["4", "a", "2", "b", "3"]
    assert [type(part).__name__ for part in net] == ["ReLU6", "Conv1d", "Tanh", "ReLU", "Sigmoid"]
    assert net.eval().forward_steps(clip_of()).shape == (1, 2, 8)
    with pytest.raises(IndexError, match="no place 7"):
        net.insert(7, nn.Tanh())


@torch.no_grad()
def test_slices_and_items() -> None:
    net = sequential().eval()
    x = clip_of()
    head = net[:2]
    assert isinstance(head, co.Sequential)
    assert head[0] is net[0]
    assert torch.allclose(streamed(head, x), net[1](net[0](x)), atol=1e-6)
    assert net[-1] is net[2]
    assert [name for name, _ in net.named_children()] == ["0", "1", "2"]


@torch.no_grad()
def test_names_are_those_that_were_given() -> None:
    net = co.Sequential(OrderedDict([("a", nn.Conv1d(2, 2, 3)), ("b", nn.ReLU())]))
    assert list(net.state_dict()) == ["a.weight", "a.bias"]
    both = co.BroadcastReduce(OrderedDict([("left", net), ("right", co.Conv1d(2, 2, 3))]))
    assert next(iter(both.state_dict())) == "left.a.weight"
    assert both.left.a is net.a


def test_flat_state_dicts() -> None:
    net = co.Sequential(co.Sequential(OrderedDict(conv=nn.Conv1d(2, 2, 3))), nn.ReLU())
    assert list(net.state_dict()) == ["0.conv.weight", "0.conv.bias"]
    with co.flat_state_dict:
        flat = net.state_dict()
    assert list(flat) == list(net.state_dict(flatten=True)) == ["conv.weight", "conv.bias"]
    other = co.Sequential(co.Sequential(OrderedDict(conv=nn.Conv1d(2, 2, 3))))
    with co.flat_state_dict:
        other.load_state_dict(flat)
    assert torch.equal(other[0].conv.weight, net[0].conv.weight)
    with pytest.raises(ValueError, match="name the modules"):
        co.Sequential(nn.Conv1d(2, 2, 3), nn.Conv1d(2, 2, 3)).state_dict(flatten=True)


@torch.no_grad()
def test_a_module_in_two_containers_has_a_stream_in_each() -> None:
    conv = co.Conv1d(2, 2, 3).eval()
    one, other = co.Sequential(conv), co.Sequential(conv, nn.ReLU(), conv)
    x = clip_of()
    for t in range(5):
        one.forward_step(x[:, :, t])
    assert torch.allclose(streamed(other, x), conv(conv(x).relu()), atol=1e-6)
    assert torch.allclose(one.forward_steps(x[:, :, 5:]), conv(x)[:, :, 3:], atol=1e-6)
    assert conv.get_state() is None
    assert len(list(other.parameters())) == 2


@torch.no_grad()
def test_copies_mid_stream() -> None:
    net = sequential().eval()
    x = clip_of()
    net.forward_steps(x[:, :, :6])
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    copies = [
        copy.deepcopy(net),
        pickle.loads(pickle.dumps(net)),
        torch.load(file, weights_only=False),
    ]
    wanted = net.forward_steps(x[:, :, 6:], pad_end=True)
    for each in copies:
        assert torch.equal(each.forward_steps(x[:, :, 6:], pad_end=True), wanted)
    with_other = sequential()
    with_other.load_state_dict(net.state_dict())
    assert torch.equal(with_other.eval()(x), net(x))


@torch.no_grad()
def test_a_snapshot_of_a_container_is_a_value() -> None:
    net = sequential().eval()
    x = clip_of()
    net.forward_steps(x[:, :, :6])
    state = net.get_state()
    assert state is not None
    once = net.forward_steps(x[:, :, 6:])
    net.set_state(copy.deepcopy(state))
    assert torch.equal(net.forward_steps(x[:, :, 6:]), once)
    net.state = pickle.loads(pickle.dumps(state))
    assert torch.equal(net.forward_steps(x[:, :, 6:]), once)
    other = co.Sequential(co.Conv1d(2, 2, 9)).eval()
    with pytest.raises(ValueError, match="another network"):
        other.step(x[:, :, 0], state)


@torch.no_grad()
def test_another_batch_mid_stream_is_an_error() -> None:
    net = sequential().eval()
    net.forward_steps(clip_of(5))
    with pytest.raises(ValueError, match="batch of 1"):
        net.forward_step(torch.randn(2, 2))
    net.clean_state()
    net.forward_step(torch.randn(2, 2))


@torch.no_grad()
def test_going_on_after_an_end() -> None:
    net = sequential().eval()
    x = clip_of()
    net.forward_steps(x[:, :, :6], pad_end=True)
    assert torch.allclose(
        net.forward_steps(x[:, :, 6:], pad_end=True), net(x)[:, :, 6 - net.delay :], atol=1e-6
    )


def test_modes_of_torch() -> None:
    net = sequential()
    assert net.training
    assert not any(part.training for part in net.eval().modules())
    assert {each.dtype for each in net.to(torch.float64).parameters()} == {torch.float64}
    assert net(clip_of().double()).dtype == torch.float64
    with pytest.raises(ValueError, match=r"network is torch\.float16"):
        net.half().forward_step(torch.randn(1, 2))


@torch.no_grad()
def test_calls_follow_the_mode_and_hooks_fire() -> None:
    net = sequential().eval()
    x = clip_of()
    seen: list[Any] = []
    net.register_forward_hook(lambda module, given, y: seen.append(None if y is None else y.shape))
    net[0].register_forward_hook(lambda *_: seen.append("part"))
    wanted = net(x)
    with co.call_mode("forward_steps"):
        assert torch.allclose(net(x, pad_end=True), wanted, atol=1e-6)
    net.clean_state()
    net.call_mode = "forward_step"
    assert net[2].call_mode == "forward_step"
    assert net(x[:, :, 0]) is None
    net.call_mode = "forward"
    assert torch.equal(net(x), wanted)
    assert seen.count("part") == 4
    own = [each for each in seen if each != "part"]
    assert own == [wanted.shape, wanted.shape, None, wanted.shape]
    with pytest.raises(ValueError, match="call mode"):
        net.call_mode = "sideways"


def gate(frames: list[Tensor]) -> Tensor:
    return frames[0] * torch.sigmoid(frames[1])


def test_an_aggregation_of_ones_own() -> None:
    torch.manual_seed(0)
    net = co.BroadcastReduce(co.Conv1d(2, 3, 3), co.Conv1d(2, 3, 3), reduce=gate)
    contract(begun(net, ROW))
    assert "reduce=gate" in repr(net)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda xs: xs[0].mean(2, keepdim=True) * xs[1], "pointwise in time"),
        (lambda xs: (xs[0] + xs[1]).flip(2), "pointwise in time"),
        (lambda xs: xs[0][:, :, 1:] + xs[1][:, :, :-1], "pointwise in time"),
        (lambda xs: xs[0] - xs[1].mean(0, keepdim=True), "rows of a batch"),
        (lambda xs: xs[0] @ xs[1], "frames"),
    ],
)
def test_an_aggregation_that_mixes_frames_is_refused(function: Any, why: str) -> None:
    net = co.BroadcastReduce(nn.ReLU(), nn.Tanh(), reduce=function)
    with pytest.raises(ValueError, match=why):
        net(clip_of())
    with pytest.raises(ValueError, match=why):
        net.forward_step(clip_of()[:, :, 0])


@torch.no_grad()
def test_routing() -> None:
    net = co.Sequential(
        co.Broadcast(),
        co.Parallel(co.Conv1d(2, 2, 5, padding=2), co.Delay(0), nn.Tanh()),
        co.ParallelDispatch([2, 0]),
        co.Reduce("concat"),
    ).eval()
    x = clip_of()
    assert net[0].num_streams == 3
    conv = net[1][0]
    wanted = torch.cat([x.tanh(), conv(x)], 1)
    assert torch.allclose(net(x), wanted, atol=1e-6)
    assert torch.allclose(streamed(net, x), wanted, atol=1e-6)
    assert net.delay == 2


@pytest.mark.parametrize("mapping", ["01", 3, [0.5], [True], [[None]]])
def test_a_mapping_is_made_of_numbers(mapping: Any) -> None:
    with pytest.raises(ValueError, match="mapping"):
        co.ParallelDispatch(mapping)


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(ValueError, match="there is no stream 2: 2 come in"):
        co.ParallelDispatch([2])([clip_of(), clip_of()])
    with pytest.raises(ValueError, match="2 modules beside one another, but 3 streams"):
        co.Parallel(nn.ReLU(), nn.ReLU())([clip_of()] * 3)
    with pytest.raises(ValueError, match="num_streams"):
        co.Broadcast()(clip_of())
    with pytest.raises(ValueError, match="cannot join"):
        co.BroadcastReduce(co.Conv1d(2, 3, 1), co.Conv1d(2, 2, 1))(clip_of())
    with pytest.raises(ValueError, match="different strides over time: 1, 2"):
        co.BroadcastReduce(nn.ReLU(), co.MaxPool1d(2))(clip_of())
    for branch, lengths in ((co.Conv1d(2, 2, 4), "T, T - 3"), (co.Crop(0, 1), "T, T - 1")):
        with pytest.raises(ValueError, match=f"`sum`: .* T frames give {lengths} outputs"):
            co.BroadcastReduce(nn.ReLU(), branch)(clip_of())
    strided = co.MaxPool1d(2), co.Conv1d(2, 2, 7, 2)
    with pytest.raises(ValueError, match=r"`join`: .* give \(T\) / 2, \(T - 5\) / 2 outputs"):
        co.BroadcastReduce(*strided, reduce=lambda values: values[0])(clip_of())
    with pytest.raises(ValueError, match="needs a shortcut"):
        co.Residual(nn.Conv1d(2, 2, 3, stride=2))
    with pytest.raises(ValueError, match="`0`: in_channels=3, but the input has 2"):
        co.Sequential(nn.Conv1d(3, 2, 1))(clip_of())
    with pytest.raises(ValueError, match="a clip of 1 frames is too short: `0` asks for 3"):
        co.Sequential(nn.Conv1d(2, 2, 3))(clip_of(1))
    with pytest.raises(ValueError, match="too short: `Conv1d` asks for 3"):
        co.Conv1d(2, 2, 3)(clip_of(1))
    with pytest.raises(TypeError, match=r"Conv1d\(in_channels.*'strid'"):
        co.Conv1d(2, 2, 3, strid=2)


def test_reshape_and_linear() -> None:
    net = co.Sequential(co.Reshape(-1, 6), co.Linear(6, 3, channel_dim=1))
    contract(begun(net, Frame(2, (3,))))
    with pytest.raises(ValueError, match="is over time: give `channel_dim=1`"):
        co.Sequential(co.Linear(2, 3))(clip_of(2))
    with pytest.raises(ValueError, match="cannot be reshaped"):
        co.Sequential(co.Reshape(1, 5))(clip_of())
    last = co.Linear(4, 2)
    x = torch.randn(3, 4)
    assert torch.equal(last.forward_step(x), nn.functional.linear(x, last.weight, last.bias))


CLOSURES = {
    "add": (lambda: co.Add(2), lambda x: x + 2),
    "add a tensor": (lambda: co.Add(torch.ones(2, 1)), lambda x: x + 1),
    "multiply": (lambda: co.Multiply(-0.5), lambda x: x * -0.5),
    "identity": (co.Identity, lambda x: x),
    "constant": (lambda: co.Constant(3.0), lambda x: torch.full_like(x, 3)),
    "zero": (co.Zero, torch.zeros_like),
    "one": (co.One, torch.ones_like),
    "lambda": (lambda: co.Lambda(torch.sigmoid), torch.sigmoid),
    "of time": (lambda: co.Lambda(lambda x: x.mean(1, True), takes_time=True),
                lambda x: x.mean(1, True)),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSURES)
def test_closures(name: str) -> None:
    make, plain = CLOSURES[name]
    x = clip_of().double()
    for net in (make(), co.Sequential(make())):
        assert torch.allclose(net(x), plain(x), atol=1e-12)
        assert torch.allclose(net.forward_steps(x), plain(x), atol=1e-12)
    step = make().forward_step(x[:, :, 0])
    assert torch.allclose(step, plain(x)[:, :, 0], atol=1e-12)
    if name in ("add", "multiply", "lambda", "of time", "identity"):
        contract(begun(co.Sequential(make(), co.Conv1d(1 if name == "of time" else 2, 2, 3)), ROW))


@pytest.mark.parametrize("contained", [True, False])
@pytest.mark.parametrize("mode", ["forward_step", "forward_steps"])
def test_a_lambda_that_mixes_frames_is_refused_in_a_stream(contained: bool, mode: str) -> None:
    mixing = co.Lambda(lambda x: x - x.mean(2, keepdim=True), takes_time=True)
    net = co.Sequential(mixing) if contained else mixing
    x = clip_of()
    with pytest.raises(ValueError, match="pointwise in time"):
        getattr(net, mode)(x[:, :, 0] if mode == "forward_step" else x)


@torch.no_grad()
def test_a_conditional_that_changes_its_mind() -> None:
    """Both sides see every frame, so each answer is that of its whole past."""
    torch.manual_seed(0)
    flag = {"on": True}
    net = co.Sequential(
        co.Conditional(lambda *_: flag["on"], co.Conv1d(2, 2, 3), co.Conv1d(2, 2, 3)), nn.Tanh()
    ).eval()
    x = clip_of()
    yes, no = net[0]._modules["0"], net[0]._modules["1"]
    assert (net.delay, net.receptive_field) == (2, 3)
    for t in range(10):
        flag["on"] = t % 3 == 0
        y = net.forward_step(x[:, :, t])
        if t < 2:
            assert y is None
            continue
        side = yes if flag["on"] else no
        assert torch.allclose(y, side(x)[:, :, t - 2].tanh(), atol=1e-6)


@torch.no_grad()
def test_a_conditional_waits_for_its_slower_side() -> None:
    net = co.Conditional(lambda _, x: bool(x.sum() > 0), co.Conv1d(2, 2, 5, padding=2), nn.ReLU())
    assert (net.delay, net.receptive_field) == (2, 5)
    x = clip_of().abs()
    assert torch.equal(net(-x), torch.zeros_like(x))
    assert torch.allclose(streamed(net, x), net._modules["0"](x), atol=1e-6)
    with pytest.raises(ValueError, match="same frames"):
        co.Conditional(lambda *_: True, co.Conv1d(2, 3, 1), nn.ReLU())(x)
    with pytest.raises(ValueError, match="`Conditional`: what meets here differs in length"):
        co.Conditional(lambda *_: True, co.Conv1d(2, 2, 3), nn.ReLU())(x)
    with pytest.raises(TypeError, match="predicate"):
        co.Conditional(True, nn.ReLU())


SIDES: dict[str, tuple[Any, Any, int]] = {
    "padded": (lambda: co.Conv1d(2, 2, 3, 2, 1), lambda: co.Conv1d(2, 2, 5, 2, 2), 0),
    "narrow": (lambda: co.Conv1d(2, 2, 1, 2), lambda: co.Subsample(2), 0),
    "even": (lambda: co.Conv1d(2, 2, 4, 2, 1), lambda: co.Conv1d(2, 2, 2, 2), 0),
    "shortened": (lambda: co.Conv1d(2, 2, 3, 2), lambda: co.MaxPool1d(3, 2), 2),
    "shortened by 4": (
        lambda: co.Sequential(co.Conv1d(2, 2, 3, 2), co.Conv1d(2, 2, 2, 2)),
        lambda: co.Conv1d(2, 2, 5, 4),
        4,
    ),
    "of two": (
        lambda: co.Sequential(co.Conv1d(2, 2, 3, 3), co.Conv1d(2, 2, 3, 1, 1)),
        lambda: co.Conv1d(2, 2, 3, 3),
        0,
    ),
}  # fmt: skip
"""Sides of one stride, and how far behind output `j` the frame is that a predicate sees."""


@pytest.mark.parametrize("name", SIDES)
@torch.no_grad()
def test_sides_of_a_conditional_with_a_stride(name: str) -> None:
    """Every clip is that of the side; a stream may change sides at any output."""
    yes, no, _ = SIDES[name]
    torch.manual_seed(0)
    flag: dict[str, Any] = {"on": True}
    net = co.Conditional(lambda *_: flag["on"], yes(), no()).eval().double()
    sides = {True: net._modules["0"], False: net._modules["1"]}
    for frames in range(9, 15):
        x = torch.randn(2, 2, frames, dtype=torch.float64)
        for flag["on"] in (True, False):
            want = sides[flag["on"]](x)
            assert torch.equal(net(x), want)
            net.reset()
            assert torch.allclose(streamed(net, x), want, atol=1e-14)
    net.reset()
    made = {on: side(x) for on, side in sides.items()}
    stride = net.time.stride
    for t in range(14):
        flag["on"] = t % 3 != 0
        y, due = net.forward_step(x[:, :, t]), t - net.delay
        assert (y is None) == (due < 0 or due % stride > 0)
        if y is not None:
            assert torch.allclose(y, made[flag["on"]][:, :, due // stride], atol=1e-14)


@pytest.mark.parametrize("name", SIDES)
@torch.no_grad()
def test_a_predicate_sees_the_frame_of_each_output(name: str) -> None:
    yes, no, behind = SIDES[name]
    seen: list[Tensor] = []
    net = co.Conditional(lambda _, x: bool(seen.append(x) or True), yes(), no()).eval()
    x = torch.arange(14.0).expand(1, 2, 14)
    y = net(x)
    stride = net.time.stride
    want = [behind + stride * j for j in range(y.shape[2])]
    assert seen.pop()[0, 0].tolist() == want
    for t in range(14):
        net.forward_step(x[:, :, t])
    steps = [each[0, 0].item() for each in seen]
    assert steps == [each for j, each in enumerate(want) if j * stride + net.delay < 14]


REFUSED_SIDES: list[tuple[Any, Any, str]] = [
    (co.Conv1d(2, 2, 3, 2, 1), None, "different strides over time: 2 and 1"),
    (co.Conv1d(2, 2, 3), co.Conv1d(2, 2, 3, 3), "different strides over time: 1 and 3"),
    (co.Conv1d(2, 2, 3, 2, 1), co.Conv1d(2, 2, 2, 2), "differs in length"),
    (co.Conv1d(2, 2, 3, 2), co.Conv1d(2, 2, 5, 2), "differs in length"),
    (co.Conv1d(2, 2, 4, 2, 2), co.Conv1d(2, 2, 4, 2, 2), "more outputs than there are frames"),
    (co.Upsample(scale_factor=2), co.ConvTranspose1d(2, 2, 2, 2), "stride of 1/2"),
]


@pytest.mark.parametrize(("yes", "no", "why"), REFUSED_SIDES)
def test_sides_that_no_stream_can_choose_between(yes: Any, no: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        co.Conditional(lambda *_: True, yes, no)(clip_of(12))


@torch.no_grad()
def test_delay_and_skip() -> None:
    x = clip_of(6)
    delay = co.Delay(2)
    assert torch.equal(delay(x), x)
    assert delay.forward_step(x[:, :, 0]) is None
    assert torch.equal(delay.forward_steps(x[:, :, 1:]), x[:, :, :4])
    assert torch.equal(co.Delay(2, auto_shrink=True)(x), x[:, :, 2:-2])
    assert torch.equal(co.Delay(2, auto_shrink="lagging")(x), x[:, :, :-2])
    assert torch.equal(co.Skip(2)(x), x[:, :, 2:])
    for bad in (-1, True, 1.5):
        with pytest.raises(ValueError, match="number of frames"):
            co.Delay(bad)
        with pytest.raises(ValueError, match="number of frames"):
            co.Skip(bad)


def test_the_names() -> None:
    assert set(co.__all__) <= set(dir(co))
    assert all(getattr(co, name) is not None for name in dir(co))
    assert "Any" not in dir(co)
    with pytest.raises(AttributeError, match=r"`codsl\.nn` has no `Conv4d`"):
        co.Conv4d  # noqa: B018


def test_gradients_are_those_of_the_clip() -> None:
    net = sequential().double()
    randomise(net, 1)
    net.eval()
    x = clip_of().double()

    def gradients(y: Tensor) -> list[Tensor]:
        net.zero_grad()
        (y * torch.arange(y.numel()).reshape(y.shape)).sum().backward()
        return [each.grad.clone() for each in net.parameters()]

    wanted = gradients(net(x))
    net.clean_state()
    found = gradients(net.forward_steps(x, pad_end=True))
    assert all(torch.allclose(a, b) for a, b in zip(wanted, found, strict=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (co.Conv1d(2, 2, 5, 2), co.Conv1d(2, 2, 3, 2)),
        (co.Conv1d(2, 2, 7, 3), co.Conv1d(2, 2, 5, 3)),
        (co.Conv1d(2, 2, 6, 2), co.Conv1d(2, 2, 3, 2)),
        (co.Conv1d(2, 2, 5, 4), co.Conv1d(2, 2, 2)),
        (co.Sequential(co.ConvTranspose1d(2, 2, 4, 2, 1), co.Conv1d(2, 2, 3, 3)), co.Delay(4)),
    ],
)
@torch.no_grad()
def test_streams_beside_one_another_begin_together(one: Any, other: Any) -> None:
    """Or, where a whole item would be too late, as near before it as items come."""
    for ends in ([one, other], [other, one]):
        net = co.Sequential(co.Broadcast(), co.Parallel(*ends)).eval()
        alone = [co.Sequential(each).eval() for each in ends]
        x, seen = clip_of(40), []
        for t in range(40):
            seen.append([y is not None for y in net.forward_step(x[:, :, t])])
        begun = [column.index(True) for column in zip(*seen, strict=True)]
        apart = [each.stride[0] for each in alone]
        assert max(begun) == max(each.laid.program.graph.begins for each in map(fed, alone))
        assert all(max(begun) - first < step for first, step in zip(begun, apart, strict=True))


def fed(net: Any) -> Any:
    """A module that has seen a frame."""
    net.forward_step(clip_of(1)[:, :, 0])
    return net


def test_what_takes_too_long_to_repeat_itself_is_refused_by_name() -> None:
    raised = [co.ConvTranspose1d(2, 2, 7, 7) for _ in range(4)]
    for ask in (lambda net: net.time, lambda net: net.forward(clip_of(3))):
        with pytest.raises(ValueError, match="`3`: more than 1024 outputs until the pattern"):
            ask(co.Sequential(*raised))
    rows = [
        co.Sequential(co.Conv1d(2, 2, over, over), co.Upsample(scale_factor=over))
        for over in (31, 37)
    ]
    with pytest.raises(ValueError, match="`1`: more than 1024 outputs until"):
        co.Sequential(co.Identity(), co.BroadcastReduce(*rows))(clip_of(200))
