"""A flat list of small operations for each frame of a stream's turn, and the memory they share."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from codsl.algebra.time import emits, reads
from codsl.engine.choice import Choice
from codsl.engine.ring import Ring
from codsl.nn.program import Program, Values
from codsl.nn.state import State
from codsl.nn.ways import kept
from codsl.nn.windows import Tape
from codsl.nn.work import Work

Operation = Callable[[], None]


class Plan:
    """How one stream of a program goes on from `graph.cycle.start`, a frame at a time.

    Values are frames `(B, C, *S)`, or clips where several items come at once. It owns its memory.
    """

    def __init__(self, program: Program, state: State) -> None:
        like = torch.empty(0, dtype=state.dtype, device=state.device)
        self._program = program
        self._graph = program.graph
        self.like = replace(state, tensors=(), others=())
        (inlet, *more) = program.graph.inputs
        shape = (state.batch_size, *inlet.frame.shape)
        self._shape = None if more or inlet.name else torch.Size(shape)
        self._choice = Choice(program.graph, program.modules, like)
        self._values: list[Tensor | None] = [None] * len(self._graph.times)
        self._tensors = list(state.tensors)
        self._tapes: dict[int, Tape] = {}
        self._rings: dict[int, Ring] = {}
        for number, (spread, last) in self._choice.rings.items():
            feed = self._graph.schedule.feeds[number]
            shape = (state.batch_size, *feed.frame.shape)
            self._rings[number] = Ring(shape, feed.depth, spread, last, like)
        self._windows: dict[tuple[int, int], list[Tensor]] = {}
        self._slots = list(range(len(self._values)))
        for index in self._choice.live:
            if self._choice.passes(index):
                source = self._graph.nodes[index].edges[0].source
                self._slots[self._graph.base + index] = self._slots[source]
        self._turn: dict[int, tuple[list[Operation], list[Callable[[], Tensor | None]]]] = {}
        self.load(state)

    def takes(self, frame: Tensor) -> bool:
        """Whether a frame is as those of the only input, at a glance."""
        alike = frame.shape == self._shape and frame.dtype == self.like.dtype
        return alike and frame.device == self.like.device

    def fits(self, state: State) -> bool:
        """Whether a state is of streams like this one."""
        here = self.like
        found = (state.batch_size, state.dtype, state.device)
        return found == (here.batch_size, here.dtype, here.device)

    def load(self, state: State) -> None:
        """Go on from a state, which is copied."""
        self._frame = state.frame
        self._tensors = list(state.tensors)
        given = self._program.given(state.frame)
        for number, ring in self._rings.items():
            ring.load(state.tensors[number], given[number])

    def dump(self) -> State:
        """The state of the stream, in memory of its own."""
        tensors = [
            self._rings[number].dump() if number in self._rings else tensor.clone()
            for number, tensor in enumerate(self._tensors)
        ]
        here = self.like
        network = self._graph.fingerprint
        return State(
            self._frame,
            here.batch_size,
            here.dtype,
            here.device,
            tuple(tensors),
            self._program.names,
            network=network,
        )

    def step(self, xs: list[Tensor]) -> Values:
        """The outputs that are due with frames `(B, C, *S)`."""
        cycle = self._graph.cycle
        phase = (self._frame - cycle.start) % cycle.turn
        if phase not in self._turn:
            self._turn[phase] = self._operations(cycle.start + phase)
        operations, outputs = self._turn[phase]
        self._values[: len(xs)] = xs
        for operation in operations:
            operation()
        self._frame += 1
        return tuple(output() for output in outputs)

    def _operations(self, frame: int) -> tuple[list[Operation], list[Callable[[], Tensor | None]]]:
        """What happens at a frame, and what gives each output."""
        graph = self._graph
        done: list[Operation] = []
        for value in range(graph.base):
            done += self._feeding(value, frame)
        for index in self._choice.live:
            done += self._computing(index, frame)
            done += self._feeding(graph.base + index, frame)
        return done, [self._output(outlet.value, frame) for outlet in graph.outputs]

    def _new(self, value: int, frame: int) -> int:
        """How many items of a value come with a frame."""
        fires = self._graph.schedule.fires[value]
        return emits(fires, frame + 1) - emits(fires, frame)

    def _output(self, value: int, frame: int) -> Callable[[], Tensor | None]:
        values, slot, new = self._values, self._slots[value], self._new(value, frame)
        fresh = self._choice.fresh(value)

        def output() -> Tensor | None:
            y = values[slot]
            return y if y is None or fresh else y.clone()

        return output if new else lambda: None

    def _feeding(self, value: int, frame: int) -> list[Operation]:
        """Keep the items of a value."""
        feeds = enumerate(self._graph.schedule.feeds)
        numbers = [n for n, feed in feeds if feed.value == value and feed.through is None]
        done: list[Operation] = []
        for number in numbers:
            if number in self._choice.tapes:
                done.append(partial(self._tape, number, frame, self._items(value, frame)))
            elif number in self._rings and self._new(value, frame):
                done.append(self._writing(number, value))
        return done

    def _writing(self, number: int, value: int) -> Operation:
        values, slot, write = self._values, self._slots[value], self._rings[number].write

        def operation() -> None:
            write(values[slot])  # type: ignore[arg-type]

        return operation

    def _items(self, value: int, frame: int) -> Callable[[], Tensor | None]:
        """The items of a value that come with a frame, as a clip."""
        values, slot, new = self._values, self._slots[value], self._new(value, frame)
        if new == 1:
            return lambda: values[slot].unsqueeze(2)  # type: ignore[union-attr]
        return (lambda: values[slot]) if new else (lambda: None)

    def _tape(self, number: int, frame: int, items_of: Callable[[], Tensor | None]) -> None:
        """Lay a tape for those who read a feed by the plain way."""
        feed, items = self._graph.schedule.feeds[number], items_of()
        held = self._tensors[number]
        if items is not None:
            held = torch.cat([held, items], 2) if feed.depth else items
            self._tensors[number] = held[:, :, held.shape[2] - feed.depth :].clone()
        given = emits(self._graph.schedule.fires[feed.value], frame)
        self._tapes[number] = Tape(given - feed.depth, held, None, items is None)

    def _computing(self, index: int, frame: int) -> list[Operation]:
        """Compute a node, where something is due."""
        value = self._graph.base + index
        if index in self._choice.kernels:
            idle = self._choice.passes(index) or not self._new(value, frame)
            return [] if idle else [self._kernel(index, frame)]
        done = self._keeping(index, frame)
        return [*done, self._plainly(index, frame)] if self._new(value, frame) else done

    def _keeping(self, index: int, frame: int) -> list[Operation]:
        """Keep what a node makes of each item."""
        schedule, node = self._graph.schedule, self._graph.nodes[index]
        items, module = self._items(node.edges[0].source, frame), self._program.modules[index]

        def made() -> Tensor | None:
            x = items()
            return None if x is None else kept(module, node.recipe, x)

        numbers = (n for n in schedule.reads[index] if schedule.feeds[n].through == index)
        return [partial(self._tape, number, frame, made) for number in numbers]

    def _plainly(self, index: int, frame: int) -> Operation:
        """A node as the network itself computes it."""
        graph, program = self._graph, self._program
        node, value = graph.nodes[index], graph.base + index
        numbers = graph.schedule.reads[index]
        sources = [graph.schedule.feeds[number].value for number in numbers]
        place = program._memory_of.get(index, slice(0))
        first = emits(graph.schedule.fires[value], frame)
        new = self._new(value, frame)

        def operation() -> None:
            tapes = [self._tapes[number] for number in numbers]
            memory = self._tensors[place]
            module = program.modules[index]
            y, after = Work(node, module, tapes, sources, memory, first, first + new).done()
            self._tensors[place] = after
            self._values[value] = y.squeeze(2) if new == 1 else y

        return operation

    def _kernel(self, index: int, frame: int) -> Operation:
        kernel = self._choice.written_to(index)
        values, value, run = self._values, self._graph.base + index, kernel.run
        if len(self._graph.nodes[index].edges) == 1 and self._choice.direct(index, 0) and run:
            slot = self._slots[self._graph.nodes[index].edges[0].source]

            def direct() -> None:
                values[value] = run(values[slot])

            return direct
        get = [self._getter(index, edge, frame, kernel.taps) for edge in self._edges(index)]
        if len(get) == 2 and run:
            one, other = get

            def joined() -> None:
                values[value] = run(one(), other())

            return joined
        (only,) = get

        def single() -> None:
            values[value] = run(only()) if run else only()

        return single

    def _edges(self, index: int) -> range:
        return range(len(self._graph.nodes[index].edges))

    def _getter(self, index: int, edge: int, frame: int, taps: int) -> Callable[[], Tensor]:
        """What gives the item or the window that a node reads at a frame."""
        graph, values = self._graph, self._values
        reach, source = graph.nodes[index].edges[edge].reach, graph.nodes[index].edges[edge].source
        if self._choice.direct(index, edge):
            slot = self._slots[source]
            return lambda: values[slot]  # type: ignore[return-value]
        fires = graph.schedule.fires
        output = emits(fires[graph.base + index], frame)
        back = reads(reach, output, output)[1] - emits(fires[source], frame + 1)
        number = graph.schedule.reads[index][edge]
        ring, views = self._rings[number], self._views(number, taps)
        return lambda: views[ring.place + back]

    def _views(self, number: int, taps: int) -> list[Tensor]:
        ring = self._rings[number]
        if taps == 1:
            return ring.items
        if (number, taps) not in self._windows:
            self._windows[number, taps] = ring.windows(taps)
        return self._windows[number, taps]
