"""Many streams in one batch: every row is a stream of its own, whatever the others do."""

from __future__ import annotations

import copy
import pickle
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
import torch
from own_steps import OWN, Sum, near
from remembering import remembering
from torch import Tensor

import codsl
import codsl.nn as co
from codsl.algebra.ports import Inlet, Outlet
from codsl.algebra.time import IDENTITY
from codsl.graph.graph import Graph, times_of
from codsl.graph.node import Edge
from codsl.network import Network
from codsl.nn import State
from codsl.nn.nest import rebuild
from codsl.nn.running.tree import tensors
from codsl.nn.running.work import Late
from harness.contract import randomise
from harness.networks import Networks
from harness.value import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from codsl.nn.running.stream import Slots

pytestmark = pytest.mark.usefixtures("remembering")
__all__ = ["remembering"]
TOLERANCE = {
    torch.float64: 1e-12,
    torch.float32: 1e-6,
    torch.float16: 4e-3,
    torch.bfloat16: 3e-2,
}
"""Of the larger of 1 and the number: rows run in batches of other sizes, and BLAS adds in another
order."""


def built(spec: Any, dtype: torch.dtype | None = torch.float64, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    net = codsl.build(spec, dtype=dtype).eval()
    randomise(net, seed)
    return net


def of(*layers: Any, space: tuple[int, ...] = (), dtype: torch.dtype = torch.float64) -> Network:
    return built({"codsl": 1, "input": [2, "T", *space], "layers": list(layers)}, dtype)


NUMBERS = count()


def conv(kernel: int, **options: Any) -> dict[str, Any]:
    sizes = {"name": f"conv{next(NUMBERS)}", "out_channels": 2, "kernel_size": kernel}
    return {"conv1d": {**sizes, **options}}


def pool(word: str, kernel: int, stride: int = 1, padding: Any = 0, **options: Any) -> Any:
    sizes = {"kernel_size": kernel, "stride": stride, "padding": padding}
    return {f"{word}_pool1d": {**sizes, **options}}


def up(kernel: int, factor: int, padding: int = 0) -> dict[str, Any]:
    sizes = {"out_channels": 2, "kernel_size": kernel, "stride": factor, "padding": padding}
    return {"conv_transpose1d": {"name": f"up{next(NUMBERS)}", **sizes}}


class Streams:
    """Slots, and beside them for every row a stream of its own, that must say the same."""

    def __init__(self, net: Network, slots: int, draw: random.Random) -> None:
        self.net = net
        self.slots = net.stream(slots)
        self.alone: dict[int, State] = {}
        self.draw = draw
        self.hits: Counter[str] = Counter()

    def frames(self, rows: list[int]) -> Any:
        def one(inlet: Inlet) -> Tensor:
            shape = (len(rows), *inlet.frame.shape)
            generator = torch.Generator().manual_seed(self.draw.randrange(2**40))
            drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
            return drawn.to(self.slots._kept.dtype)

        inputs = self.net.graph.inputs
        if not inputs[0].name:
            return one(inputs[0])
        return {inlet.name: one(inlet) for inlet in inputs}

    def begun(self) -> State:
        """The state of a stream of its own before its first frame."""
        return self.net.init_state(1)

    def change(self) -> None:
        """Rows join, leave, begin anew, and move to another row, now and then."""
        slots, draw = self.slots, self.draw
        if len(slots.rows) < slots.slots and draw.random() < 0.4:
            self.alone[slots.join()] = self.begun()
        if slots.rows and draw.random() < 0.04:
            row = draw.choice(slots.rows)
            slots.leave(row)
            del self.alone[row]
        if slots.rows and draw.random() < 0.04:
            row = draw.choice(slots.rows)
            slots.reset([row])
            self.alone[row] = self.begun()
        if len(slots.rows) > 1 and draw.random() < 0.1:
            one, other = draw.sample(slots.rows, 2)
            slots.load(one, slots.save(other))
            self.alone[one] = self.alone[other]

    def step(self) -> None:
        rows = self.draw.sample(self.slots.rows, self.draw.randint(0, len(self.slots.rows)))
        x = self.frames(rows)
        for _, _, late in self.slots._groups(rows):
            self.hits["alike" if late is None else "late"] += 1
        ys, due = self.slots.step(x, rows)
        for place, row in enumerate(rows):
            own = {k: v[[place]] for k, v in x.items()} if isinstance(x, dict) else x[[place]]
            y, self.alone[row] = self.ahead(own, self.alone[row])
            for found, said, wanted in self.outputs(ys, due, y):
                self.agree(found[place], said[place], wanted)
        assert self.slots.frames == {row: self.alone[row].frame for row in self.slots.rows}

    def ahead(self, x: Any, state: State) -> tuple[Any, State]:
        """A step of one stream, of several outputs `(1, C, n)` where a frame may bring them."""
        if not any(self.bursts):
            return self.net.step(x, state)
        clips = [each.unsqueeze(2) for each in (x.values() if isinstance(x, dict) else [x])]
        ys, new = self.net.program.steps(clips, state)
        ys = tuple(
            y if y is None or bursts else y.squeeze(2)
            for y, bursts in zip(ys, self.bursts, strict=True)
        )
        return rebuild(self.net.laid.outputs, ys), new

    @property
    def bursts(self) -> list[bool]:
        graph = self.net.graph
        return [graph.times[outlet.value].bursts for outlet in graph.outputs]

    def outputs(self, ys: Any, due: Any, y: Any) -> list[tuple[Tensor, Tensor, Tensor | None]]:
        if isinstance(ys, dict):
            assert set(ys) == set(due) == set(y)
            return [(ys[name], due[name], y[name]) for name in ys]
        return [(ys, due, y)]

    def agree(self, found: Tensor, due: Tensor, wanted: Tensor | None) -> None:
        assert bool(due) == (wanted is not None)
        if wanted is None:
            assert not found.any()
            return
        if due.dtype == torch.int64:
            assert due == wanted.shape[2]
            assert not found[:, due:].any()
            found = found[:, :due]
            self.hits["several"] += wanted.shape[2] > 1
        self.hits["outputs"] += 1
        close(found, wanted[0])

    def end(self) -> None:
        """What the ends say, and states that are those of a stream of its own."""
        for row, end in zip(self.slots.rows, self.slots.flush(), strict=True):
            ends = self.net.program.flush(self.alone[row])
            found = end.values() if isinstance(end, dict) else [end]
            for each, wanted in zip(found, ends, strict=True):
                assert (each is None) == (wanted is None)
                if each is not None:
                    self.hits["ends"] += 1
                    close(each, wanted)
            state = self.slots.save(row)
            assert (state.frame, state.batch_size) == (self.alone[row].frame, 1)
            for tensor, wanted in zip(state.tensors, self.alone[row].tensors, strict=True):
                close(tensor, wanted)


def close(found: Tensor, wanted: Tensor) -> None:
    assert found.shape == wanted.shape
    assert found.dtype == wanted.dtype
    same = (found == wanted) | (found.isnan() & wanted.isnan())
    apart = torch.where(same, 0.0, (found - wanted).abs() / wanted.abs().clamp(min=1))
    assert not apart.numel() or apart.max() <= TOLERANCE.get(found.dtype, 0)


@torch.no_grad()
def agree(net: Network, seed: int = 0, slots: int = 6, rounds: int = 0) -> Counter[str]:
    """Hold slots to streams of their own, and count what was met."""
    streams = Streams(net, slots, random.Random(seed))
    cycle = net.graph.cycle
    for turn in range(rounds or cycle.start + 3 * cycle.turn + 30):
        streams.change()
        streams.step()
        if turn % 5 == 0:
            streams.end()
    return streams.hits


KINDS: dict[str, tuple[Any, ...]] = {
    "nothing": ("relu",),
    "window": (conv(3), conv(3)),
    "zeros": (conv(3, padding=1), conv(5, padding="same")),
    "replicate": (conv(3, padding=2, padding_mode="replicate", dilation=2), conv(3, padding=1)),
    "replicated averages": (pool("avg", 4, 1, [[2, 1]], temporal_fill="replicate"), conv(2)),
    "minus infinity": (conv(1), pool("max", 3, 1, 1), pool("max", 5, 1, [[4, 0]])),
    "zeros in a max pool": (conv(1), pool("max", 3, 1, 1, temporal_fill="zeros")),
    "cut": (conv(1), pool("avg", 4, 1, [[2, 2]], count_include_pad=False), conv(3, padding=1)),
    "ceil": (conv(3, padding=1), pool("max", 3, 2, 1, ceil_mode=True)),
    "stride": (conv(3, padding=1, stride=2), conv(3, padding=1, stride=2)),
    "delay": (conv(3, padding=1), {"delay": 3}, conv(3, padding=1)),
    "residual": ({"residual": {"layers": [conv(3, padding=1), conv(5, padding=2)]}},),
    "crop": (conv(3, padding=1), {"residual": {"shrink": "lagging", "layers": [conv(4)]}}),
    "squeeze": (
        conv(3, padding=1),
        {
            "residual": {
                "shrink": "centered",
                "aggregation": "mul",
                "layers": [{"adaptive_avg_pool1d": {"output_size": 1, "kernel_size": 3}}],
            }
        },
    ),
    "strided join": (
        {
            "parallel": {
                "branches": [[conv(5, padding=2, stride=2)], [conv(3, padding=1, stride=2)]]
            }
        },
        conv(3, padding=1),
    ),
    "carried": (conv(3, padding=1), "mean_so_far", conv(3, padding=1), "mean_so_far"),
    "carried at a stride": (conv(3, padding=1, stride=2), "mean_so_far"),
    "attended": (conv(3, padding=1), "mean_nearby", "mean_nearby"),
    "spread": (conv(3, padding=1), "spread_out", conv(3, padding=1, stride=2)),
    "all": (
        conv(3, padding=1),
        {"residual": {"layers": ["mean_nearby", "mean_so_far", conv(3, padding=1)]}},
        pool("avg", 3, 2, 1, count_include_pad=False),
        "mean_so_far",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_way_of_remembering_is_a_row_s_own(kind: str) -> None:
    net = of(*KINDS[kind])
    hits: Counter[str] = Counter()
    for seed in range(4):
        hits += agree(net, seed)
    assert hits["outputs"] > 60
    assert hits["alike"]
    if net.graph.cycle.start > 1:
        assert hits["late"] > 5
        assert hits["ends"] > 5 or "window" in kind or "nothing" in kind


def drawn(seed: int, bursts: bool = False) -> Graph:
    draw = random.Random(seed)
    while True:
        graph = codsl.check(
            Networks(draw, draw.choice([1, 1, 2, 3]), Limits(blocks=False)).network(
                draw.randint(1, 5)
            )
        )
        if graph.receptive_field < 30 and graph.time.bursts == bursts:
            return graph


def test_random_networks_run_in_slots() -> None:
    hits: Counter[str] = Counter()
    for seed in range(40):
        hits += agree(built(drawn(seed), seed=seed), seed)
    assert hits["late"] > 200
    assert hits["outputs"] > 1000


def test_random_networks_of_which_a_frame_gives_several_outputs() -> None:
    hits: Counter[str] = Counter()
    for seed in range(30):
        hits += agree(built(drawn(seed, bursts=True), seed=seed), seed)
    assert hits["late"] > 80
    assert hits["several"] > 400


RAISED: dict[str, tuple[Any, ...]] = {
    "transposed": (up(4, 2, 1), conv(3, padding=1)),
    "cropped": (conv(3, padding=1), up(5, 2, 3)),
    "blind": (up(2, 3), conv(3)),
    "above and below": (up(3, 3), conv(3, stride=2, padding=1)),
    "nearest": (conv(3, padding=1), {"upsample": {"scale_factor": 3}}, conv(4)),
    "carried": (up(4, 2, 1), "mean_so_far", "mean_nearby"),
    "pooled": (up(4, 2), pool("avg", 3, 1, 1, count_include_pad=False)),
}


@pytest.mark.parametrize("kind", RAISED)
def test_every_way_of_giving_several_outputs(kind: str) -> None:
    net = of(*RAISED[kind])
    hits: Counter[str] = Counter()
    for seed in range(3):
        hits += agree(net, seed)
    assert hits["several"] > 60
    assert hits["late"] > 5 or kind == "blind"


def test_several_outputs_of_a_frame_are_counted() -> None:
    net = of(*RAISED["above and below"])
    slots = net.stream(3)
    for _ in range(3):
        slots.join()
    counts = []
    for t, frame in enumerate(noise(9, 3).unbind(2)):
        y, due = slots.step(frame[1:], [1, 2])
        assert (y.shape, y.dtype) == ((2, 2, 2), torch.float64)
        assert (due.shape, due.dtype) == ((2,), torch.int64)
        assert due[0] == due[1]
        counts.append(int(due[0]))
        if t == 4:
            slots.step(frame, [0, 1, 2])
            counts.append(slots.step(frame, [2, 0, 1])[1].tolist()[0])
    assert set(counts) == {1, 2}
    assert slots.step(torch.zeros(0, 2).double(), [])[0].shape == (0, 2, 2)


@pytest.mark.parametrize("kind", RAISED)
def test_what_is_wrong_in_one_row_stays_there_where_frames_give_several(kind: str) -> None:
    hold_apart(of(*RAISED[kind]))


@pytest.mark.parametrize("dtype", list(TOLERANCE))
@pytest.mark.parametrize("kind", ["replicate", "cut", "all"])
def test_other_dtypes_run_in_slots(dtype: torch.dtype, kind: str) -> None:
    layers = [{"batch_norm1d": {"name": "norm"}}, *KINDS[kind]]
    assert agree(of(*layers, dtype=dtype), 3)["outputs"]


EXACT = {kind: KINDS[kind][1:] for kind in ("minus infinity", "zeros in a max pool", "cut")}


@pytest.mark.parametrize("kind", EXACT)
def test_where_torch_does_not_multiply_all_is_exact(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = [layer for layer in EXACT[kind] if "conv1d" not in layer]
    monkeypatch.setitem(TOLERANCE, torch.float32, 0.0)
    assert agree(of(*layers, dtype=torch.float32), 1)["outputs"]


def several() -> Network:
    """Two inputs that meet, and three outputs of unlike strides and delays."""
    layers = [
        {"join": {"name": "met", "from": ["input", "input"], "aggregation": "sum"}},
        {"conv1d": {"name": "wide", "out_channels": 3, "kernel_size": 5, "padding": 2}},
        {"conv1d": {"name": "slow", "out_channels": 2, "kernel_size": 3, "stride": 3}},
    ]
    graph = codsl.check({"codsl": 1, "input": [2, "T"], "layers": layers})
    met, *rest = graph.nodes
    nodes = [replace(met, edges=(Edge(0, IDENTITY), Edge(1, IDENTITY)))]
    for node in rest:
        (edge,) = node.edges
        nodes.append(replace(node, edges=(Edge(edge.source + 1, edge.reach),)))
    return built(
        replace(
            graph,
            inputs=(Inlet("left", graph.input), Inlet("right", graph.input)),
            nodes=tuple(nodes),
            outputs=(Outlet("early", 2), Outlet("late", 3), Outlet("rare", 4)),
            times=times_of(tuple(nodes), 2),
        )
    )


def test_several_inputs_and_outputs() -> None:
    net = several()
    for seed in range(3):
        assert agree(net, seed)["late"]
    slots = net.stream(2)
    slots.join()
    y, due = slots.step({name: torch.zeros(1, 2).double() for name in ("left", "right")})
    assert {name: bool(each) for name, each in due.items()} == {
        "early": True,
        "late": False,
        "rare": False,
    }
    assert {name: tuple(each.shape) for name, each in y.items()} == {
        "early": (1, 2),
        "late": (1, 3),
        "rare": (1, 2),
    }
    with pytest.raises(ValueError, match="keys `left`, `right`"):
        slots.step({"left": torch.zeros(1, 2).double()})


def run(slots: Slots, x: Tensor, rows: list[int] | None = None) -> list[tuple[Tensor, Tensor]]:
    """The outputs of steps with the frames of a clip."""
    with torch.no_grad():
        return [slots.step(x[:, :, t], rows) for t in range(x.shape[2])]


def equal(found: list[tuple[Tensor, Tensor]], wanted: list[tuple[Tensor, Tensor]]) -> bool:
    return all(
        torch.equal(a, c) and torch.equal(b, d)
        for (a, b), (c, d) in zip(found, wanted, strict=True)
    )


def uneven(net: Network, frames: tuple[int, ...]) -> Slots:
    """Slots whose rows have taken so many frames, row by row."""
    slots = net.stream(len(frames))
    for row, taken in enumerate(frames):
        assert slots.join() == row
        run(slots, noise(taken, 1, row), [row])
    return slots


def noise(frames: int, batch: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, 2, frames, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_in_one_row_never_reaches_another(kind: str) -> None:
    """Exactly: NaN and infinity, before, while and after the others begin."""
    hold_apart(of(*KINDS[kind]))


def hold_apart(net: Network) -> None:
    frames = (0, 1, 2, 3, 5, 40)
    good, bad = uneven(net, frames), uneven(net, frames)
    x = noise(12, len(frames))
    spoilt = x.clone()
    spoilt[2] = torch.nan
    spoilt[4, :, 3:6] = torch.inf
    others = [0, 1, 3, 5]
    wanted, found = run(good, x), run(bad, spoilt)
    assert equal(
        [(y[others], due[others]) for y, due in found],
        [(y[others], due[others]) for y, due in wanted],
    )
    assert any(y[2].isnan().any() for y, _ in found)
    bad.leave(2)
    assert not any(tensor[2].any() for tensor in bad._kept.tensors)
    assert bad.join() == 2
    bad.load(4, good.save(4))
    good.reset([2])
    assert equal(run(bad, noise(12, 6, 9)), run(good, noise(12, 6, 9)))


def test_rows_of_unlike_frames_are_one_batch() -> None:
    """However many they are, there are as many runs as a turn has frames."""
    for layers, runs in ((KINDS["zeros"], 1), (KINDS["stride"], 4)):
        net = of(*layers)
        slots = uneven(net, tuple(range(10)))
        seen: list[int] = []
        first = next(module for module in net.modules() if isinstance(module, torch.nn.Conv1d))
        first.register_forward_hook(lambda module, inputs, y, seen=seen: seen.append(len(y)))
        slots.step(noise(1, 10)[:, :, 0])
        assert seen == [10] if runs == 1 else len(seen) < runs
        groups = slots._groups(slots.rows)
        assert len(groups) == runs
        assert any(isinstance(late, Late) for _, _, late in groups)


def test_slots_are_written_in_place() -> None:
    slots = uneven(of(*KINDS["all"]), (0, 3, 9))
    places = [tensor.data_ptr() for tensor in slots._kept.tensors]
    run(slots, noise(9, 3))
    run(slots, noise(9, 2), [2, 0])
    slots.reset()
    slots.leave(1)
    slots.join()
    assert [tensor.data_ptr() for tensor in slots._kept.tensors] == places
    assert slots.bytes == sum(t.numel() * t.element_size() for t in slots._kept.tensors)


def test_neither_frames_nor_outputs_are_kept() -> None:
    net = of(*KINDS["residual"])
    one, other = uneven(net, (0, 3, 30)), uneven(net, (0, 3, 30))
    x = noise(9, 3)
    wanted = run(one, x)
    with torch.no_grad():
        for t in range(9):
            frame = x[:, :, t].clone()
            y, _ = other.step(frame)
            assert torch.equal(y, wanted[t][0])
            frame.fill_(torch.nan)
            y.fill_(torch.nan)


def test_a_join_is_the_lowest_free_row() -> None:
    slots = of("relu").stream(3)
    assert [slots.join(), slots.join(), slots.join()] == [0, 1, 2]
    slots.leave(1)
    slots.leave(0)
    assert slots.rows == (2,)
    assert repr(slots) == "Slots(1 of 3 taken)"
    assert slots.join() == 0
    assert slots.frames == {0: 0, 2: 0}


def test_no_rows_are_no_mistake() -> None:
    slots = of(*KINDS["zeros"]).stream(2)
    y, due = slots.step(torch.zeros(0, 2).double())
    assert (y.shape, due.shape) == ((0, 2), (0,))
    assert (y.dtype, due.dtype) == (torch.float64, torch.bool)
    assert slots.flush() == []


def test_where_nothing_is_due_there_are_zeros() -> None:
    slots = uneven(of(*KINDS["window"]), (0, 4, 3))
    y, due = slots.step(noise(1, 3)[:, :, 0])
    assert due.tolist() == [False, True, False]
    assert y[1].all()
    assert not y[[0, 2]].any()


def test_flush_leaves_the_streams_as_they_are() -> None:
    net = of(*KINDS["all"])
    one, other = uneven(net, (2, 7, 31)), uneven(net, (2, 7, 31))
    ends = other.flush([2, 0, 1])
    assert [end is None for end in ends] == [False] * 3
    for row, end in zip((2, 0, 1), ends, strict=True):
        assert torch.equal(other.flush([row])[0], end)
    assert equal(run(other, noise(9, 3)), run(one, noise(9, 3)))


GO_ON = """
import sys, torch
from codsl.nn import State
sys.path[:0] = sys.argv[2:]
torch.set_num_threads(1)
folder = sys.argv[1]
net, x = torch.load(f"{folder}/net", weights_only=False)
slots = net.stream(3)
rows = [slots.join() for _ in range(3)]
slots.load(1, State.load(f"{folder}/row"))
with torch.no_grad():
    ys = [slots.step(x[:, :, t], [1]) for t in range(x.shape[2])]
slots.save(1).save(f"{folder}/end")
torch.save(ys, f"{folder}/ys")
"""


@pytest.mark.parametrize("frames", [3, 40])
def test_a_row_goes_on_in_another_process_bit_for_bit(frames: int, tmp_path: Path) -> None:
    net = of(*KINDS["strided join"], *KINDS["replicate"])
    slots = uneven(net, (2, frames, 31))
    x = noise(11, 1, 8)
    torch.save((net, x), tmp_path / "net")
    slots.save(1).save(tmp_path / "row")
    wanted = run(slots, x, [1])
    subprocess.run([sys.executable, "-W", "error", "-c", GO_ON, str(tmp_path)], check=True)
    assert equal(torch.load(tmp_path / "ys"), wanted)
    end, here = State.load(tmp_path / "end"), slots.save(1)
    assert end.frame == here.frame == frames + 11
    assert all(map(torch.equal, end.tensors, here.tensors))


@pytest.mark.parametrize("kind", ["window", "replicate", "strided join", "minus infinity", "crop"])
def test_replaying_its_frames_rebuilds_a_row(kind: str) -> None:
    """All frames give its state; the last of them, as many as the field reaches, its outputs."""
    net = of(*KINDS[kind])
    past = noise(50, 1)
    slots = net.stream(4)
    rows = [slots.join() for _ in range(4)]
    run(slots, past, rows[:1])
    run(slots, past, rows[1:2])
    whole = zip(slots.save(0).tensors, slots.save(1).tensors, strict=True)
    assert all(torch.equal(a, b) for a, b in whole)
    cycle = net.graph.cycle
    times = [net.graph.times[outlet.value] for outlet in net.graph.outputs]
    needed = max(int(time.past + time.delay) for time in times)
    needed += -(needed - 50) % cycle.turn
    needed += (50 - needed) % cycle.turn
    run(slots, past[:, :, 50 - needed :], rows[2:3])
    ahead = noise(20, 1, 5).expand(3, -1, -1)
    for y, due in run(slots, ahead, rows[:3]):
        assert due[0] == due[1] == due[2]
        torch.testing.assert_close(y[1:], y[:1].expand_as(y[1:]), rtol=1e-12, atol=1e-12)


def test_a_row_takes_the_state_of_a_stream_and_gives_it_back() -> None:
    net = of(*KINDS["all"])
    x = noise(20, 1)
    with torch.no_grad():
        net.forward_steps(x[:, :, :7])
        slots = net.stream(2)
        slots.join()
        slots.load(0, net.get_state())
        steps = run(slots, x[:, :, 7:13])
        net.set_state(slots.save(0))
        rest = net.forward_steps(x[:, :, 13:], pad_end=True)
        due = [y.unsqueeze(2) for y, said in steps if said]
        whole = net(x)
    found = torch.cat([*due, rest], 2)
    close(found, whole[:, :, -found.shape[2] :])


def joined(**options: Any) -> Slots:
    slots = of(*KINDS["zeros"]).stream(4, **options)
    slots.join()
    slots.join()
    return slots


MISTAKES: dict[str, tuple[Any, str]] = {
    "unknown row": (lambda s: s.step(torch.zeros(1, 2).double(), [4]), "no row 4: rows go from 0"),
    "negative row": (lambda s: s.reset([-1]), "no row -1"),
    "row not joined": (lambda s: s.step(torch.zeros(1, 2).double(), [2]), "row 2 has not joined"),
    "row that left": (lambda s: (s.leave(1), s.leave(1)), "row 1 has not joined"),
    "row to save": (lambda s: s.save(3), "row 3 has not joined"),
    "row to load": (lambda s: s.load(3, s.save(0)), "row 3 has not joined"),
    "row to flush": (lambda s: s.flush([0, 2]), "row 2 has not joined"),
    "twice": (lambda s: s.step(torch.zeros(2, 2).double(), [1, 1]), "row 1 is given twice"),
    "full": (lambda s: [s.join() for _ in range(3)], "all 4 slots are taken"),
    "batch": (lambda s: s.step(torch.zeros(3, 2).double()), "2 rows, and frames for 3"),
    "batch of rows": (lambda s: s.step(torch.zeros(2, 2).double(), [1]), "1 rows?, and frames"),
    "dtype": (lambda s: s.step(torch.zeros(2, 2)), r"float64 on cpu, a frame is torch\.float32"),
    "device": (
        lambda s: s.step(torch.zeros(2, 2, dtype=torch.float64, device="meta")),
        "a frame is torch.float64 on meta",
    ),
    "shape": (lambda s: s.step(torch.zeros(2, 3).double()), "B x 2, got one of shape"),
    "several states": (
        lambda s: s.load(0, of(*KINDS["zeros"]).init_state(2)),
        "the state of one stream, got one of 2",
    ),
    "a state of another dtype": (
        lambda s: s.load(0, of(*KINDS["zeros"]).init_state(1, torch.float32)),
        r"the stream is torch\.float64, the state is torch\.float32",
    ),
    "a state of another network": (
        lambda s: s.load(0, of(*KINDS["window"]).init_state(1)),
        "of another network: .*conv",
    ),
    "no slots": (lambda s: of("relu").stream(0), "one slot or more, got 0"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_are_said_and_change_nothing(what: str) -> None:
    mistake, words = MISTAKES[what]
    slots, other = joined(), joined()
    run(slots, noise(5, 2))
    run(other, noise(5, 2))
    with pytest.raises(ValueError, match=words):
        mistake(slots)
    if what == "row that left":
        other.leave(1)
    if what == "full":
        other.join()
        other.join()
    assert slots.frames == other.frames
    rows = list(slots.rows)
    assert equal(run(slots, noise(9, len(rows))), run(other, noise(9, len(rows))))


@pytest.mark.parametrize(
    ("rows", "words"), [(1, "rows are several"), ("ab", "integer"), ([0.5], "integer")]
)
def test_rows_are_numbers(rows: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        joined().step(torch.zeros(1, 2).double(), rows)
    with pytest.raises(TypeError, match="a state is what"):
        joined().load(0, rows)


def test_rows_may_come_as_a_tensor() -> None:
    slots, other = joined(), joined()
    assert equal(run(slots, noise(6, 2), torch.tensor([1, 0])), run(other, noise(6, 2), [1, 0]))


def test_a_step_that_fails_changes_no_row() -> None:
    """Though rows of another phase were computed before it failed."""
    net = of(*KINDS["stride"])
    slots, other = uneven(net, (40, 41)), uneven(net, (40, 41))
    calls = []

    def fail(module: Any, inputs: Any) -> None:
        calls.append(module)
        if len(calls) == 2:
            raise MemoryError("no room")

    first = next(module for module in net.modules() if isinstance(module, torch.nn.Conv1d))
    handle = first.register_forward_pre_hook(fail)
    with pytest.raises(MemoryError):
        run(slots, noise(4, 2))
    handle.remove()
    done = slots.frames[0] - 40
    assert slots.frames == {0: 40 + done, 1: 41 + done}
    run(other, noise(4, 2)[:, :, :done])
    assert equal(run(slots, noise(9, 2, 3)), run(other, noise(9, 2, 3)))


def _pickled(slots: Slots) -> Any:
    return pickle.loads(pickle.dumps(slots))


@pytest.mark.parametrize("again", [copy.deepcopy, _pickled])
def test_a_copy_of_slots_goes_on_alone(again: Any) -> None:
    slots = uneven(of(*KINDS["zeros"], *KINDS["cut"]), (2, 9, 31))
    other = again(slots)
    x = noise(9, 3)
    assert equal(run(other, x), run(slots, x))
    other.reset()
    assert slots.frames == {0: 11, 1: 18, 2: 40}


def test_slots_made_or_run_in_inference_mode() -> None:
    net = of(*KINDS["all"])
    wanted = run(uneven(net, (0, 4, 33)), noise(9, 3))
    with torch.inference_mode():
        slots = net.stream(3)
    for row, frames in enumerate((0, 4, 33)):
        slots.join()
        run(slots, noise(frames, 1, row), [row])
    x = noise(9, 3)
    found = run(slots, x[:, :, :4])
    with torch.inference_mode():
        found += [slots.step(x[:, :, t]) for t in range(4, 9)]
    assert equal(found, wanted)
    run(slots, x)


def test_gradients_of_a_step_reach_the_weights_and_end_there() -> None:
    net = of(*KINDS["all"]).train()
    slots = uneven(net, (3, 9))
    for t in range(6):
        y, _ = slots.step(noise(6, 2)[:, :, t])
    y.sum().backward()
    assert all(weight.grad is not None for weight in net.parameters())
    assert not any(tensor.requires_grad for tensor in slots._kept.tensors)


def test_slots_have_a_dtype_and_a_device() -> None:
    slots = of("relu", conv(3)).stream(2, dtype=torch.float32, device="cpu")
    state = slots._kept
    assert (state.dtype, state.device) == (torch.float32, torch.device("cpu"))
    assert of("relu", dtype=torch.float16).stream(1)._kept.dtype == torch.float16
    assert of(conv(3)).stream(1, device="meta")._kept.tensors[0].device.type == "meta"


def by_hand(kind: str) -> Any:
    torch.manual_seed(4)
    net = co.Sequential(*OWN[kind]()).eval()
    net.forward_steps(noise(1, 1))
    net.reset()
    return net


@pytest.mark.parametrize("kind", OWN)
def test_modules_with_a_step_of_their_own_run_in_slots(kind: str) -> None:
    net = by_hand(kind)
    hits: Counter[str] = Counter()
    for seed in range(4):
        hits += agree(net, seed)
    assert hits["outputs"] > 40
    assert not hits["late"]
    assert hits["ends"] > 5 or kind in ("tuple", "time first", "opaque", "below several")
    own = [module for module in net.modules() if isinstance(module, Sum)]
    together = {size for module in own for size in module.calls}
    assert max(together, default=2) > 1 or kind in ("time first", "opaque")
    assert together <= {0, 1, 2, 3} or kind not in ("time first", "opaque")


@pytest.mark.parametrize("kind", OWN)
def test_what_is_wrong_in_one_row_stays_there_in_modules_with_a_step(kind: str) -> None:
    hold_apart(by_hand(kind))


def test_modules_that_do_not_know_their_frames_take_memory_with_the_first() -> None:
    net = co.Sequential(near(), Sum(3), near(5)).eval()
    slots, other = net.stream(2), net.stream(2)
    row = slots.join()
    assert other.join() == row == 0
    for ask in (lambda: slots.save(0), slots.flush, lambda: slots.bytes):
        with pytest.raises(ValueError, match="not known before the first input"):
            ask()
    slots.reset()
    with pytest.raises(ValueError, match="there are 1 rows, and frames for 3"):
        slots.step(noise(1, 3)[:, :, 0])
    x = noise(12, 1)
    found = run(slots, x)
    with torch.no_grad():
        for t in range(12):
            y = net.forward_step(x[:, :, t])
            assert bool(found[t][1]) == (y is not None)
            if y is not None:
                close(found[t][0], y)
    with pytest.raises(ValueError, match="channels"):
        slots.step(torch.zeros(1, 3).double())
    assert slots.frames == {0: 12}


def test_rows_of_modules_without_tensors_are_like_their_first_frame() -> None:
    slots = co.Sequential(co.Delay(2), co.Identity()).stream(1)
    slots.join()
    slots.step(torch.zeros(1, 2).double())
    assert slots._kept.dtype == torch.float64
    with pytest.raises(ValueError, match="of another network"):
        slots.step(torch.zeros(1, 3).double())


def test_containers_that_change_elsewhere_do_not_end_a_stream() -> None:
    """Layouts are made anew then."""
    net = by_hand("padded")
    slots, other = net.stream(1), net.stream(1)
    assert slots.join() == other.join() == 0
    x = noise(8, 1)
    wanted = run(other, x)
    found = run(slots, x[:, :, :5])
    co.Sequential(co.Identity())
    assert equal([*found, *run(slots, x[:, :, 5:])], wanted)
    net.append(near())
    with pytest.raises(ValueError, match="of another network"):
        slots.step(x[:, :, 0])


@pytest.mark.parametrize("kind", [kind for kind in OWN if kind != "below several"])
def test_states_move_between_slots_and_streams_of_their_own(kind: str) -> None:
    net = by_hand(kind)
    x = noise(20, 1)
    with torch.no_grad():
        whole = net(x)
        net.forward_steps(x[:, :, :7])
        slots = net.stream(2)
        assert (slots.join(), slots.join()) == (0, 1)
        run(slots, noise(4, 1), [0])
        slots.load(1, net.get_state())
        for t in range(7, 13):
            slots.step(torch.cat([noise(1, 1, t)[:, :, 0], x[:, :, t]]), [0, 1])
        net.set_state(slots.save(1))
        slots.step(x[:, :, 0], [1])
        rest = net.forward_steps(x[:, :, 13:], pad_end=True)
    close(rest, whole[:, :, -rest.shape[2] :])


def test_gradients_of_own_steps_end_with_a_step_in_eval() -> None:
    net = by_hand("tuple")
    slots = net.stream(2)
    assert (slots.join(), slots.join()) == (0, 1)
    for frame in noise(9, 2).unbind(2):
        y, _ = slots.step(frame)
    y.sum().backward()
    assert all(weight.grad is not None for weight in net.parameters())
    for frame in noise(9, 2).unbind(2):
        net.forward_step(frame)
    for state in (net.get_state(), slots.save(1)):
        assert any(each.numel() for each in tensors(state.others))
        assert not any(each.requires_grad for each in tensors(state))
    net.train()
    for frame in noise(9, 2).unbind(2):
        net.forward_step(frame)
    assert any(each.requires_grad for each in tensors(net.get_state().others))
    again = copy.deepcopy(net.get_state())
    assert not any(each.requires_grad for each in tensors(again))


def test_bytes_count_what_modules_with_a_step_remember() -> None:
    net = by_hand("tuple")
    slots = net.stream(2)
    before = slots.bytes
    slots.join()
    run(slots, noise(9, 1))
    assert slots.bytes == before + 2 * 4 * 8
    assert slots.save(0).bytes == before // 2 + 2 * 4 * 8
    slots.leave(0)
    assert slots.bytes == before


def test_a_module_that_breaks_its_word_is_told_in_slots() -> None:
    class Early(Sum):
        @property
        def delay(self) -> int:
            return 1

    slots = co.Sequential(near(), Early(3)).eval().stream(2)
    assert (slots.join(), slots.join()) == (0, 1)
    with pytest.raises(ValueError, match="`1` declares that 1 outputs are due, but its step gave"):
        run(slots, noise(3, 2))
    assert slots.frames == {0: 2, 1: 2}
