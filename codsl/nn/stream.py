"""Many streams in one batch, each with a beginning and a frame number of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import index
from typing import Any

import torch
from torch import Tensor

from codsl.algebra.time import emits
from codsl.nn.nest import rebuild
from codsl.nn.program import Values
from codsl.nn.state import State
from codsl.nn.streaming import Laid, Streaming, _unsqueezed
from codsl.nn.work import Late


class Slots:
    """Room for `slots` streams of one module; a stream takes a row of the batch while it lasts.

    Rows step, join, leave and begin anew at any frame, in any subset, and never see one another:
    every row has the beginning, padding and all, of a stream of its own. `net.stream(slots)` makes
    one. Begin with `join`; rows of equal phase are computed together. Gradients do not flow from
    one frame to the next.
    """

    def __init__(
        self,
        module: Streaming,
        slots: int,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        """Room for streams in the dtype and on the device of `module`, if not given.

        Raises `ValueError` where there is no room, or where one frame may give several outputs.
        """
        if slots < 1:
            raise ValueError(f"a stream has one slot or more, got {slots}")
        self._module = module
        self._laid = module.laid
        self._program = self._laid.program
        module._check_rate(self._laid)
        with torch.inference_mode(False):
            self._kept = module.init_state(slots, dtype, device)
        self._frames: list[int | None] = [None] * slots

    def __repr__(self) -> str:
        return f"Slots({len(self.rows)} of {self.slots} taken)"

    @property
    def slots(self) -> int:
        """How many streams there is room for."""
        return len(self._frames)

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows that have joined, in order."""
        return tuple(row for row, frame in enumerate(self._frames) if frame is not None)

    @property
    def frames(self) -> dict[int, int]:
        """How many frames each of these rows has taken."""
        return {row: self._frame(row) for row in self.rows}

    @property
    def bytes(self) -> int:
        """Bytes of the state of all slots."""
        return self._kept.bytes

    def join(self) -> int:
        """Begin a stream, and give its row; raises `ValueError` where all slots are taken."""
        row = next((row for row, frame in enumerate(self._frames) if frame is None), None)
        if row is None:
            raise ValueError(f"all {self.slots} slots are taken: a row has to leave first")
        self._frames[row] = 0
        return row

    def leave(self, row: int) -> None:
        """End a stream and wipe what was kept of it; its row is free."""
        (row,) = self._given([row])
        self._wipe(row)
        self._frames[row] = None

    def reset(self, rows: Iterable[int] | None = None) -> None:
        """Begin anew in these rows, or in all: the next frame is the first."""
        for row in self._given(rows):
            self._wipe(row)
            self._frames[row] = 0

    def save(self, row: int) -> State:
        """The state of a row: that of a stream of its own, with a batch of one."""
        (row,) = self._given([row])
        tensors = [tensor[row : row + 1].clone() for tensor in self._kept.tensors]
        given = self._program.given(self._frame(row))
        for tensor, items in zip(tensors, given, strict=False):
            tensor.narrow(2, 0, max(0, tensor.shape[2] - items)).zero_()
        return replace(self._kept, frame=self._frame(row), batch_size=1, tensors=tuple(tensors))

    def load(self, row: int, state: State) -> None:
        """Go on in a row from a state that `save` gave, here or elsewhere, or any of a batch of
        one. Raises `ValueError` for another batch or dtype, or a state of another network."""
        (row,) = self._given([row])
        self._module._check_state(self._laid, state)
        if state.batch_size != 1:
            raise ValueError(f"a row takes the state of one stream, got one of {state.batch_size}")
        if state.dtype != self._kept.dtype:
            raise ValueError(f"the stream is {self._kept.dtype}, the state is {state.dtype}")
        for slot, tensor in zip(self._kept.tensors, state.tensors, strict=True):
            slot[row].copy_(tensor[0].detach())
        self._frames[row] = state.frame

    def step(self, x: Any, rows: Iterable[int] | None = None) -> tuple[Any, Any]:
        """The outputs `(R, C, *S)` that are due with a frame `(R, C, *S)` of each of these rows, in
        their order, and for each whether one is due, as bools `(R,)` on the CPU.

        Where none is due the output is zeros. `rows` are all that have joined if not given. Several
        inputs or outputs are dicts by name. Raises `ValueError` for rows that have not joined or
        come twice, and for frames of another number, shape, dtype or device; nothing is changed.
        """
        given = self._given(rows)
        laid, xs = self._module._laid_for(_unsqueezed(x), "a frame")
        self._check(xs, len(given))
        parts = [self._advance(laid, xs, given, *group) for group in self._groups(given)]
        due = [self._due(outlet.value, given) for outlet in self._program.graph.outputs]
        ys = [self._gathered(number, parts, each) for number, each in enumerate(due)]
        for part in parts:
            self._keep([given[place] for place in part.places], part.state)
        for row in given:
            self._frames[row] = self._frame(row) + 1
        return rebuild(laid.outputs, ys), rebuild(laid.outputs, list(map(_bools, due)))

    def flush(self, rows: Iterable[int] | None = None) -> list[Any]:
        """For each of these rows the outputs `(1, C, n, *S)` that are left, were its stream to end
        here, or None where there are none. The streams can go on after it."""
        given = self._given(rows)
        ends: list[Any] = [None] * len(given)
        for frame in {self._frame(row) for row in given}:
            places = [place for place, row in enumerate(given) if self._frame(row) == frame]
            ys = self._program.flush(self._state([given[place] for place in places], frame))
            for at, place in enumerate(places):
                own = [None if y is None else y[at : at + 1] for y in ys]
                ends[place] = rebuild(self._laid.outputs, own)
        return ends

    def _given(self, rows: Iterable[int] | None) -> list[int]:
        """The rows that are meant; raises `ValueError` for what is no row, or comes twice."""
        if rows is None:
            return list(self.rows)
        if not isinstance(rows, Iterable):
            raise TypeError(f"rows are several numbers, not of type {type(rows).__name__}")
        given = [index(row) for row in rows]
        for row in given:
            if not 0 <= row < self.slots:
                raise ValueError(f"there is no row {row}: rows go from 0 to {self.slots - 1}")
            if self._frames[row] is None:
                raise ValueError(f"row {row} has not joined")
        if len(set(given)) < len(given):
            twice = next(row for row in given if given.count(row) > 1)
            raise ValueError(f"row {twice} is given twice")
        return given

    def _frame(self, row: int) -> int:
        """The frame number of a row that has joined."""
        return self._frames[row] or 0

    def _check(self, xs: Sequence[Tensor], rows: int) -> None:
        for x in xs:
            if x.shape[0] != rows:
                raise ValueError(f"there are {rows} rows, and frames for {x.shape[0]}")
            if x.dtype != self._kept.dtype or x.device != self._kept.device:
                raise ValueError(
                    f"the stream is {self._kept.dtype} on {self._kept.device}, a frame is "
                    f"{x.dtype} on {x.device}"
                )

    def _groups(self, rows: Sequence[int]) -> list[tuple[list[int], int, Late | None]]:
        """The places of rows that run together, the frame number that they do it at, and by how
        much each is late, if they are not alike."""
        cycle = self._program.graph.cycle
        places: dict[int, list[int]] = {}
        for place, row in enumerate(rows):
            places.setdefault(cycle.settled(self._frame(row)), []).append(place)
        groups: list[tuple[list[int], int, Late | None]] = []
        for settled, here in places.items():
            frames = [cycle.frame(self._frame(rows[place])) for place in here]
            if len(set(frames)) == 1:
                groups.append((here, frames[0], None))
            else:
                turns = [(settled - frame) // cycle.turn for frame in frames]
                groups.append((here, settled, self._program.late(turns)))
        return groups

    def _advance(
        self,
        laid: Laid,
        xs: Sequence[Tensor],
        rows: Sequence[int],
        places: list[int],
        frame: int,
        late: Late | None,
    ) -> "_Part":
        """A step of rows of equal phase."""
        if len(places) < len(rows):
            here = self._numbers(places)
            xs = [x.index_select(0, here) for x in xs]
        state = self._state([rows[place] for place in places], frame)
        ys, new = self._module._advance(laid, list(xs), state, late)
        return _Part(places, ys, new)

    def _state(self, rows: Sequence[int], frame: int) -> State:
        """What is kept of some rows, that they go on from as if this were their frame number."""
        tensors = self._kept.tensors
        if not self._whole(rows) or torch.is_grad_enabled():
            here = self._numbers(rows)
            tensors = tuple(tensor.index_select(0, here) for tensor in tensors)
        return replace(self._kept, frame=frame, batch_size=len(rows), tensors=tensors)

    def _keep(self, rows: Sequence[int], state: State) -> None:
        """Put what was made of some rows in their places."""
        here = self._numbers(rows)
        for slot, tensor in zip(self._kept.tensors, state.tensors, strict=True):
            if self._whole(rows):
                slot.copy_(tensor.detach())
            else:
                slot.index_copy_(0, here, tensor.detach().to(slot.dtype))

    def _whole(self, rows: Sequence[int]) -> bool:
        return list(rows) == list(range(self.slots))

    def _numbers(self, numbers: Sequence[int]) -> Tensor:
        return torch.tensor(numbers, dtype=torch.int64, device=self._kept.device)

    def _due(self, value: int, rows: Sequence[int]) -> list[bool]:
        """For each row whether an output is due with its next frame."""
        time = self._program.graph.schedule.fires[value]
        frames = [self._frame(row) for row in rows]
        return [emits(time, frame + 1) > emits(time, frame) for frame in frames]

    def _gathered(self, number: int, parts: Sequence["_Part"], due: list[bool]) -> Tensor:
        """An output of all rows, zeros where none is due."""
        made = [(part.places, y.squeeze(2)) for part in parts if (y := part.ys[number]) is not None]
        if len(parts) == len(made) == 1 and all(due):
            return made[0][1]
        graph = self._program.graph
        shape = (len(due), *graph.frames[graph.outputs[number].value].shape)
        like = made[0][1] if made else self._kept
        gathered = torch.zeros(shape, dtype=like.dtype, device=like.device)
        for places, y in made:
            at = [n for n, place in enumerate(places) if due[place]]
            if at:
                there = self._numbers([places[n] for n in at])
                gathered = gathered.index_copy(0, there, y[self._numbers(at)])
        return gathered

    def _wipe(self, row: int) -> None:
        for slot in self._kept.tensors:
            slot[row].zero_()


@dataclass(frozen=True)
class _Part:
    """What came of the rows in these places."""

    places: list[int]
    ys: Values
    state: State


def _bools(due: list[bool]) -> Tensor:
    return torch.tensor(due, dtype=torch.bool)
