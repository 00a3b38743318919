"""The same network of the modules of continual-inference, the library that codsl succeeds."""

import logging
from importlib import import_module
from importlib.metadata import version
from typing import Any

from torch import Tensor, nn

from codsl.algebra.time import compose
from codsl.bench.contender import Absent, Contender, line
from codsl.bench.scene import Scene
from codsl.graph.graph import Graph
from codsl.graph.node import Edge, Node
from codsl.layers.recipe import Pointwise, Windowed
from codsl.network import Network

PEER = "continual-inference"

MEMORY = ("state_buffer", "state_index", "stride_index")
"""What its modules remember: items, of which the second dimension is the batch, and counts."""

JOINS = {"join_sum": "sum", "join_mul": "mul", "join_max": "max", "join_concat": "concat"}


class Unlike(Exception):
    """The peer has no such network; the message says why."""


class Peer:
    """The peer of a network, with its weights, after a clip of one stream."""

    def __init__(self, net: Network, past: Any) -> None:
        self._net = net
        self._module: Any = None
        self._why = ""
        try:
            self._module = counterpart(net)
            if past is None:
                raise Unlike("the clip that it would be run in with takes too much memory")
            for index in range(past.shape[2]):
                self._module.forward_step(past[:, :, index])
        except ImportError:
            self._why = "not installed"
        except Exception as error:  # whatever another library raises is its own affair
            self._why = line(error)

    def __call__(self, scene: Scene) -> Contender | Absent:
        """What takes part for these streams."""
        if self._why:
            return Absent(PEER, self._why)
        module = counterpart(self._net)
        for each, begun in zip(module.modules(), self._module.modules(), strict=True):
            _go_on(each, begun, scene.streams)
        run = module.forward_step if scene.steps else module.forward_steps
        words = f"continual-inference {version(PEER)}, the same layers and weights"
        return Contender(PEER, words, run, scene.frames, scene.macs)


def _go_on(module: Any, begun: Any, streams: int) -> None:
    """Give a module for so many streams the state of one; its modules cannot be copied."""
    for name in MEMORY:
        memory = getattr(begun, name, None)
        if isinstance(memory, Tensor):
            wide = memory.dim() > 1
            setattr(module, name, memory.repeat_interleave(streams, 1) if wide else memory.clone())


def counterpart(net: Network) -> Any:
    """The module of continual-inference that does the same once streams are beyond their beginning.

    Raises `ImportError` where it is not installed, and `Unlike` where it has nothing of the kind.
    """
    co = import_module("continual")
    logging.getLogger("continual").setLevel(logging.ERROR)
    if len(net.graph.inputs) > 1 or len(net.graph.outputs) > 1 or net.graph.inputs[0].name:
        raise Unlike("it has no inputs and outputs by name")
    made = Translation(net, co)
    module = made.between(0, net.graph.output)
    if made.count != len(net.graph.live):
        raise Unlike("branches cross, which its containers cannot")
    return module.eval().requires_grad_(False)


