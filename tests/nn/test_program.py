"""A program by itself: what its nodes get and keep, in a clip, in steps and at the end."""

from __future__ import annotations

import copy
import random
import weakref
from typing import Any

import pytest
import torch
from remembering import remembering
from torch import Tensor

import codsl
import codsl.nn as co
from codsl.nn.running.program import Program
from harness.contract import randomise

pytestmark = pytest.mark.usefixtures("remembering")
__all__ = ["remembering"]

MIXED = """codsl 1
network mixed {
  inputs near (2, T, 4), far (3, T)
  outputs head, rare, straight
  stem = conv2d(3, 3, padding=1) from near
  norm = batch_norm2d
  rare = avg_pool2d((4, 2), stride=(3, 2), padding=(2, 0))
  straight = tanh from far
  first = mean_so_far
  wide = conv1d(3, 5, dilation=2, padding="same", padding_mode="replicate")
  second = mean_so_far
  nearby = mean_nearby from far
  both = join("mul") from second, nearby, straight
  head = conv1d(2, 2)
  unread = batch_norm2d from stem
}
"""


def built(spec: Any) -> Any:
    """A network of doubles under a seed."""
    torch.manual_seed(1)
    net = codsl.build(spec, dtype=torch.float64).eval()
    randomise(net, 1)
    return net


def of(*layers: Any, space: tuple[int, ...] = ()) -> Any:
    return built({"codsl": 1, "input": [2, "T", *space], "layers": list(layers)})


def clips(program: Program, frames: int) -> list[Tensor]:
    """A clip of two rows for each input."""
    generator = torch.Generator().manual_seed(frames)
    shapes = [inlet.frame for inlet in program.graph.inputs]
    return [
        torch.randn(2, x.channels, frames, *x.space, generator=generator, dtype=torch.float64)
        for x in shapes
    ]


def begin(program: Program, rows: int = 2) -> co.State:
    return program.init_state(rows, torch.float64, torch.device("cpu"))


@torch.no_grad()
def check(program: Program, frames: int, seed: int = 0) -> None:
    """Any chunks, and the end after each of them, are the clip."""
    draw = random.Random(seed)
    xs = clips(program, frames)
    found: list[list[Tensor]] = [[] for _ in program.graph.outputs]
    state, at = begin(program), 0
    while at < frames:
        stop = min(frames, at + draw.choice((1, 1, 1, 2, 5)))
        ys, state = program.steps([x[:, :, at:stop] for x in xs], state)
        at = stop
        assert state.frame == at
        before = [tensor.clone() for tensor in state.tensors]
        ends = program.flush(state)
        assert all(map(torch.equal, state.tensors, before))
        for each, y in zip(found, ys, strict=True):
            each.extend([] if y is None else [y])
        if at < program.graph.min_frames:
            assert ends == (None,) * len(found)
            continue
        whole = program.clip([x[:, :, :at] for x in xs])
        for each, end, wanted in zip(found, ends, whole, strict=True):
            parts = each if end is None else [*each, end]
            torch.testing.assert_close(torch.cat(parts, 2), wanted, rtol=1e-11, atol=1e-11)


def residual(*layers: Any, **options: Any) -> Any:
    return {"residual": {"layers": list(layers), **options}}


CONV = {"name": "conv", "out_channels": 2, "kernel_size": 3, "padding": 1}
POOL = {"kernel_size": [4, 2], "stride": [3, 2]}
NETS: dict[str, Any] = {
    "mixed": lambda: built(MIXED),
    "crop": lambda: of(residual({"conv1d": {**CONV, "padding": 0}}, shrink="lagging")),
    "smaller before it is kept": lambda: of({"max_pool2d": POOL}, "relu", space=(5,)),
    "strided": lambda: of({"conv1d": {**CONV, "stride": 3}}, {"max_pool1d": {"kernel_size": 2}}),
    "spread": lambda: of("spread_out", {"conv1d": {**CONV, "stride": 2}}, "spread_out"),
    "delay": lambda: of({"delay": 2}, residual({"conv1d": CONV}), residual("tanh", {"delay": 4})),
}


@pytest.mark.parametrize("name", NETS)
def test_chunks_and_ends_are_the_clip(name: str) -> None:
    program = NETS[name]().program
    least = program.graph.min_frames
    for seed, frames in enumerate((least, least + 1, 9, 23)):
        check(program, frames, seed)


