"""What happens in a run of frames of a settled stream, as a flat list of operations on frames."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

Run = Callable[..., Any]
Items = tuple[tuple[Tensor, ...], ...]
Straight = Callable[..., tuple[Items, Items, tuple[Tensor, ...], Items]]


@dataclass(frozen=True, order=True)
class Load:
    """An item that is kept: that of a feed, `back` items before the next to come."""

    feed: int
    back: int


@dataclass(frozen=True, eq=False)
class Operation:
    """A function of what stands in some slots, and the slots that its results go to: one result,
    or with `many` a sequence. What is `fresh` shares no memory with what was read."""

    run: Run
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    many: bool = False
    fresh: bool = False


@dataclass(frozen=True, eq=False)
class Listing:
    """A straight program over slots, each of which is written once.

    What is `given` stands in the first slots, in order: the inputs of each frame, `(B, C, *S)`;
    with `begins` how many frames each row has had, `(B,)`; what is kept, the `loads`; and the
    carried tensors. `stores` are the items that come to each feed, `carried` the new carried
    tensors, `outputs` the items of each output, and `valid` for each of these which rows have it,
    `(B,)`, with `begins` alone.
    """

    frames: int
    inputs: int
    begins: bool
    loads: tuple[Load, ...]
    operations: tuple[Operation, ...]
    stores: tuple[tuple[int, ...], ...]
    carried: tuple[int, ...]
    outputs: tuple[tuple[int, ...], ...]
    valid: tuple[tuple[int, ...], ...]

    @property
    def given(self) -> int:
        """How many slots are given from outside."""
        return self.frames * self.inputs + self.begins + len(self.loads) + len(self.carried)

    def straight(self) -> Straight:
        """A function of the given tensors: the items of each output, those that come to each feed,
        the carried tensors, and which rows have each item of each output."""
        names = {f"run{number}": each.run for number, each in enumerate(self.operations)}
        lines = ["def straight(" + ", ".join(map(_slot, range(self.given))) + "):"]
        lines += [f"    {line}" for line in self._lines()]
        exec("\n".join(lines), names)
        return names["straight"]

    def _lines(self) -> Iterator[str]:
        """The body: each operation, and what nobody needs after it."""
        results = [_nested(self.outputs), _nested(self.stores), _tuple(self.carried)]
        results.append(_nested(self.valid))
        last = {slot: number for number, each in enumerate(self.operations) for slot in each.inputs}
        returned = {*self.carried}.union(*self.outputs, *self.stores, *self.valid)
        for number, each in enumerate(self.operations):
            targets = _tuple(each.outputs) if each.many else _slot(each.outputs[0])
            yield f"{targets} = run{number}({', '.join(map(_slot, each.inputs))})"
            done = {slot for slot in each.inputs if last[slot] == number}
            done |= {slot for slot in each.outputs if slot not in last}
            if gone := sorted(done - returned):
                yield "del " + ", ".join(map(_slot, gone))
        yield f"return {', '.join(results)}"


def _slot(number: int) -> str:
    return f"s{number}"


def _tuple(slots: Sequence[int]) -> str:
    return "(" + "".join(f"{_slot(slot)}, " for slot in slots) + ")"


def _nested(groups: Sequence[Sequence[int]]) -> str:
    return "(" + "".join(f"{_tuple(slots)}, " for slots in groups) + ")"
