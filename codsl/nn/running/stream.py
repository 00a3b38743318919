"""Many streams in one batch, each with a beginning and a frame number of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import index
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from codsl.algebra.time import burst, emits
from codsl.nn.nest import rebuild
from codsl.nn.running import tree
from codsl.nn.running.apart import Rows
from codsl.nn.running.gathered import Part, gathered, told
from codsl.nn.running.intake import differs, unlike
from codsl.nn.running.laid import Laid, as_clips
from codsl.nn.running.program import Program
from codsl.nn.running.state import State
from codsl.nn.running.work import Late

if TYPE_CHECKING:
    from codsl.nn.running.streaming import Streaming


class Slots:
    """Room for `slots` streams of one module; a stream takes a row of the batch while it lasts.

    Rows step, join, leave and begin anew at any frame, in any subset, and never see one another:
    every row has the beginning, padding and all, of a stream of its own. `net.stream(slots)` makes
    one. Begin with `join`; rows of equal phase are computed together. Gradients do not flow from
    one frame to the next.

    What a module with a step of its own remembers is kept for each row; such rows run together
    where the batch comes first in all of it, and one after another where it does not.
    """

    def __init__(
        self,
        module: "Streaming",
        slots: int,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        """Room for streams in the dtype and on the device of `module`, if not given; memory is
        taken with the first frames where the module does not know their sizes before.

        Raises `ValueError` where there is no room.
        """
        if slots < 1:
            raise ValueError(f"a stream has one slot or more, got {slots}")
        self._module = module
        self._wanted = (dtype, device)
        self._frames: list[int | None] = [None] * slots
        self._others: list[dict[str, Any]] = [{} for _ in range(slots)]
        self._open: tuple[Laid, State] | None = None
        if (laid := module._settled()) is not None:
            self._open = self._opened(laid)

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
        more = (each for others in self._others for each in tree.tensors(others))
        return self._kept.bytes + sum(each.numel() * each.element_size() for each in more)

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
        others = tuple(tree.copied(self._others[row]).items())
        frame = self._frame(row)
        return replace(self._kept, frame=frame, batch_size=1, tensors=tuple(tensors), others=others)

    def load(self, row: int, state: State) -> None:
        """Go on in a row from a state that `save` gave, here or elsewhere, or any of a batch of
        one. Raises `ValueError` for another batch or dtype, or a state of another network."""
        (row,) = self._given([row])
        kept = self._kept
        self._module._check_state(self._laid, state)
        if state.batch_size != 1:
            raise ValueError(f"a row takes the state of one stream, got one of {state.batch_size}")
        if state.dtype != kept.dtype:
            raise ValueError(f"the stream is {kept.dtype}, the state is {state.dtype}")
        own = state.detached().to(kept.device)
        for slot, tensor in zip(kept.tensors, own.tensors, strict=True):
            slot[row].copy_(tensor[0])
        self._others[row] = tree.copied(dict(own.others))
        self._frames[row] = state.frame

    def step(self, x: Any, rows: Iterable[int] | None = None) -> tuple[Any, Any]:
        """The outputs `(R, C, *S)` that are due with a frame `(R, C, *S)` of each of these rows, in
        their order, and for each whether one is due, as bools `(R,)` on the CPU.

        Where none is due the output is zeros. Where a frame may give several outputs, as many as
        `n`, they are `(R, C, n, *S)`, and for each row the second is how many are due, int64
        `(R,)`: `y[r, :, : due[r]]` are the outputs of row `r`, and zeros stand behind them.

        `rows` are all that have joined if not given. Several inputs or outputs are dicts by name.
        Raises `ValueError` for rows that have not joined or come twice, and for frames of another
        number, shape, dtype or device; nothing is changed.
        """
        given = self._given(rows)
        laid, xs = self._module._laid_for(as_clips(x), "a frame")
        before, self._open = self._open, self._opened_for(laid, xs[0])
        try:
            self._check(xs, len(given))
            parts = [self._advance(laid, xs, given, *group) for group in self._groups(given)]
            outputs = self._outputs(parts, given)
        except BaseException:
            self._open = before
            raise
        for part in parts:
            self._keep([given[place] for place in part.places], part.state)
        for row in given:
            self._frames[row] = self._frame(row) + 1
        ys, due = zip(*outputs, strict=True)
        return rebuild(laid.outputs, ys), rebuild(laid.outputs, due)

    def flush(self, rows: Iterable[int] | None = None) -> list[Any]:
        """For each of these rows the outputs `(1, C, n, *S)` that are left, were its stream to end
        here, or None where there are none. The streams can go on after it."""
        given = self._given(rows)
        ends: list[Any] = [None] * len(given)
        for frame in {self._frame(row) for row in given}:
            places = [place for place, row in enumerate(given) if self._frame(row) == frame]
            state = self._state([given[place] for place in places], frame)
            ys = self._module._ends(self._laid, state)
            for at, place in enumerate(places):
                own = [None if y is None else y[at : at + 1] for y in ys]
                ends[place] = rebuild(self._laid.outputs, own)
        return ends

    @property
    def _laid(self) -> Laid:
        return self._settled()[0]

    @property
    def _kept(self) -> State:
        """What is kept of all rows; `ValueError` while the sizes of frames are not known."""
        return self._settled()[1]

    def _settled(self) -> tuple[Laid, State]:
        if self._open is None:
            self._open = self._opened(self._module.laid)
        return self._open

    @property
    def _program(self) -> Program:
        return self._laid.program

    def _opened(self, laid: Laid, like: Tensor | None = None) -> tuple[Laid, State]:
        """Memory for all rows, in the dtype and on the device that were asked for, the module's
        own, or those of a first frame."""
        own = self._module._like()
        own = own if own is not None else torch.empty(0) if like is None else like
        dtype, device = self._wanted
        where = own.device if device is None else torch.empty(0, device=device).device
        with torch.inference_mode(False):
            return laid, laid.program.init_state(self.slots, dtype or own.dtype, where)

    def _opened_for(self, laid: Laid, first: Tensor) -> tuple[Laid, State]:
        """The memory, for frames that are laid out so; raises `ValueError` where they are of
        another stream than those that were."""
        if self._open is None:
            return self._opened(laid, first)
        if laid is not self._open[0]:
            self._module._check_state(laid, self._open[1])
        return laid, self._open[1]

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
            if differs(x, self._kept):
                raise ValueError(unlike(x, self._kept, "a frame", "stream"))

    def _groups(self, rows: Sequence[int]) -> list[tuple[list[int], int, Late | None]]:
        """The places of rows that run together, the frame number that they do it at, and by how
        much each is late, if they are not alike. Modules with a step of their own see to their
        beginning themselves: with them none is late."""
        cycle = self._program.graph.cycle
        phase = cycle.frame if self._program.foreign else cycle.settled
        places: dict[int, list[int]] = {}
        for place, row in enumerate(rows):
            places.setdefault(phase(self._frame(row)), []).append(place)
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
    ) -> Part:
        """A step of rows of equal phase."""
        if len(places) < len(rows):
            here = self._numbers(places)
            xs = [x.index_select(0, here) for x in xs]
        state = self._state([rows[place] for place in places], frame)
        ys, new = self._module._advance(laid, list(xs), state, late)
        return Part(places, ys, new)

    def _state(self, rows: Sequence[int], frame: int) -> State:
        """What is kept of some rows, that they go on from as if this were their frame number."""
        tensors = self._kept.tensors
        if not self._whole(rows) or torch.is_grad_enabled():
            here = self._numbers(rows)
            tensors = tuple(tensor.index_select(0, here) for tensor in tensors)
        others = tuple(
            (name, Rows(tuple(self._others[row].get(name) for row in rows)))
            for name in self._program.foreign.values()
        )
        return replace(
            self._kept, frame=frame, batch_size=len(rows), tensors=tensors, others=others
        )

    def _keep(self, rows: Sequence[int], state: State) -> None:
        """Put what was made of some rows in their places."""
        here = self._numbers(rows)
        for slot, tensor in zip(self._kept.tensors, state.tensors, strict=True):
            if self._whole(rows):
                slot.copy_(tensor.detach())
            else:
                slot.index_copy_(0, here, tensor.detach().to(slot.dtype))
        for name, remembered in state.others:
            for row, own in zip(rows, tree.detached(remembered.states), strict=True):
                self._others[row][name] = own

    def _whole(self, rows: Sequence[int]) -> bool:
        return list(rows) == list(range(self.slots))

    def _numbers(self, numbers: Sequence[int]) -> Tensor:
        return torch.tensor(numbers, dtype=torch.int64, device=self._kept.device)

    def _outputs(self, parts: Sequence[Part], rows: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """Each output of these rows, and for each row whether it is due, or how many are."""
        graph = self._program.graph
        outputs = []
        for number, outlet in enumerate(graph.outputs):
            due = self._due(outlet.value, rows)
            frame, most = graph.frames[outlet.value], burst(graph.schedule.fires[outlet.value])
            made = [(part.places, y) for part in parts if (y := part.ys[number]) is not None]
            shape = (frame.channels, most, *frame.space)
            y = gathered(made, due, shape, self._kept)
            outputs.append((y if most > 1 else y.squeeze(2), told(due, most)))
        return outputs

    def _due(self, value: int, rows: Sequence[int]) -> list[int]:
        """For each row how many outputs are due with its next frame."""
        time = self._program.graph.schedule.fires[value]
        frames = [self._frame(row) for row in rows]
        return [emits(time, frame + 1) - emits(time, frame) for frame in frames]

    def _wipe(self, row: int) -> None:
        self._others[row] = {}
        if self._open is not None:
            for slot in self._open[1].tensors:
                slot[row].zero_()