def test_a_state_has_a_name_and_a_shape_for_all_that_is_kept() -> None:
    program = built(MIXED).program
    kept = {
        "near:items": (2, 2, 4),
        "stem:items": (3, 0, 4),
        "rare:kept": (3, 3, 2),
        "far:items": (3, 1),
        "straight:items": (3, 4),
        "first:items": (3, 8),
        "wide:items": (3, 0),
        "nearby:kept": (3, 3),
        "second:items": (3, 0),
        "nearby:items": (3, 3),
        "both:items": (3, 1),
        "first:sum": (3,),
        "first:count": (1,),
        "second:sum": (3,),
        "second:count": (1,),
    }
    assert dict(zip(program.names, program.layout, strict=True)) == kept
    state = program.init_state(3, torch.float16, torch.device("cpu"))
    assert (state.frame, state.batch_size, state.names) == (0, 3, program.names)
    assert state.layout == program.layout
    assert [tensor.dtype for tensor in state.tensors if tensor.dtype != torch.float16] == [
        torch.int64,
        torch.int64,
    ]
    assert not any(tensor.any() for tensor in state.tensors)
    assert program.difference(state) == ""
    assert "conv:items" in program.difference(begin(of({"conv1d": CONV}, "relu").program))


def test_an_input_without_a_name_is_called_input() -> None:
    assert of({"conv1d": CONV}).program.names == ("input:items",)


def test_given_counts_the_items_of_every_feed() -> None:
    program = of({"conv1d": {**CONV, "stride": 3}}, {"max_pool1d": {"kernel_size": 2}}).program
    assert program.names == ("input:items", "conv:items")
    assert [program.given(frames) for frames in (0, 1, 2, 4, 5, 9)] == [
        [0, 0],
        [1, 0],
        [2, 1],
        [4, 1],
        [5, 2],
        [9, 3],
    ]


def test_norms_by_the_batch_are_those_that_are_computed_and_trained() -> None:
    net = built(MIXED)
    assert list(net.program.of_the_batch) == []
    net.train()
    assert list(net.program.of_the_batch) == ["norm"]


def test_a_clip_lets_go_of_what_nobody_reads_any_more() -> None:
    net = built(MIXED)
    made: dict[str, weakref.ref[Tensor]] = {}
    alive: dict[str, set[str]] = {}

    def note(name: str) -> Any:
        def hook(module: Any, inputs: Any, y: Tensor) -> None:
            alive[name] = {other for other, ref in made.items() if ref() is not None}
            made[name] = weakref.ref(y)

        return hook

    for name, module in net.named_modules():
        if name:
            module.register_forward_hook(note(name))
    with torch.no_grad():
        ys = net.program.clip(clips(net.program, 9))
    assert alive == {
        "norm": {"stem"},
        "rare": {"norm"},
        "straight": {"rare"},
        "first": {"rare", "straight"},
        "wide": {"rare", "straight", "first"},
        "second": {"rare", "straight", "wide"},
        "nearby": {"rare", "straight", "second"},
        "both": {"rare", "straight", "second", "nearby"},
        "head": {"rare", "straight", "both"},
        "stem": set(),
    }
    assert [y.shape[1] for y in ys] == [2, 3, 3]


def inputs_of(module: Any) -> list[tuple[Tensor, ...]]:
    """What a module gets, call by call, from now on."""
    seen: list[tuple[Tensor, ...]] = []

    def note(module: Any, given: Any) -> None:
        seen.append(tuple(each for each in given if isinstance(each, Tensor)))

    module.register_forward_pre_hook(note)
    return seen


@pytest.mark.parametrize(
    ("shrink", "first", "last"), [("lagging", 0, 6), ("leading", 3, 9), ("centered", 1, 7)]
)
def test_a_join_cuts_what_is_longer_and_nothing_else(shrink: str, first: int, last: int) -> None:
    """What it reads whole is the very tensor that was made."""
    net = of(residual({"conv1d": {**CONV, "kernel_size": 4, "padding": 0}}, shrink=shrink))
    made: list[Tensor] = []
    net.conv.register_forward_hook(lambda module, inputs, y: made.append(y))
    seen = inputs_of(net.program.modules[-1])
    (x,) = clips(net.program, 9)
    net.program.clip([x])
    ((shortcut, body),) = seen
    assert body is made[0]
    assert torch.equal(shortcut, x[:, :, first:last])


def test_what_is_not_kept_is_not_copied() -> None:
    """A layer without memory gets the very frames that came, and leaves none behind."""
    program = of("tanh", {"conv1d": CONV}).program
    seen = [inputs_of(module) for module in program.modules]
    (x,) = clips(program, 5)
    _, state = program.steps([x], begin(program))
    assert seen[0][0][0].data_ptr() == x.data_ptr()
    assert seen[1][0][0].shape[2] == 6
    for tensor, (_, depth) in zip(state.tensors, program.layout, strict=True):
        assert tensor.shape[2] == depth
        assert tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()


