"""What a module does of tensors, as a graph of torch's operators that write over nothing."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from warnings import catch_warnings, simplefilter

import torch
from torch import Tensor, fx, nn
from torch._decomp import decomposition_table
from torch._dispatch.python import enable_python_dispatcher
from torch.fx.node import map_aggregate
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from codsl.native.values import Sizes, Unsupported

PARTED = (
    "lstm.input",
    "gru.input",
    "rnn_tanh.input",
    "rnn_relu.input",
    "einsum.default",
    "instance_norm.default",
    "pixel_shuffle.default",
    "pixel_unshuffle.default",
    "repeat_interleave.self_int",
)
"""Operators of which what they are made of is in the graph."""
LIKE = "like"
"""Where a node has the sizes and the dtype of what it gives, or of the first of it."""


def traced(module: nn.Module, given: Sequence[Tensor]) -> fx.GraphModule:
    """The graph, for tensors of these shapes; it is seen while the module computes, by oneDNN but
    for recurrent layers, which have parts without it alone.

    Raises `Unsupported` where a number is taken out of a tensor: it may be another in a step.
    """
    taken = [x.detach().clone() for x in given]
    run = torch.func.functionalize(module.forward)
    seen = _Seen(taken)
    with torch.inference_mode(False), torch.no_grad(), catch_warnings():
        simplefilter("ignore")
        with torch.backends.mkldnn.flags(enabled=False), enable_python_dispatcher(), seen:
            made = run(*taken)
    return seen.program(made)


class _Seen(TorchDispatchMode):
    """Writes every operator down that is called, as a node."""

    def __init__(self, given: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._graph = fx.Graph()
        self._nodes = WeakTensorKeyDictionary()
        self._constants: dict[str, Tensor] = {}
        self._parts = _parts()
        for number, x in enumerate(given):
            self._is(x, self._graph.placeholder(f"x{number}"))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled by torch here: its compiler, which takes seconds, is not loaded."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func in self._parts:
            with self:
                return self._parts[func](*args, **given)
        with torch.backends.mkldnn.flags(enabled=torch.backends.mkldnn.is_available()):
            made = func(*args, **given)
        nodes: Any = map_aggregate((tuple(args), dict(given)), self._node)
        if isinstance(made, Tensor):
            self._is(made, self._graph.call_function(func, *nodes))
        elif isinstance(made, list | tuple):
            node = self._graph.call_function(func, *nodes)
            for number, each in enumerate(made):
                if isinstance(each, Tensor):
                    node.meta.setdefault(LIKE, _like(each))
                    self._is(each, self._graph.call_function(operator.getitem, (node, number)))
        elif made is not None:
            raise Unsupported(f"`{func}`, which takes a number out of a tensor")
        return made

    def program(self, made: Sequence[Tensor]) -> fx.GraphModule:
        """All that these results are made of."""
        self._graph.output(tuple(map(self._node, made)))
        self._graph.eliminate_dead_code()
        return fx.GraphModule(self._constants, self._graph)

    def _is(self, x: Tensor, node: fx.Node) -> None:
        node.meta[LIKE] = _like(x)
        self._nodes[x] = node

    def _node(self, value: Any) -> Any:
        """The node of a tensor, a constant where no other gave it; other values as they are."""
        if not isinstance(value, Tensor):
            return value
        if value not in self._nodes:
            name = f"constant{len(self._constants)}"
            self._constants[name] = value
            self._is(value, self._graph.get_attr(name))
        return self._nodes[value]


def _like(x: Tensor) -> tuple[Sizes, torch.dtype]:
    """The sizes and the dtype of a tensor."""
    return tuple(x.shape), x.dtype


def _parts() -> dict[Any, Callable[..., Any]]:
    found = {}
    for name in PARTED:
        overload: Any = torch.ops.aten
        for part in name.split("."):
            overload = getattr(overload, part)
        found[overload] = decomposition_table.get(overload, overload.decompose)
    return found
