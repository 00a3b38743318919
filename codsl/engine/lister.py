"""How a graph becomes a listing: nodes in order, frame by frame, each output of its items."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import chain

import torch
from torch import Tensor

from codsl.algebra.time import emits, reads
from codsl.engine.as_is import AsIs, Begun, apart, begun, joined, kept_of_one
from codsl.engine.attending import Attending
from codsl.engine.beginning import Beginning, filled, here, there
from codsl.engine.clips import Clips, taken_out
from codsl.engine.kernels import passes
from codsl.engine.listing import Listing, Load, Operation, Run, needed
from codsl.engine.ring import Ring
from codsl.engine.style import Style
from codsl.engine.units import Unit, carrying_of, keeping_of, units_of
from codsl.layers.recipe import Attended, Carried, Windowed, takes_items
from codsl.nn.running.program import Program

MANY = 16
"""Items of a node that are computed one by one at most: more are computed at once."""


class Lister:
    """Listings of a program, for streams of one dtype and device."""

    def __init__(
        self, program: Program, like: Tensor, style: Style, exact: Program | None = None
    ) -> None:
        """`exact` has the weights, where those of `program` are rounded to the dtype of `like`.

        Raises `ValueError` for modules with a step of their own.
        """
        foreign = next(iter(program.foreign.values()), None)
        if foreign is not None:
            raise ValueError(f"`{foreign}` has a step of its own, which cannot be listed")
        self.program = program
        self._style = style
        self.units = units_of(exact or program, like, style)
        self.keeping = keeping_of(exact or program, like, style)
        self.carrying = carrying_of(exact or program, like, style)

    def listing(
        self, frame: int, frames: int = 1, begins: bool = False, clips: bool = False
    ) -> Listing:
        """What happens at `frames` frames from `frame` on, of a stream beyond `graph.cycle.start`.

        With `begins` rows may be anywhere, also at their beginnings, so many turns late; with
        `clips` the items of an output of which a frame may bring several are one clip.
        """
        return _Listing(self, frame, frames, begins).made(clips)

    @cached_property
    def rings(self) -> frozenset[int]:
        """The feeds whose items lie in one tensor, in any order."""
        kept, feeds = self.program.kept_of, self.program.graph.schedule.feeds
        found = (
            kept[index]
            for index, unit in self.units.items()
            if self._style.rings and isinstance(unit.run, Attending) and not unit.run.ordered
        )
        return frozenset(number for number in found if feeds[number].depth)

    @cached_property
    def inside(self) -> frozenset[int]:
        """The nodes whose values nobody sees."""
        return frozenset(node for unit in self.units.values() for node in unit.nodes[:-1])


class _Listing:
    """A listing that is being made; slots get their places when all are known."""

    def __init__(self, lister: Lister, frame: int, frames: int, begins: bool) -> None:
        self._lister = lister
        self._program = lister.program
        self._graph = lister.program.graph
        self._schedule = self._graph.schedule
        self._frame, self._frames = frame, frames
        self._slots = 0
        self._operations: list[Operation] = []
        self._loads: dict[Load, int] = {}
        self._rings: dict[int, int] = {}
        self._new: dict[int, list[int]] = {}
        """The slots of the items that have come of each value."""
        self._kept: list[list[int]] = [[] for _ in self._schedule.feeds]
        """The slots of the items that have come to each feed."""
        self._masked: dict[tuple[int, float], int] = {}
        self._clips = Clips()
        self._present: dict[tuple[int, int], int] = {}
        """The slots of which rows have what is there from a frame on, by that and a rank."""
        self._inputs = [[self._slot() for _ in self._graph.inputs] for _ in range(frames)]
        self._begins = Beginning(self._graph, frame) if begins else None
        self._had = self._slot() if begins else -1
        self._memory = {
            index: [self._slot() for _ in memory]
            for index, memory in enumerate(self._schedule.memory)
            if memory
        }
        self._carried = [slot for slots in self._memory.values() for slot in slots]

    def made(self, clips: bool) -> Listing:
        if self._begins is None:
            for offset in range(self._frames):
                self._run(offset, offset + 1)
        else:
            self._run(0, self._frames)
        stores = [
            [self._stored(number, place) for place in self._lasting(feed.depth, len(items))]
            if self._begins or number not in self._lister.rings
            else []
            for number, (feed, items) in enumerate(
                zip(self._schedule.feeds, self._kept, strict=True)
            )
        ]
        outputs = [self._given_out(outlet.value, clips) for outlet in self._graph.outputs]
        valid = [self._validity(outlet.value) for outlet in self._graph.outputs]
        return self._settled(stores, outputs, valid)

    def _run(self, first: int, stop: int) -> None:
        """Take the frames from `first` up to `stop`, and compute what is due with them."""
        for inputs in self._inputs[first:stop]:
            for value, slot in enumerate(inputs):
                self._came(value, slot)
        for index in sorted(self._graph.live):
            self._keep(index)
            due = self._due(index, first, stop)
            if self._many(due) or index not in self._lister.inside:
                self._compute(index, due)

    def _given_out(self, value: int, clips: bool) -> list[int]:
        """The items that have come of an output, or those of one that bursts as a clip."""
        items = self._new.get(value, [])
        if not (items and clips and self._graph.times[value].bursts):
            return items
        slots, counts = zip(*self._parts(items), strict=True)
        return self._operate(partial(joined, counts), slots, fresh=True)

    def _due(self, index: int, first: int, stop: int) -> range:
        """The outputs of a node that are due with these frames."""
        fires = self._schedule.fires[self._graph.base + index]
        return range(*(emits(fires, self._frame + each) for each in (first, stop)))

    def _many(self, due: range) -> bool:
        """Whether so many outputs are computed at once."""
        return len(due) > MANY

    def _lasting(self, depth: int, items: int) -> range:
        """Which of the items that come to a feed go out: what is not pushed out by others."""
        return range(max(0, items - depth), items)

    def _slot(self) -> int:
        self._slots += 1
        return self._slots - 1

    def _operate(
        self, run: Run, inputs: Sequence[int], results: int = 0, fresh: bool = False
    ) -> list[int]:
        """Add an operation, of one result where not said, and give the slots of its results."""
        outputs = tuple(self._slot() for _ in range(results or 1))
        self._operations.append(Operation(run, tuple(inputs), outputs, results > 0, fresh))
        return list(outputs)

    def _came(self, value: int, slot: int) -> None:
        """Note an item of a value."""
        self._new.setdefault(value, []).append(slot)
        for number in self._program.feeds_of.get(value, ()):
            self._kept[number].append(slot)

    def _keep(self, index: int) -> None:
        """Make what is kept of the items that have come to a node."""
        node, module = self._graph.nodes[index], self._program.modules[index]
        for number in self._schedule.reads[index]:
            if self._schedule.feeds[number].through == index:
                source = node.edges[0].source
                run = self._lister.keeping.get(index) or partial(kept_of_one, module, node.recipe)
                for slot in self._new.get(source, [])[len(self._kept[number]) :]:
                    self._kept[number] += self._operate(run, [slot])

    def _given(self, number: int) -> int:
        """How many items came to a feed before the first frame."""
        return emits(self._schedule.fires[self._schedule.feeds[number].value], self._frame)

    def _item(self, number: int, item: int) -> int:
        """The slot of an item of a feed."""
        given = self._given(number)
        if item >= given:
            return self._kept[number][item - given]
        load = Load(number, given - item)
        if load not in self._loads:
            self._loads[load] = self._slot()
        return self._loads[load]

    def _since(self, number: int, item: int) -> int:
        """From when on a row has an item of a feed."""
        fires = self._schedule.fires[self._schedule.feeds[number].value]
        return self._begins.since(fires, item) if self._begins else 0

    def _filled(self, number: int, item: int, fill: float) -> int:
        """An item, or `fill` in rows that have none; what is kept of those is zeros."""
        slot, since = self._item(number, item), self._since(number, item)
        if since <= 0 or (item < self._given(number) and fill == 0.0):
            return slot
        if (slot, fill) not in self._masked:
            (made,) = self._operate(partial(filled, fill), [self._here(number, since), slot])
            self._masked[slot, fill] = made
        return self._masked[slot, fill]

    def _here(self, number: int, since: int) -> int:
        """Which rows have an item of a feed that is there from `since` on; asked once of all."""
        rank = self._schedule.feeds[number].frame.rank
        if (since, rank) not in self._present:
            (made,) = self._operate(partial(here, since, rank), [self._had])
            self._present[since, rank] = made
        return self._present[since, rank]

    def _stored(self, number: int, place: int) -> int:
        return self._filled(number, self._given(number) + place, 0.0)

    def _window(self, number: int, items: range, fill: float | str | None) -> list[int]:
        """The items of a window, and what stands for those that a row does not have."""
        if fill is None or self._begins is None:
            return [self._item(number, item) for item in items]
        if not isinstance(fill, str):
            return [self._filled(number, item, fill) for item in items]
        slots: list[int] = []
        for item in range(items[-1], items[0] - 1, -1):
            slot, since = self._item(number, item), self._since(number, item)
            if since > 0 and slots:
                (slot,) = self._operate(torch.where, [self._here(number, since), slot, slots[-1]])
            slots.append(slot)
        return slots[::-1][:: items.step]

    def _compute(self, index: int, due: range) -> None:
        """Compute outputs of a node."""
        if not due:
            return
        unit = self._lister.units.get(index)
        if unit is not None and not self._many(due):
            slots = [self._of_unit(unit, output) for output in due]
        elif passes(self._graph.nodes[index], self._program.modules[index]):
            (edge,), (number, *_) = self._graph.nodes[index].edges, self._schedule.reads[index]
            slots = [self._item(number, reads(edge.reach, j, j)[1]) for j in due]
        elif self._apart(index, due):
            slots = [self._as_is(index, j, j + 1)[0] for j in due]
        else:
            slots = self._as_is(index, due.start, due.stop)
        for slot in slots:
            self._came(self._graph.base + index, slot)

    def _apart(self, index: int, due: range) -> bool:
        """Whether outputs of a node that is computed as it is are, one after another."""
        if self._begins:
            return isinstance(self._graph.nodes[index].recipe, Carried | Attended)
        return index in self._lister.carrying and not self._many(due)

    def _of_unit(self, unit: Unit, output: int) -> int:
        head = unit.nodes[0]
        if isinstance(unit.run, Attending):
            return self._attending(unit.run, head, output)
        node, numbers = self._graph.nodes[head], self._schedule.reads[head]
        slots: list[int] = []
        for edge, number in zip(node.edges, numbers, strict=False):
            oldest, newest = reads(edge.reach, output, output)
            step, fill = 1, None
            if isinstance(node.recipe, Windowed):
                step, fill = node.recipe.over.dilation, node.recipe.fill
            else:
                oldest = newest
            slots += self._window(number, range(oldest, newest + 1, step), fill)
        if unit.joined >= 0:
            edge = self._graph.nodes[unit.joined].edges[unit.other]
            number = self._schedule.reads[unit.joined][unit.other]
            slots.append(self._item(number, reads(edge.reach, output, output)[1]))
        return self._operate(unit.run, slots, fresh=True)[0]

    def _attending(self, run: Attending, index: int, output: int) -> int:
        (edge,), (kept, own) = self._graph.nodes[index].edges, self._schedule.reads[index]
        oldest, newest = reads(edge.reach, output, output)
        if self._begins is None and kept in self._lister.rings:
            self._rings[kept] = self._slot()
            window = self._operate(Ring.with_one, [self._rings[kept], self._item(kept, newest)])
            return self._operate(run.among, [*window, self._item(own, output)], fresh=True)[0]
        items = range(oldest, newest + 1)
        slots = [*self._window(kept, items, 0.0), self._item(own, output)]
        since = tuple(self._since(kept, item) for item in items)
        if max(since) <= 0:
            return self._operate(run, slots, fresh=True)[0]
        return self._operate(partial(run.begun, since), [self._had, *slots], fresh=True)[0]

    def _as_is(self, index: int, first: int, stop: int) -> list[int]:
        """A node as the network itself computes it."""
        node, numbers = self._graph.nodes[index], self._schedule.reads[index]
        recipe = node.recipe
        spans = [reads(edge.reach, first, stop - 1) for edge in node.edges]
        if takes_items(recipe):
            spans.append((first, stop - 1))
        fill = recipe.fill if isinstance(recipe, Windowed) else None
        fill = 0.0 if isinstance(recipe, Attended) else fill
        windows = [
            list(self._parts(self._window(number, range(oldest, newest + 1), fill)))
            for number, (oldest, newest) in zip(numbers, spans, strict=True)
        ]
        slots = [slot for window in windows for slot, _ in window]
        memory = self._memory.get(index, [])
        what = AsIs(
            node,
            self._program.modules[index],
            tuple(self._schedule.feeds[number].value for number in numbers),
            tuple(spans),
            first,
            stop,
            self._items(index),
            tuple(tuple(count for _, count in window) for window in windows),
        )
        run = self._lister.carrying.get(index, what) if stop - first == 1 else what
        if self._begins is not None:
            run = self._begun(index, what)
        if isinstance(run, Begun):
            slots.insert(0, self._had)
        if isinstance(run, AsIs | Begun) and not memory and self._many(range(first, stop)):
            return self._taken_apart(self._operate(run.clip, slots)[0], stop - first)
        made = self._operate(run, [*slots, *memory], stop - first + len(memory))
        self._memory[index] = made[stop - first :]
        return made[: stop - first]

    def _taken_apart(self, clip: int, count: int) -> list[int]:
        """The items of a clip."""
        slots = self._operate(apart, [clip], count)
        self._clips.hold(clip, slots)
        return slots

    def _parts(self, slots: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Slots of a window, those that lie so in a clip as a part of it, and how many items each
        stands for."""
        for slot, run, count in self._clips.parts(slots):
            yield self._operate(run, [slot])[0] if run else slot, count

    def _items(self, index: int) -> tuple[int, ...]:
        """How many items come in a turn of each value that a node reads, and of its own."""
        fires, feeds = self._schedule.fires, self._schedule.feeds
        values = [feeds[number].value for number in self._schedule.reads[index]]
        values.append(self._graph.base + index)
        return tuple(self._graph.cycle.items(fires[value]) for value in values)

    def _begun(self, index: int, what: AsIs) -> AsIs | Begun:
        """A node where rows begin at any frame, if that makes a difference to it."""
        number, (oldest, newest) = self._schedule.reads[index][0], what.spans[0]
        since = [self._since(number, item) for item in range(oldest, newest + 1)]
        return begun(what, since, self._begins)

    def _validity(self, value: int) -> list[int]:
        """Whether rows have the items that have come of an output."""
        if self._begins is None:
            return []
        fires = self._schedule.fires[value]
        given = emits(fires, self._frame)
        items = range(given, given + len(self._new.get(value, [])))
        since = [self._begins.since(fires, item) for item in items]
        asked = {each: self._operate(partial(there, each), [self._had])[0] for each in set(since)}
        return [asked[each] for each in since]

    def _settled(
        self, stores: list[list[int]], outputs: list[list[int]], valid: list[list[int]]
    ) -> Listing:
        """The listing, what is given from outside in the first slots."""
        loads = sorted(self._loads, key=lambda load: (load.feed, -load.back))
        given = [slot for inputs in self._inputs for slot in inputs]
        given += [self._had] if self._begins else []
        given += [self._loads[load] for load in loads]
        given += self._rings.values()
        given += self._carried
        returned = {*chain(*stores, *outputs, *valid, *self._memory.values())}
        operations = list(taken_out(needed(self._operations, returned), returned))
        rest = [slot for each in operations for slot in each.outputs]
        place = {slot: number for number, slot in enumerate([*given, *rest])}

        def placed(slots: Sequence[int]) -> tuple[int, ...]:
            return tuple(place[slot] for slot in slots)

        return Listing(
            self._frames,
            len(self._graph.inputs),
            self._begins is not None,
            tuple(loads),
            tuple(self._rings),
            tuple(
                replace(each, inputs=placed(each.inputs), outputs=placed(each.outputs))
                for each in operations
            ),
            tuple(map(placed, stores)),
            placed([slot for slots in self._memory.values() for slot in slots]),
            tuple(map(placed, outputs)),
            tuple(map(placed, valid)),
        )
