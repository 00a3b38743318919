"""What is made continual: modules of torch.nn, users' own classes, and what is refused."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import pytest
import torch
from by_hand import begun
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, parametrize

import codsl.nn as co
from codsl.algebra.shape import Frame
from harness.contract import contract, randomise

ROW = Frame(4, ())
IMAGE = Frame(4, (5, 5))


def clip_of(x: Frame, frames: int = 12) -> Tensor:
    generator = torch.Generator().manual_seed(frames)
    return torch.randn(2, x.channels, frames, *x.space, generator=generator, dtype=torch.float64)


class Block(nn.Module):
    """A residual with a parameter of its own and a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 3, padding=1)
        self.bn = nn.BatchNorm1d(4)
        self.gain = nn.Parameter(torch.full((1, 4, 1), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)) * self.gain) + x


class Valid(nn.Module):
    """Branches that lose frames, cropped by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv1d(4, 3, 3)
        self.b = nn.Conv1d(4, 3, 5)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.a(x)[:, :, 1:-1], self.b(x), x[:, :, 4:]], 1)


class Nested(nn.Module):
    """Containers, a list, a shared module, buffers of both kinds, functions and slices."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(Block(), Block())
        self.more = nn.ModuleList([Block(), nn.Conv1d(4, 4, 3, stride=2)])
        self.last = Valid()
        self.register_buffer("kept", torch.full((4, 1), 2.0))
        self.register_buffer("passing", torch.full((4, 1), 3.0), persistent=False)
        self.unused = nn.Conv1d(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(x) * self.kept + self.passing
        for each in self.more:
            x = each(x)
        x = self.blocks[0](x)
        batch, channels, frames = x.shape
        x = x.view(batch, 2, channels // 2, frames).transpose(1, 2).reshape(x.shape)
        one, other = x.chunk(2, dim=1)
        return self.last(torch.cat([other, one.tanh() + torch.ones(1)], 1)).sigmoid()


class Gate(nn.Module):
    """A gate from the mean over space, per frame."""

    def __init__(self) -> None:
        super().__init__()
        self.squeeze = nn.Conv3d(4, 2, 1)
        self.gain = nn.Parameter(torch.ones(1))
        self.excite = nn.Conv3d(2, 4, (3, 1, 1), padding=(1, 0, 0))

    def forward(self, x: Tensor) -> Tensor:
        gate = self.squeeze(x.mean((3, 4), keepdim=True)).relu()
        return x * torch.sigmoid(self.excite(gate))


MODULES: dict[str, tuple[Any, Frame]] = {
    "conv": (lambda: nn.Conv1d(4, 6, 3, 2, 1, groups=2), ROW),
    "replicate": (lambda: nn.Conv3d(4, 2, 3, padding=1, padding_mode="replicate"), IMAGE),
    "conv transpose": (lambda: nn.ConvTranspose1d(4, 2, 4, 2, 1), ROW),
    "upsample": (lambda: nn.Upsample(scale_factor=2), ROW),
    "pools": (
        lambda: nn.Sequential(nn.MaxPool3d(3, 1, 1), nn.AvgPool3d(2, ceil_mode=True)),
        IMAGE,
    ),
    "old weight norm": (lambda: nn.utils.weight_norm(nn.Conv1d(4, 4, 3)), ROW),
    "norm over space": (lambda: nn.Sequential(nn.LayerNorm((5, 5)), nn.Conv3d(4, 4, 3)), IMAGE),
    "instance norm": (
        lambda: nn.Sequential(nn.InstanceNorm3d(4, affine=True, track_running_stats=True)),
        IMAGE,
    ),
    "shuffle": (lambda: nn.Sequential(nn.ChannelShuffle(2), nn.PReLU(4)), ROW),
    "block": (Block, ROW),
    "valid": (Valid, ROW),
    "nested": (Nested, ROW),
    "gate": (Gate, IMAGE),
    "in a row": (lambda: nn.Sequential(OrderedDict(a=Block(), b=nn.Sequential(Valid()))), ROW),
}  # fmt: skip
NO_CONTRACT = {"conv transpose", "upsample", "old weight norm"}
"""Those whose graph has no numbers, or whose weights poison does not pass."""


def traits(module: nn.Module) -> list[Any]:
    """All that a module is, to be compared before and after."""
    return [
        (name, type(part), part.training, sorted(vars(part)), list(part._forward_hooks), id(part))
        for name, part in module.named_modules()
    ] + [(key, id(each), each._version) for key, each in module.state_dict(keep_vars=True).items()]


def made(name: str) -> tuple[nn.Module, Frame]:
    torch.manual_seed(0)
    make, x = MODULES[name]
    module = make().double()
    randomise(module, 4)
    return module.eval(), x


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
@pytest.mark.parametrize("name", MODULES)
@torch.no_grad()
def test_a_continual_copy(name: str) -> None:
    """The same keys, the clip to the bit, the same stream; the argument is as it was."""
    theirs, frame = made(name)
    theirs.register_forward_hook(lambda *_: None)
    before = traits(theirs)
    ours = co.continual(theirs)
    x = clip_of(frame)
    assert torch.equal(ours(x), theirs(x))
    parts = [ours.forward_steps(chunk) for chunk in x.split([1, 4, 7], 2)]
    due = [part for part in (*parts, ours.flush()) if part is not None]
    assert torch.allclose(torch.cat(due, 2), theirs(x), atol=1e-11)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert traits(theirs) == before
    shared = {each.data_ptr() for each in theirs.state_dict().values() if each.numel()}
    assert not any(each.data_ptr() in shared for each in ours.state_dict().values())


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
@pytest.mark.parametrize("name", sorted(set(MODULES) - NO_CONTRACT))
def test_the_copy_holds_the_contract(name: str) -> None:
    theirs, frame = made(name)
    contract(begun(co.continual(theirs), frame))


@torch.no_grad()
def test_changing_one_does_not_change_the_other() -> None:
    theirs = Nested().double().eval()
    ours = co.continual(theirs)
    x = clip_of(ROW, 14)
    wanted = ours(x)
    for tensor in theirs.state_dict().values():
        tensor.zero_()
    assert torch.equal(ours(x), wanted)


@torch.no_grad()
def test_modules_in_a_container_share_their_tensors() -> None:
    theirs = Block().double().eval()
    before = traits(theirs)
    net = co.Sequential(theirs, nn.ReLU())
    assert traits(theirs) == before
    theirs.conv.weight.zero_()
    assert (net[0].conv.weight == 0).all()


def test_training_flags_are_kept_one_by_one() -> None:
    theirs = nn.Sequential(Block(), nn.BatchNorm1d(4))
    theirs[0].bn.eval()
    ours = co.continual(theirs)
    assert ours.training
    assert ours[0].conv.training
    assert not ours[0].bn.training


def user(forward: Any, **parts: nn.Module) -> nn.Module:
    """A module of a class of its own."""

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, part in parts.items():
                setattr(self, name, part)

        def forward(self, x: Tensor) -> Tensor:
            return forward(self, x)  # type: ignore[no-any-return]

    return Own().double().eval()


REFUSED = {
    "mean over time": (lambda own, x: own.c(x).mean(2, keepdim=True), "`mean` is not pointwise"),
    "mean, then more": (lambda own, x: own.c(x).mean(2, True).relu(), "`mean` is not pointwise"),
    "flatten with time": (lambda own, x: own.c(x).flatten(1), "`flatten` is not pointwise"),
    "softmax over time": (lambda own, x: own.c(x).softmax(2), "`softmax` is not pointwise"),
    "a view that mixes": (lambda own, x: own.c(x).view(x.shape[0], -1, 3), "`view`"),
    "frames turned around": (lambda own, x: own.c(x.flip(2)), "`flip` is not pointwise"),
    "a sum so far": (lambda own, x: own.c(x).cumsum(2), "`cumsum` is not pointwise"),
    "the number of frames": (lambda own, x: own.c(x) / x.shape[2], "`truediv` is not pointwise"),
    "rows mixed": (lambda own, x: own.c(x) - x.mean(0, keepdim=True), "mixes the rows"),
    "frames by number": (lambda own, x: own.c(x)[:, :, :5], "picks frames"),
    "every second frame": (lambda own, x: own.c(x)[:, :, ::2], "picks frames"),
    "the last frame": (lambda own, x: own.c(x)[:, :, -1], "picks frames"),
    "padding by function": (lambda own, x: own.c(functional.pad(x, (2, 0))), "`pad`"),
    "convolution by function": (
        lambda own, x: functional.conv1d(x, own.c.weight, padding=1),
        "`conv1d` is not pointwise",
    ),
    "lengths that differ": (lambda own, x: own.d(x) + x, "`add`: what meets here differs"),
    "chance": (lambda own, x: own.c(x) + torch.rand_like(x), "`rand_like`"),
    "parts as a stream": (lambda own, x: own.c(x.chunk(2, 1)), "several tensors at once"),
    "control flow": (lambda own, x: own.c(x) if x.sum() > 0 else x, "torch.fx cannot trace"),
    "as many as frames": (lambda own, x: own.c(x) + torch.ones(12), "`add` does not take any"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_stream_cannot_do_is_refused(name: str) -> None:
    forward, why = REFUSED[name]
    module = user(forward, c=nn.Conv1d(4, 4, 3, padding=1), d=nn.Conv1d(4, 4, 3))
    with pytest.raises(ValueError, match=why):
        co.continual(module)(clip_of(ROW))


ENCODER = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, batch_first=True), 2)


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (nn.GroupNorm(2, 4), "co.GroupNorm"),
        (nn.InstanceNorm1d(4), "track_running_stats"),
        (nn.Flatten(), "co.Flatten"),
        (nn.Linear(4, 4), "channel_dim=1"),
        (nn.MultiheadAttention(4, 2), "attends to all"),
        (nn.TransformerEncoderLayer(4, 2), "attends to all"),
        (ENCODER, "attends to all"),
        (nn.Transformer(4, 2, 1, 1, 8, batch_first=True), "several inputs"),
        (nn.Bilinear(4, 4, 4), "several inputs"),
        (nn.MaxUnpool1d(2), "several inputs"),
        (nn.CrossEntropyLoss(), "several inputs"),
        (nn.LSTMCell(4, 4), "`co.LSTM` keeps them"),
        (nn.LSTM(4, 4, bidirectional=True), "from its end"),
        (nn.GRU(4, 4, bidirectional=True), "from its end"),
        (nn.AdaptiveAvgPool1d(1), "kernel_size"),
        (nn.ModuleList([nn.ReLU()]), "no `forward`"),
        (nn.LazyConv1d(4, 3), "lazy"),
        (parametrizations.weight_norm(nn.LSTM(4, 4), "weight_hh_l0"), "list of its weights"),
        (parametrize.register_parametrization(Gate(), "gain", nn.Identity()), "class of its own"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_modules_of_torch_that_are_refused(module: nn.Module, why: str) -> None:
    for make in (co.continual, co.Sequential):
        with pytest.raises(ValueError, match=why):
            make(module)


@pytest.mark.parametrize("thing", [3, "relu", None, nn.Conv1d])
def test_things_that_are_no_modules(thing: Any) -> None:
    with pytest.raises(TypeError):
        co.continual(thing)


@pytest.mark.parametrize(
    "module",
    [
        nn.LayerNorm(4),
        nn.ConstantPad1d(1, 0.0),
        nn.Softmax(2),
        nn.BatchNorm1d(4, track_running_stats=False),
    ],
    ids=str,
)
def test_modules_over_time_are_refused_when_the_frames_are_known(module: nn.Module) -> None:
    net = co.continual(nn.Sequential(module))
    with pytest.raises(ValueError, match="`0`"):
        net(torch.randn(1, 4, 4))
    with pytest.raises(ValueError, match="`0`"):
        net.forward_step(torch.randn(1, 4))


class Twice(nn.Module):
    """What only its owner knows to make continual."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x if x.sum() > 0 else x + x


class CoTwice(co.CoModule):
    receptive_field = 1

    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> CoTwice:
        return CoTwice()

    def forward(self, input: Tensor) -> Tensor:
        return 2 * input

    def forward_step(self, input: Tensor, update_state: bool = True) -> Tensor:
        return 2 * input

    def get_state(self) -> None:
        return None

    def set_state(self, state: Any) -> None:
        pass

    def clean_state(self) -> None:
        pass


def test_registered_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(co.convert, "_REGISTERED", {})
    with pytest.raises(ValueError, match="cannot trace it"):
        co.continual(Twice())
    assert co.convert.register(Twice, CoTwice) is CoTwice
    assert isinstance(co.continual(Twice()), CoTwice)
    net = co.Sequential(Twice(), nn.Conv1d(2, 2, 3))
    assert isinstance(net[0], CoTwice)
    x = torch.randn(1, 2, 6)
    assert torch.allclose(net(x), net[1](2 * x))
    for bad in (nn.ReLU, CoTwice(), "CoTwice"):
        with pytest.raises(TypeError):
            co.convert.register(Twice, bad)


@pytest.mark.parametrize("module", [nn.Conv3d(4, 2, (1, 3, 3)), nn.BatchNorm3d(4)], ids=str)
@torch.no_grad()
def test_forward_stepping(module: nn.Module) -> None:
    module.eval()
    before = traits(module)
    stepping = co.forward_stepping(module)
    assert stepping is not module
    assert traits(module) == before
    assert list(stepping.state_dict()) == list(module.state_dict())
    assert stepping.weight is module.weight
    x = torch.randn(2, 4, 3, 5, 5)
    assert torch.equal(stepping(x), module(x))
    assert torch.equal(stepping.forward_steps(x), module(x))
    assert torch.allclose(stepping.forward_step(x[:, :, 1]), module(x)[:, :, 1], atol=1e-6)
    assert not hasattr(module, "forward_step")
    time_last = co.forward_stepping(nn.Linear(4, 4), dim=1)
    assert time_last.forward_step(torch.randn(2, 4)).shape == (2, 4)


def test_modes_of_a_stepping_module_are_its_own() -> None:
    shared = nn.Dropout()
    module = nn.Sequential(shared, nn.Sequential(nn.Conv1d(2, 2, 1), nn.BatchNorm1d(2)), shared)
    stepping = co.forward_stepping(module)
    stepping.eval()
    assert not any(each.training for each in stepping.modules())
    assert all(each.training for each in module.modules())
    assert [*map(id, stepping.parameters())] == [*map(id, module.parameters())]
    assert len(list(stepping.modules())) == len(list(module.modules()))
    x = torch.randn(1, 2, 6)
    assert torch.equal(stepping(x), module.eval()(x))


def test_forward_stepping_is_tried_in_a_container() -> None:
    net = co.Sequential(co.forward_stepping(nn.Conv1d(2, 2, 3, padding=1)))
    with pytest.raises(ValueError, match="`Conv1d` is not pointwise in time"):
        net(torch.randn(1, 2, 6))


def test_a_copy_of_a_continual_module() -> None:
    net = co.Conv1d(2, 2, 3)
    twin = co.continual(net)
    assert twin is not net
    assert torch.equal(twin.weight, net.weight)
    assert twin.weight.data_ptr() != net.weight.data_ptr()


@torch.no_grad()
def test_weight_norm_of_a_continual_module() -> None:
    """Parametrised by hand, with torch's keys."""
    theirs = parametrizations.weight_norm(nn.Conv1d(2, 2, 3))
    ours = parametrizations.weight_norm(co.Conv1d(2, 2, 3))
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(1, 2, 6)
    assert torch.equal(ours(x), theirs(x))
    assert torch.allclose(ours.forward_steps(x), theirs(x), atol=1e-6)
    copy.deepcopy(ours).forward_steps(x)
