"""Modules laid out as a graph: what each adds to it, for certain frames or for time alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from torch import Tensor, nn

from codsl.algebra.ports import Inlet, Outlet
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, MOST, Disagreement, Time, Unsteady, compose, emits, join
from codsl.graph.graph import Graph
from codsl.graph.node import Edge, Node
from codsl.layers.plain import Delay
from codsl.layers.recipe import Recipe
from codsl.nn.functions.operation import Operation
from codsl.nn.module import CoModule
from codsl.nn.nest import Nest, leaves, number, rebuild
from codsl.nn.running.foreign import Declared
from codsl.nn.running.program import Program


class Trace:
    """A graph while modules add to it. Where frames are None, only times are worked out.

    Functions are tried in the dtype and on the device of `like`.
    """

    def __init__(self, frames: Sequence[Frame | None], like: Tensor | None = None) -> None:
        self.like = like
        self.frames: list[Frame | None] = list(frames)
        self.times: list[Time] = [IDENTITY] * len(frames)
        self._inputs = len(frames)
        self._nodes: list[Node] = []
        self._modules: list[nn.Module] = []
        self._counted: set[Any] = set()

    def layer(
        self, path: str, module: nn.Module, operation: Operation, value: int, type: str = ""
    ) -> int:
        """Add a layer that reads a value, and give the value that it makes."""
        reach, word = operation.time(), type or _word(module)
        self.times.append(self._met(path or word, (Edge(value, reach),)))
        x = self.frames[value]
        if x is None:
            self.frames.append(None)
            return len(self.frames) - 1
        try:
            y = operation.shape(x)
        except ValueError as error:
            raise ValueError(f"`{path or word}`: {error}") from error
        recipe = operation.recipe(x)
        facts = (operation.weights(x), operation.macs(x, y), operation.space(x))
        return self._add(Node(path or word, word, (Edge(value, reach),), y, recipe, *facts), module)

    def join(
        self,
        path: str,
        module: nn.Module,
        recipe: Recipe,
        edges: Sequence[Edge],
        frame: Frame | None,
        type: str = "",
        macs: int | Fraction = 0,
        own: Mapping[str, Tensor] | None = None,
    ) -> int:
        """Add a join of several values, which has parameters of its `own`, and give the value that
        it makes.

        Raises `ValueError` where they do not meet in time.
        """
        word = type or _word(module)
        self.times.append(self._met(path or word, edges))
        if frame is None:
            self.frames.append(None)
            return len(self.frames) - 1
        space = (IDENTITY,) * len(frame.space)
        weights = {name: tuple(each.shape) for name, each in (own or {}).items()}
        node = Node(path or word, word, tuple(edges), frame, recipe, weights, macs, space)
        return self._add(node, module, own)

    def foreign(self, path: str, module: CoModule, value: int) -> int:
        """Add a module with a step of its own, by the numbers that it declares."""
        return self.layer(path, module, Declared(module), value)

    def graft(self, path: str, program: Program, value: int) -> int:
        """Add the nodes of a program of one input and one output, and give its output."""
        graph = program.graph
        if len(graph.inputs) > 1 or len(graph.outputs) > 1:
            raise ValueError(f"`{path}` has several inputs or outputs, and stands in a row here")
        frame = self.frames[value]
        if frame is not None and frame != graph.input:
            raise ValueError(f"`{path}` takes frames of {graph.input}, got {frame}")
        at = {0: value}
        for index, (node, module) in enumerate(zip(graph.nodes, program.modules, strict=True)):
            edges = tuple(Edge(at[edge.source], edge.reach) for edge in node.edges)
            name = f"{path}.{node.path}" if path else node.path
            self.times.append(self._met(name, edges))
            at[graph.base + index] = self._add(replace(node, path=name, edges=edges), module)
        return at[graph.output]

    def together(self, values: Sequence[int], path: str) -> list[int]:
        """The same values, made to begin in a stream with the latest of them, or before it where
        a whole item would be too late."""
        latest = max(self.times[value].phases[0].due for value in values)
        late = [_items(self.times[value], latest) for value in values]
        return [
            self.layer(f"{path}.delay", nn.Identity(), Delay(items), value) if items else value
            for value, items in zip(values, late, strict=True)
        ]

    def _met(self, path: str, edges: Sequence[Edge]) -> Time:
        """The time of a node; raises `ValueError` with its path where it has none."""
        times = []
        try:
            times += [compose(self.times[edge.source], edge.reach) for edge in edges]
            return join(times)
        except Disagreement as error:
            raise ValueError(f"`{path}`: {_why(error.kind, times)}") from None
        except Unsteady:
            raise ValueError(
                f"`{path}`: more than {MOST} outputs until the pattern of when they come repeats "
                "itself; raise the rate by less, or after the strides by which it falls"
            ) from None

    @staticmethod
    def alone(module: Any) -> Time:
        """The time of a module, relative to its own input; of several outputs the widest."""
        times = Trace.ends(module)
        return max(times, key=lambda time: (time.delay, time.receptive_field))

    @staticmethod
    def ends(module: Any) -> tuple[Time, ...]:
        """The time of every output of a module, relative to its own input."""
        trace = Trace([None])
        return tuple(trace.times[end] for end in leaves(module.lay(trace, "", 0)))

    def _add(self, node: Node, module: nn.Module, own: Mapping[str, Tensor] | None = None) -> int:
        self._nodes.append(replace(node, weights=self._fresh(node, module, own)))
        self._modules.append(module)
        self.frames.append(node.frame)
        return len(self.frames) - 1

    def _fresh(
        self, node: Node, module: nn.Module, own: Mapping[str, Tensor] | None
    ) -> dict[str, tuple[int, ...]]:
        """The weights of a node that none before it has."""
        tensors = dict(module.named_parameters(remove_duplicate=False)) if own is None else own
        keys = {
            name: id(tensors[name]) if name in tensors else (id(module), name)
            for name in node.weights
        }
        known = set(self._counted)
        self._counted.update(keys.values())
        return {name: each for name, each in node.weights.items() if keys[name] not in known}

    def program(self, name: str, outputs: Sequence[int]) -> Program:
        """The program of what was added, once the frames are known."""
        frames = [frame for frame in self.frames[: self._inputs] if frame is not None]
        inputs = tuple(
            Inlet(str(place) if len(frames) > 1 else "", frame)
            for place, frame in enumerate(frames)
        )
        outlets = tuple(
            Outlet(str(place) if len(outputs) > 1 else "", value)
            for place, value in enumerate(outputs)
        )
        nodes = tuple(self._nodes)
        graph = Graph(name, inputs, None, nodes, (), outlets, None, tuple(self.times))
        return Program(graph, tuple(self._modules))


def values_of(nest: Nest) -> Any:
    """The values of inputs, in the shape in which they come."""
    return rebuild(nest, range(sum(1 for _ in leaves(nest))))


def outlets_of(values: Any) -> tuple[list[int], Nest]:
    """The values that go out, and the shape in which they do."""
    return list(leaves(values)), number(values)


def _word(module: nn.Module) -> str:
    return type(module).__name__


def _items(time: Time, frame: int) -> int:
    """By how many items a value has to wait to begin at a frame, or as late before it as can be."""
    items = emits(time, frame)
    return items - (time.output(items).due > frame)


def _why(kind: str, times: Sequence[Time]) -> str:
    if kind == "stride":
        strides = ", ".join(str(time.stride) for time in times)
        return f"what meets here has different strides over time: {strides}"
    lengths = ", ".join(map(_length, times))
    return (
        f"what meets here differs in length: clips of T frames give {lengths} outputs; "
        "pad the shorter over time, or crop the longer"
    )


def _length(time: Time) -> str:
    sign = "+" if time.offset > 0 else "-"
    items = f"T {sign} {abs(time.offset)}" if time.offset else "T"
    return items if time.stride == 1 else f"({items}) / {time.stride}"
