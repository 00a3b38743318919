"""What happens in a run of frames of a settled stream, as a flat list of operations on frames."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from torch import Tensor

Run = Callable[..., Any]
Items = tuple[tuple[Tensor, ...], ...]
Slots = Sequence[Sequence[int]]
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


def needed(operations: Sequence[Operation], returned: Collection[int]) -> list[Operation]:
    """The operations that something comes of, where what stands in some slots is returned."""
    read, found = set(returned), []
    for each in reversed(operations):
        if not read.isdisjoint(each.outputs):
            read.update(each.inputs)
            found.append(each)
    return found[::-1]


@dataclass(frozen=True, eq=False)
class Listing:
    """A straight program over slots, each of which is written once.

    What is `given` stands in the first slots, in order: the inputs of each frame, `(B, C, *S)`;
    with `begins` how many frames each row has had, `(B,)`; what is kept, the `loads`; the `rings`
    of some feeds, which keep the item that comes; and the carried tensors. `stores` are the items
    that come to each other feed, with `begins` those that it still keeps afterwards, `carried` the
    new carried tensors, `outputs` the items of each output, and `valid` for each of these which
    rows have it, `(B,)`, with `begins` alone.
    """

    frames: int
    inputs: int
    begins: bool
    loads: tuple[Load, ...]
    rings: tuple[int, ...]
    operations: tuple[Operation, ...]
    stores: tuple[tuple[int, ...], ...]
    carried: tuple[int, ...]
    outputs: tuple[tuple[int, ...], ...]
    valid: tuple[tuple[int, ...], ...]

    @property
    def given(self) -> int:
        """How many slots are given from outside."""
        kept = len(self.loads) + len(self.rings)
        return self.frames * self.inputs + self.begins + kept + len(self.carried)

    @property
    def loaded(self) -> slice:
        """Where the loads stand among what is given."""
        first = self.frames * self.inputs + self.begins
        return slice(first, first + len(self.loads))

    @property
    def stored(self) -> slice:
        """Where the items that come to feeds stand among all results, one after another."""
        first = sum(map(len, self.outputs))
        return slice(first, first + sum(map(len, self.stores)))

    def straight(self) -> Straight:
        """A function of the given tensors: the items of each output, those that come to each feed,
        the carried tensors, and which rows have each item of each output."""
        runs = {f"run{number}": each.run for number, each in enumerate(self.operations)}
        returned = _returned(self.outputs, self.stores, self.carried, self.valid)
        return _function(self.given, [*self._lines(), returned], runs)

    def grouping(self) -> Straight:
        """A function of all those results, flat, which gives them as `straight` does."""
        places = count()

        def numbered(groups: Slots) -> list[tuple[int, ...]]:
            return [tuple(islice(places, len(slots))) for slots in groups]

        outputs, stores = numbered(self.outputs), numbered(self.stores)
        (carried,), valid = numbered([self.carried]), numbered(self.valid)
        return _function(next(places), [_returned(outputs, stores, carried, valid)])

    def _lines(self) -> Iterator[str]:
        """Each operation, and what nobody needs after it."""
        last = {slot: number for number, each in enumerate(self.operations) for slot in each.inputs}
        returned = {*self.carried}.union(*self.outputs, *self.stores, *self.valid)
        for number, each in enumerate(self.operations):
            targets = _tuple(each.outputs) if each.many else _slot(each.outputs[0])
            yield f"{targets} = run{number}({', '.join(map(_slot, each.inputs))})"
            done = {slot for slot in each.inputs if last[slot] == number}
            done |= {slot for slot in each.outputs if slot not in last}
            if gone := sorted(done - returned):
                yield "del " + ", ".join(map(_slot, gone))


def _function(given: int, lines: Iterable[str], runs: Mapping[str, Run] | None = None) -> Straight:
    """A function of so many slots."""
    names: dict[str, Any] = dict(runs or {})
    head = "def straight(" + ", ".join(map(_slot, range(given))) + "):"
    exec("\n    ".join([head, *lines]), names)
    made: Straight = names["straight"]
    return made


def _returned(outputs: Slots, stores: Slots, carried: Sequence[int], valid: Slots) -> str:
    """The line that gives all results."""
    results = (_nested(outputs), _nested(stores), _tuple(carried), _nested(valid))
    return f"return {', '.join(results)}"


def _slot(number: int) -> str:
    return f"s{number}"


def _tuple(slots: Sequence[int]) -> str:
    return "(" + "".join(f"{_slot(slot)}, " for slot in slots) + ")"


def _nested(groups: Slots) -> str:
    return "(" + "".join(f"{_tuple(slots)}, " for slots in groups) + ")"
