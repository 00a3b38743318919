"""What torch.fx sees of a module that is given so many of its inputs, the others as they are by
default."""

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

from torch import fx, nn

from codsl.nn.classes import VARIADIC
from codsl.nn.module import CoModule


class Tracer(fx.Tracer):
    """Stops at continual modules, and at those of torch.nn that are no containers.

    Inputs beyond the first `given` are constants: their defaults.
    """

    def __init__(self, given: int) -> None:
        super().__init__()
        self._given = given

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        containers = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
        known = type(m).__module__.startswith("torch.nn.") and type(m) not in containers
        return isinstance(m, CoModule) or known

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Any, list[Any]]:
        called, (root, *inputs) = super().create_args_for_root(root_fn, is_module, concrete_args)
        return called, [root, *(self._taken(place, each) for place, each in enumerate(inputs))]

    def _taken(self, place: int, given: fx.Proxy) -> Any:
        """An input, or what it is where it is not given."""
        node = given.node
        name = str(node.target)
        if place < self._given and not name.startswith("*"):
            return given
        self.graph.erase_node(node)
        if name.startswith("*"):
            return {} if name.startswith("**") else ()
        return node.args[0]


def counts(module: nn.Module) -> range:
    """How many inputs a module may be given: those that have no default, or some more."""
    known = signature(module.forward).parameters.values()
    defaults = [each.default for each in known if each.kind not in VARIADIC]
    needed = [place for place, each in enumerate(defaults, 1) if each is Parameter.empty]
    return range(max(1, *needed, 0), max(1, len(defaults)) + 1)


def graphs_of(module: nn.Module) -> dict[int, fx.Graph]:
    """The graph of each number of inputs; raises what torch.fx does where it can trace none."""
    graphs, failed = {}, None
    for given in counts(module):
        try:
            graphs[given] = Tracer(given).trace(module)
        except Exception as error:
            failed = failed or error
    if failed is not None and not graphs:
        raise failed
    return graphs