class Translation:
    """The nodes of a network as modules of the peer; `count` says how many were made."""

    def __init__(self, net: Network, co: Any) -> None:
        self._net, self._co, self._graph = net, co, net.graph
        self._forks = forks(net.graph)
        self.count = 0

    def between(self, start: int, end: int) -> Any:
        """What makes the value `end` of the value `start`."""
        modules: list[Any] = []
        while end != start:
            index = end - self._graph.base
            node = self._graph.nodes[index]
            modules += self._node(index, node)
            end = self._forks[end]
        return self._co.Sequential(*reversed(modules))

    def _node(self, index: int, node: Node) -> list[Any]:
        """A node; none where it does nothing but in training."""
        self.count += 1
        if len(node.edges) > 1:
            return [self._join(index, node)]
        module = self._net.get_submodule(node.path)
        if isinstance(node.recipe, Windowed):
            return [_with_weights(self._windowed(node, node.recipe), module)]
        if isinstance(node.recipe, Pointwise):
            if _idle(node.recipe):
                return self._waiting(node.edges[0].reach.delay)
            return [self._pointwise(node.recipe, module)]
        raise Unlike(f"it has no counterpart of `{node.path}`, of type {node.type}")

    def _waiting(self, items: int) -> list[Any]:
        """What waits for so many items, and does nothing else."""
        return [self._co.Delay(items)] if items else []

    def _join(self, index: int, node: Node) -> Any:
        """A join: each operand waits, by the plan, until the last one is there."""
        graph, value = self._graph, self._graph.base + index
        call = node.recipe.call if isinstance(node.recipe, Pointwise) else None
        if call is None or call.function not in JOINS:
            raise Unlike(f"it has no join like `{node.path}`")
        fork = self._forks[value]
        branches = []
        for edge in node.edges:
            if graph.times[edge.source].stride != graph.times[fork].stride:
                raise Unlike("it does not line up strides over time where branches meet")
            wait = self._co.Delay(_wait(graph, value, edge))
            branches.append(self._co.Sequential(*self.between(fork, edge.source), wait))
        how = JOINS[call.function]
        return self._co.BroadcastReduce(*branches, reduce=how, auto_delay=False)

    def _windowed(self, node: Node, recipe: Windowed) -> nn.Module:
        """A convolution or a pool; what comes before the first frame is of no account here."""
        over = recipe.over
        settings = {name: value for name, value in recipe.settings.items() if name != "dtype"}
        if recipe.window.pad or over.ceil_mode or (recipe.normed and recipe.frame):
            raise Unlike(f"it has no padding like that of `{node.path}`")
        if over.dilation > 1:
            raise Unlike(f"it has no dilation over time, and `{node.path}` has")
        if not hasattr(self._co, recipe.module):
            raise Unlike(f"it has no counterpart of `{node.path}`, of type {node.type}")
        if "output_size" in settings:
            settings["kernel_size"] = over.kernel
        else:
            space = (recipe.frame or recipe.window).arguments["padding"][1:]
            settings["padding"] = (over.before, *space)
        made: nn.Module = getattr(self._co, recipe.module)(**settings)
        return made

    def _pointwise(self, recipe: Pointwise, module: nn.Module) -> Any:
        """A layer on single frames: torch's own where that is all that it is, else a function."""
        if recipe.module == "Linear" and not recipe.normed:
            return _with_weights(self._co.Linear(**recipe.settings, channel_dim=1), module)
        kind: Any = getattr(nn, recipe.module, None)
        if recipe.call is None and not recipe.normed and kind in self._co.convert.NAIVE_MAPPING:
            return _with_weights(self._co.continual(kind(**recipe.settings)), module)
        return self._co.Lambda(module, takes_time=True)


def _idle(recipe: Pointwise) -> bool:
    return recipe.call is None and (recipe.module == "Identity" or "Dropout" in recipe.module)


def _with_weights(made: nn.Module, module: nn.Module) -> nn.Module:
    """A module of the peer with the weights of the network's own, in their precision."""
    made.to(next((each.dtype for each in module.parameters()), None))
    made.load_state_dict({name: _at(module, name) for name in made.state_dict()})
    return made


def _at(module: nn.Module, name: str) -> Tensor:
    found: Tensor = getattr(module, name)
    return found.detach()


def forks(graph: Graph) -> list[int]:
    """For each value the one that all it is made of has last come through; its own for inputs."""
    found = list(range(graph.base))
    for node in graph.nodes:
        here = node.edges[0].source
        for edge in node.edges[1:]:
            there = edge.source
            while here != there:
                here, there = min(here, there), found[max(here, there)]
        found.append(here)
    return found


def _wait(graph: Graph, value: int, edge: Edge) -> int:
    """Items of an operand that stand between the one that comes in and the one that is joined."""
    node = graph.nodes[value - graph.base]
    ready = max(compose(graph.times[each.source], each.reach).delay for each in node.edges)
    source = graph.times[edge.source]
    return (ready - source.delay) // source.period - edge.reach.phases[0].newest
