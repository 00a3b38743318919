"""A graph of torch's operators, written as kernels one operator after another."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, fx

from codsl.native.builder import Builder
from codsl.native.call import Call
from codsl.native.multiplying import MULTIPLYING
from codsl.native.pointwise import POINTWISE
from codsl.native.pooling import POOLING
from codsl.native.reducing import REDUCING
from codsl.native.shaping import SHAPING
from codsl.native.tracing import LIKE
from codsl.native.transposing import CONVOLVING
from codsl.native.values import (
    Expression,
    Kind,
    Parts,
    Pending,
    Unsupported,
    View,
    channels_last,
)

OPERATORS: dict[str, Callable[..., Any]] = {
    **POINTWISE,
    **SHAPING,
    **CONVOLVING,
    **MULTIPLYING,
    **REDUCING,
    **POOLING,
}
"""What writes each operator, by its name in `aten`."""


class Writer:
    """The kernels of a program; `given` are its inputs, and `results` its outputs, each all of a
    buffer of its own. The first inputs are `plain`, the first outputs `shown`: their numbers lie as
    they come, not channels last."""

    def __init__(
        self,
        program: fx.GraphModule,
        given: Sequence[Tensor],
        dtype: torch.dtype,
        plain: int = 0,
        shown: int = 0,
    ) -> None:
        self.builder = Builder(dtype)
        inputs = [self.builder.given(x, number < plain) for number, x in enumerate(given)]
        self.given = [view.buffer for view in inputs]
        self.results: list[View] = []
        self._values: dict[fx.Node, Any] = {}
        comes = iter(inputs)
        for node in program.graph.nodes:
            if node.op == "placeholder":
                self._values[node] = next(comes)
            elif node.op == "get_attr":
                self._values[node] = getattr(program, str(node.target)).detach()
            elif node.op == "call_function":
                self._values[node] = self._called(node)
            elif node.op == "output":
                listed: Any = node.args[0]
                for number, each in enumerate(listed):
                    self.results.append(self._result(self._values[each], number < shown))

    def _called(self, node: fx.Node) -> Any:
        """What an operator gives; what is known is computed at once."""
        args: Any = fx.map_arg(node.args, self._values.__getitem__)
        given: Any = fx.map_arg(node.kwargs, self._values.__getitem__)
        name = _name(node)
        if name == "getitem":
            many, place = args
            return many[place]
        if not any(map(_comes, _flat([*args, *given.values()]))):
            with torch.inference_mode(False), torch.no_grad():
                operator: Any = node.target
                return operator(*args, **given)
        written_over = name.endswith("_") and not name.startswith("_")
        name = name.removesuffix("_") if written_over else name
        write = OPERATORS.get(name)
        if write is None:
            raise Unsupported(f"`{name}`")
        call = Call(self.builder, name, *node.meta[LIKE])
        made = write(call, *args, **given)
        if written_over:
            return self._over(node.args[0], made)
        now = len(node.users) > 1 or any(user.op == "output" for user in node.users)
        return self.builder.view(made) if now and isinstance(made, Expression | Pending) else made

    def _over(self, node: Any, made: Any) -> View:
        """What is written over the numbers of a node: all that reads them is computed before."""
        for other, value in self._values.items():
            if isinstance(value, Expression | Pending | Parts):
                self._values[other] = self.builder.view(value)
        target = self._values[node]
        turned = (
            isinstance(made, View) and isinstance(target, View) and made.buffer is target.buffer
        )
        if turned or not isinstance(target, View) or target.buffer.kind is not Kind.SCRATCH:
            self._values[node] = found = self.builder.view(made)
            return found
        self.builder.fill(target, made)
        return target

    def _result(self, value: Any, plain: bool) -> View:
        """A result in memory that no other has."""
        view = self.builder.view(value)
        rank = len(view.sizes)
        order = list(range(rank)) if plain else channels_last(rank)
        laid = self.builder.ordered(view, order)
        if not laid.whole or laid.buffer.kind is not Kind.SCRATCH:
            fresh = self.builder.room(view.sizes, view.dtype, order)
            self.builder.fill(fresh, laid)
            laid = fresh
        laid.buffer.kind = Kind.RESULT
        return laid


def _name(node: fx.Node) -> str:
    target: Any = node.target
    if not isinstance(target, torch._ops.OpOverload):
        return str(getattr(target, "__name__", target))
    return target._schema.name.removeprefix("aten::")


def _comes(value: Any) -> bool:
    """Whether a value comes in a step, and is not known before."""
    return isinstance(value, View | Expression | Pending | Parts)


def _flat(values: Sequence[Any]) -> list[Any]:
    found = []
    for each in values:
        found += _flat(each) if isinstance(each, list | tuple) else [each]
    return found
