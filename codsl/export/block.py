"""A call of a step as a module of tensors alone."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from codsl.engine.as_is import apart
from codsl.export.layout import Layout, layout_of
from codsl.export.phases import PhasedStep
from codsl.export.turn import Turn, turn_of
from codsl.nn.running.program import Program

Shape = tuple[int, ...]


class BlockStep(nn.Module):
    """What a step does in a phase, exact from the first frame of each row on; see `Layout` for its
    tensors, the phase left out."""

    def __init__(self, turn: Turn, phase: int) -> None:
        super().__init__()
        graph, call = turn.program.graph, turn.calls[phase]
        self._inputs, self._loads = turn.inputs, len(turn.loads)
        self._read = [turn.loads.index(load) for load in call.loads]
        self._straight = call.straight()
        self._outputs = [
            (graph.frames[outlet.value].shape, count)
            for outlet, count in zip(graph.outputs, turn.outputs, strict=True)
        ]
        self._stores = [
            (feed.frame.shape, max(counts))
            for feed, counts in zip(graph.schedule.feeds, turn.stores, strict=True)
        ]

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """The outputs, their flags, the new items and the carried tensors.

        Whatever is kept is in memory of its own: else a caller who writes into a frame that was
        given would write into the past.
        """
        clips, had, rest = given[: self._inputs], given[self._inputs], given[self._inputs + 1 :]
        frames = zip(*map(apart, clips), strict=True)
        outputs, stores, carried, valid = self._straight(
            *(x for each in frames for x in each),
            had,
            *(rest[place] for place in self._read),
            *rest[self._loads :],
        )
        due = [_filled(*each, clips[0]) for each in zip(outputs, self._outputs, strict=True)]
        sure = [
            _filled(flags, ((), count), torch.zeros_like(had, dtype=torch.bool))
            for flags, (_, count) in zip(valid, self._outputs, strict=True)
        ]
        new = [_filled(*each, clips[0]) for each in zip(stores, self._stores, strict=True)]
        kept = [item for items in new for item in items] + list(carried)
        return (
            *(torch.stack(items, 2) for items in due),
            *map(_flags, sure),
            *(each.clone(memory_format=torch.contiguous_format) for each in kept),
        )


def _flags(flags: Sequence[Tensor]) -> Tensor:
    """Flags beside each other; one that stands for all is not stacked."""
    first = flags[0]
    if all(each is first for each in flags):
        return first.unsqueeze(1).repeat(1, len(flags))
    return torch.stack(tuple(flags), 1)


def _filled(items: Sequence[Tensor], room: tuple[Shape, int], like: Tensor) -> list[Tensor]:
    """Items, and zeros for those that do not come in this phase."""
    shape, count = room
    missing = count - len(items)
    return [*items, *(like.new_zeros((like.shape[0], *shape)) for _ in range(missing))]


def block_of(
    program: Program, dtype: torch.dtype, frames: int | None = None
) -> tuple[BlockStep | PhasedStep, Layout]:
    """The step of a program, so many frames a call; `graph.cycle.turn`, one where nothing is
    strided, if not given.

    Raises `ValueError` for modules with a step of their own, and where a turn has too many calls.
    """
    turn = turn_of(program, dtype, frames)
    steps = [BlockStep(turn, phase) for phase in range(len(turn.calls))]
    return steps[0] if len(steps) == 1 else PhasedStep(steps, turn.inputs), layout_of(turn)