def test_a_layer_that_writes_to_its_input_never_writes_to_a_state() -> None:
    """Nor does it see less at an end than the stream goes on with."""
    net = built(MIXED)
    x = clips(net.program, 24)
    _, state = net.program.steps([each[:, :, :12] for each in x], begin(net.program))
    calls: list[int] = []

    def spoil(module: Any, given: Any) -> None:
        calls.append(1)
        for each in given:
            if isinstance(each, Tensor):
                each.data.fill_(torch.nan)

    before = [tensor.clone() for tensor in state.tensors]
    handles = [each.register_forward_pre_hook(spoil) for each in net.program.modules]
    with torch.no_grad():
        net.program.flush(state)
        for frame in range(12, 16):
            net.program.steps([each[:, :, frame : frame + 1].clone() for each in x], state)
    assert len(calls) > 20
    assert all(map(torch.equal, state.tensors, before))
    for handle in handles:
        handle.remove()


def test_an_end_is_where_every_layer_has_had_an_item() -> None:
    net = of({"conv1d": {**CONV, "padding": 0}}, {"conv1d": {**CONV, "name": "next"}})
    program = net.program
    assert program.graph.min_frames == 3
    (x,) = clips(program, 3)
    state = begin(program)
    assert program.flush(state) == (None,)
    _, state = program.steps([x[:, :, :2]], state)
    assert program.flush(state) == (None,)
    (y,), state = program.steps([x[:, :, 2:]], state)
    (end,) = program.flush(state)
    assert y is None
    assert torch.allclose(end, program.clip([x])[0], rtol=1e-12, atol=1e-12)


class Summed(co.CoModule):
    """The sum of the last two items; it notes how many came at once, and whether they end."""

    receptive_field = 2
    late = 0

    def __init__(self) -> None:
        super().__init__()
        self.padding = (0,)
        self.last: Tensor | None = None

    @property
    def delay(self) -> int:
        return 1 + self.late

    def forward(self, input: Tensor) -> Tensor:
        return input[:, :, 1:] + input[:, :, :-1]

    def forward_step(self, input: Tensor, update_state: bool = True) -> Tensor | None:
        y = None if self.last is None else self.last + input
        self.last = input if update_state else self.last
        return y

    def forward_steps(
        self, input: Tensor, pad_end: bool = False, update_state: bool = True
    ) -> Tensor | None:
        NOTED.append((input.shape[2], pad_end))
        items = input if self.last is None else torch.cat([self.last, input], 2)
        self.last = items[:, :, -1:] if items.shape[2] else None
        return self.forward(items) if items.shape[2] > 1 else None

    def get_state(self) -> Any:
        return self.last

    def set_state(self, state: Any) -> None:
        self.last = state

    def clean_state(self) -> None:
        self.last = None


class Late(Summed):
    """It says that it is a frame later than it is."""

    late = 1


NOTED: list[tuple[int, bool]] = []


@torch.no_grad()
def beside(own: Any) -> Any:
    """A module with a step of its own, behind every second frame, with a delay after it."""
    conv = co.Conv1d(2, 3, 1, stride=2, dtype=torch.float64)
    net = co.Sequential(conv, own, co.Delay(1)).eval()
    net.forward_steps(torch.zeros(1, 2, 1, dtype=torch.float64))
    net.reset()
    return net


@torch.no_grad()
def test_a_module_with_a_step_of_its_own_gets_what_comes() -> None:
    """Where nothing does it is not asked, but at the end."""
    program = beside(Summed()).program
    check(program, 12)
    NOTED.clear()
    xs, state = clips(program, 3), begin(program)
    for frame in range(3):
        _, state = program.steps([xs[0][:, :, frame : frame + 1]], state)
    program.flush(state)
    assert NOTED == [(1, False), (1, False), (0, True)]


@torch.no_grad()
def test_a_module_that_does_not_keep_to_what_it_declares_is_named() -> None:
    net = beside(Late())
    program = net.program
    (x,), state = clips(program, 9), begin(program)
    _, state = program.steps([x[:, :, :2]], state)
    with pytest.raises(ValueError, match=r"declares that 0 outputs are due, but its step gave 1"):
        program.steps([x[:, :, 2:3]], state)
    with pytest.raises(ValueError, match=r"declares that 1 outputs are due, but its step gave 2"):
        program.steps([x[:, :, 2:5]], state)


def test_a_copy_shares_what_nobody_changes() -> None:
    net = built(MIXED)
    twin = copy.deepcopy(net)
    assert twin.program is not net.program
    assert twin.graph is net.graph
    stem, other = net.get_submodule("stem"), twin.get_submodule("stem")
    assert other.weight is not stem.weight
    assert other.operation is stem.operation
