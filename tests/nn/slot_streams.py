"""Slots, and what to hold them to: a stream of its own for every row, whatever the others hold."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from codsl.algebra.ports import Inlet
from codsl.network import Network
from codsl.nn import State
from codsl.nn.nest import rebuild

if TYPE_CHECKING:
    from codsl.nn.running.stream import Slots
from slot_networks import noise

TOLERANCE = {
    torch.float64: 1e-12,
    torch.float32: 1e-6,
    torch.float16: 4e-3,
    torch.bfloat16: 3e-2,
}
"""Of the larger of 1 and the number: rows run in batches of other sizes, and BLAS adds in another
order."""


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
