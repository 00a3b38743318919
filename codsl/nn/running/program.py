"""How a graph runs: a clip at once, frames as they come, and the end; each node by its recipe.

Which outputs are due follows from the frame number alone, so idle work is skipped and nothing
depends on data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from codsl.algebra.time import Time, emits, length, reads
from codsl.graph.graph import Graph
from codsl.graph.node import Node
from codsl.layers.recipe import Foreign
from codsl.nn.running.apart import Rows, rows_stepped
from codsl.nn.running.expected import unlike
from codsl.nn.running.foreign import stepped
from codsl.nn.running.state import SAID, State, apart
from codsl.nn.running.ways import dtype_of, kept
from codsl.nn.running.windows import Tape
from codsl.nn.running.work import Late, Work

Values = tuple[Tensor | None, ...]

COUNTED = 4
"""Frame numbers whose counts are remembered."""


@dataclass(frozen=True)
class Program:
    """A graph and the modules that compute its nodes."""

    graph: Graph
    modules: Sequence[nn.Module]

    @cached_property
    def _computed(self) -> list[tuple[int, Node, nn.Module]]:
        """The nodes that the outputs are made of, with their numbers and modules."""
        return [
            (index, self.graph.nodes[index], self.modules[index])
            for index in sorted(self.graph.live)
        ]

    @property
    def of_the_batch(self) -> Iterator[str]:
        """The layers that would normalise by the statistics of a batch, now."""
        return (path for path, module in self._norms if module.training)

    @cached_property
    def _norms(self) -> list[tuple[str, nn.Module]]:
        return [
            (node.path, module)
            for _, node, module in self._computed
            if isinstance(module, nn.modules.batchnorm._BatchNorm)
        ]

    @cached_property
    def _last_reader(self) -> dict[int, int]:
        """For every value that is read the last node that does; outputs are read behind all."""
        last: dict[int, int] = {}
        for index, node, _ in self._computed:
            for edge in node.edges:
                last[edge.source] = index
        for outlet in self.graph.outputs:
            last[outlet.value] = len(self.graph.nodes)
        return last

    @cached_property
    def read_last(self) -> dict[int, tuple[list[int], list[int]]]:
        """The values and the feeds that no node reads after each."""
        reads = self.graph.schedule.reads
        feeds = {number: index for index, *_ in self._computed for number in reads[index]}
        found: dict[int, tuple[list[int], list[int]]] = {i: ([], []) for i, *_ in self._computed}
        for kind, last in enumerate((self._last_reader, feeds)):
            for each, index in last.items():
                if index in found:
                    found[index][kind].append(each)
        return found

    @cached_property
    def feeds_of(self) -> dict[int, list[int]]:
        """The feeds that keep a value as it is."""
        feeds: dict[int, list[int]] = {}
        for number, feed in enumerate(self.graph.schedule.feeds):
            if feed.through is None:
                feeds.setdefault(feed.value, []).append(number)
        return feeds

    @cached_property
    def kept_of(self) -> dict[int, int]:
        """The feed that keeps what a node makes of each item that it reads."""
        feeds = enumerate(self.graph.schedule.feeds)
        return {feed.through: number for number, feed in feeds if feed.through is not None}

    @cached_property
    def sources_of(self) -> list[list[int]]:
        """The values whose items a node reads, feed by feed."""
        schedule = self.graph.schedule
        return [[schedule.feeds[number].value for number in reads] for reads in schedule.reads]

    @cached_property
    def memory_of(self) -> dict[int, slice]:
        """Where the carried tensors of a node stand among those of a state."""
        places, at = {}, len(self.graph.schedule.feeds)
        for index, memory in enumerate(self.graph.schedule.memory):
            if memory:
                places[index] = slice(at, at + len(memory))
                at += len(memory)
        return places

    @cached_property
    def layout(self) -> tuple[tuple[int, ...], ...]:
        """The shape of each tensor of a state without its batch: past items, then what is
        carried."""
        schedule = self.graph.schedule
        return (
            *((feed.frame.channels, feed.depth, *feed.frame.space) for feed in schedule.feeds),
            *(each.shape for memory in schedule.memory for each in memory),
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The name of each tensor of a state: whose items they are, or what is carried where."""
        graph = self.graph
        inputs = [inlet.name or "input" for inlet in graph.inputs]
        values = [*inputs, *(node.path for node in graph.nodes)]
        items = (
            f"{values[feed.value]}:items"
            if feed.through is None
            else f"{values[graph.base + feed.through]}:kept"
            for feed in graph.schedule.feeds
        )
        carried = (
            f"{node.path}:{each.name}"
            for node, memory in zip(graph.nodes, graph.schedule.memory, strict=True)
            for each in memory
        )
        return tuple(apart([*items, *carried]))

    @cached_property
    def foreign(self) -> dict[int, str]:
        """The nodes whose modules have a step of their own, and the name of each."""
        nodes = self.graph.nodes
        here = [index for index, node, _ in self._computed if isinstance(node.recipe, Foreign)]
        return dict(zip(here, apart([nodes[index].path for index in here]), strict=True))

    def difference(self, state: State) -> str:
        """Why a state is none of this program's; empty where it is one."""
        found = state.difference(self.names, self.layout, self.graph.fingerprint)
        if found or not state.filed:
            return found
        return "; ".join(islice(self._foreign_differences(state), SAID))

    def _foreign_differences(self, state: State) -> Iterator[str]:
        """How what a file says of modules with a step of their own is not what they remember."""
        said = dict(state.others)
        graph = self.graph
        yield from (f"`{name}` is not here" for name in set(said) - set(self.foreign.values()))
        for index, name in self.foreign.items():
            source = graph.nodes[index].edges[0].source
            items = emits(graph.schedule.fires[source], state.frame)
            if items or name in said:
                frame, module = graph.frames[source], self.modules[index]
                why = unlike(name, module, items, frame, state, said.get(name))
                yield from [why] * bool(why)

    def clip(self, xs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """All outputs of clips `(B, C, T, *S)`."""
        frames = xs[0].shape[2]
        values: dict[int, Tensor] = dict(enumerate(xs))
        for index, node, module in self._computed:
            made = module(*self._clip_inputs(index, node, values, frames))
            values[self.graph.base + index] = made
            for value in {edge.source for edge in node.edges}:
                if self._last_reader[value] == index:
                    del values[value]
        return tuple(values[outlet.value] for outlet in self.graph.outputs)

    def _clip_inputs(
        self, index: int, node: Node, values: dict[int, Tensor], frames: int
    ) -> list[Tensor]:
        """What a node reads of a clip; what a join cannot use of the longer inputs is left out."""
        if len(node.edges) == 1:
            return [values[node.edges[0].source]]
        items = length(self.graph.times[self.graph.base + index], frames)
        spans = [reads(edge.reach, 0, items - 1) for edge in node.edges]
        inputs = [values[edge.source] for edge in node.edges]
        return [
            x if (oldest, newest) == (0, x.shape[2] - 1) else x[:, :, oldest : newest + 1]
            for x, (oldest, newest) in zip(inputs, spans, strict=True)
        ]

    def init_state(self, batch_size: int, dtype: torch.dtype, device: torch.device) -> State:
        """The state before the first frame."""
        carried = (each for memory in self.graph.schedule.memory for each in memory)
        dtypes = [dtype] * len(self.graph.schedule.feeds)
        dtypes += [dtype_of(each, dtype) for each in carried]
        tensors = tuple(
            torch.zeros((batch_size, *shape), dtype=kind, device=device)
            for shape, kind in zip(self.layout, dtypes, strict=True)
        )
        network = self.graph.fingerprint
        return State(0, batch_size, dtype, device, tensors, self.names, network=network)

    def given(self, frames: int) -> list[int]:
        """How many items the value of each feed has given after so many frames."""
        counts = self._counts(frames)
        return [counts[feed.value] for feed in self.graph.schedule.feeds]

    def _counts(self, frames: int) -> tuple[int, ...]:
        """How many items every value has given after so many frames; a step begins with the counts
        that the one before ended with."""
        if torch.compiler.is_compiling():
            return tuple(emits(time, frames) for time in self.graph.schedule.fires)
        found = self._counted.get(frames)
        if found is None:
            times, numbers = self._clocks
            given = [emits(time, frames) for time in times]
            found = tuple([given[number] for number in numbers])
            if len(self._counted) >= COUNTED:
                self._counted.clear()
            self._counted[frames] = found
        return found

    @cached_property
    def _clocks(self) -> tuple[list[Time], list[int]]:
        """The times at which values fire, each once, and the number of that of every value."""
        fires = self.graph.schedule.fires
        known = {time: number for number, time in enumerate(dict.fromkeys(fires))}
        return list(known), [known[time] for time in fires]

    @cached_property
    def _counted(self) -> dict[int, tuple[int, ...]]:
        return {}

    @cached_property
    def bursts(self) -> bool:
        """Whether some frame brings several items of one output."""
        return any(self.graph.times[outlet.value].bursts for outlet in self.graph.outputs)

    def late(self, turns: Sequence[int]) -> Late:
        """Rows that began so many turns of `graph.cycle` later."""
        return Late(tuple(turns), self._items)

    @cached_property
    def _items(self) -> tuple[int, ...]:
        """How many items of every value come in a turn."""
        return tuple(map(self.graph.cycle.items, self.graph.schedule.fires))

    def steps(self, xs: Sequence[Tensor], state: State) -> tuple[Values, State]:
        """The outputs that become due with the frames `xs`, `(B, C, T, *S)`, and the new state."""
        return self.rows(xs, state, None)

    def rows(self, xs: Sequence[Tensor], state: State, late: Late | None) -> tuple[Values, State]:
        """The same where rows began later than others.

        The state is then beyond `graph.cycle.start`. Outputs that a row cannot have yet are of no
        meaning.
        """
        before, after = state.frame, state.frame + xs[0].shape[2]
        tensors = state.usable()
        others = dict(state.others)
        given, until = self._counts(before), self._counts(after)
        ys = self._run(xs, given, until, tensors, others, late)
        kept = tuple(others.items())
        return ys, replace(state, frame=after, tensors=tuple(tensors), others=kept, filed=False)

    def flush(self, state: State) -> Values:
        """The outputs that end padding makes due, were the stream to end here."""
        frames = state.frame
        if frames < self.graph.min_frames:
            return (None,) * len(self.graph.outputs)
        nothing = (None,) * self.graph.base
        until = tuple(length(time, frames) for time in self.graph.times)
        others = dict(state.others)
        tensors = state.usable()
        return self._run(nothing, self._counts(frames), until, tensors, others, ends=True)

    def _run(
        self,
        xs: Sequence[Tensor | None],
        given: Sequence[int],
        until: Sequence[int],
        tensors: list[Tensor],
        others: dict[str, object],
        late: Late | None = None,
        ends: bool = False,
    ) -> Values:
        """Carry every value from the items that it has `given` to those that it gives `until`.

        `tensors` is what is kept and carried, and is brought up to date; `ends` says that the
        stream ends here.
        """
        run = _Run(self, given, until, tensors, others, late, ends)
        base, kept_of, foreign = self.graph.base, self.kept_of, self.foreign
        for value, items in enumerate(xs):
            run.put(value, items)
        for index, node, module in self._computed:
            if index in kept_of:
                run.keep(index, node, module)
            value = base + index
            y = None
            if index in foreign:
                y = run.own_step(index, value, node, module)
            elif until[value] > given[value]:
                y = run.work(index, value, node, module)
            run.put(value, y)
            run.forget(index)
        return tuple(run.new[outlet.value] for outlet in self.graph.outputs)


class _Run:
    """Values on their way from the items that each has `given` to those that it gives `until`.

    `tensors` and `others` are what is kept and carried; they are brought up to date.
    """

    def __init__(
        self,
        program: Program,
        given: Sequence[int],
        until: Sequence[int],
        tensors: list[Tensor],
        others: dict[str, object],
        late: Late | None,
        ends: bool,
    ) -> None:
        self.program, self.feeds_of, self.read_last = program, program.feeds_of, program.read_last
        self.feeds, self.reads = program.graph.schedule.feeds, program.graph.schedule.reads
        self.given, self.until = given, until
        self.tensors, self.others = tensors, others
        self.late, self.ends = late, ends
        self.new: dict[int, Tensor | None] = {}
        self.tapes: dict[int, Tape] = {}

    def put(self, value: int, items: Tensor | None) -> None:
        """Hand the new items of a value, if there are any, to the feeds that keep it as it is."""
        self.new[value] = items
        for number in self.feeds_of.get(value, ()):
            self._feed(number, items)

    def forget(self, index: int) -> None:
        """Let go of what no node reads after this one, which of a long chunk is much."""
        values, feeds = self.read_last[index]
        for value in values:
            del self.new[value]
        for number in feeds:
            del self.tapes[number]

    def keep(self, index: int, node: Node, module: nn.Module) -> None:
        """Hand what a node makes of each new item that it reads to the feed that keeps that."""
        items = self.new[node.edges[0].source]
        made = None if items is None else kept(module, node.recipe, items)
        self._feed(self.program.kept_of[index], made)

    def _feed(self, number: int, items: Tensor | None) -> None:
        """Put new items behind those that a feed holds, and keep as many as it is deep."""
        value, depth = self.feeds[number].value, self.feeds[number].depth
        held = self.tensors[number]
        if items is not None and not depth:
            held = items
        elif items is not None:
            held = torch.cat([held, items], 2)
            self.tensors[number] = held.narrow(2, held.shape[2] - depth, depth).clone()
        last = self.until[value] if self.ends else None
        self.tapes[number] = Tape(self.given[value] - depth, held, last, items is None)

    def work(self, index: int, value: int, node: Node, module: nn.Module) -> Tensor:
        """The outputs of a node that are due, worked out of its tapes."""
        program, first, stop = self.program, self.given[value], self.until[value]
        place = program.memory_of.get(index, slice(0))
        read = [self.tapes[number] for number in self.reads[index]]
        sources = program.sources_of[index]
        work = Work(node, module, read, sources, self.tensors[place], first, stop)
        done = work.done() if self.late is None else self.late.done(work, value)
        y, self.tensors[place] = done
        return y

    def own_step(self, index: int, value: int, node: Node, module: Any) -> Tensor | None:
        """What comes of a module with a step of its own, if it has something to read; `ValueError`
        where it breaks its word."""
        items = self.new[node.edges[0].source]
        if items is None and not self.ends:
            return None
        if items is None:
            items = self.tensors[self.reads[index][0]][:, :, :0]
        name = self.program.foreign[index]
        state: Any = self.others.get(name)
        due = self.until[value] - self.given[value]
        step = rows_stepped if isinstance(state, Rows) else stepped
        y, self.others[name] = step(node.path, module, items, state, self.ends, due)
        return y
