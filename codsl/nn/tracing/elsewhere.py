"""Modules of torch that a traced class gives what is no stream `(B, C, T, *S)`: the same numbers
with their dimensions in another order."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from codsl.nn.containers import Sequential
from codsl.nn.layer import Layer
from codsl.nn.running.trace import Trace
from codsl.nn.stepping import Around
from codsl.nn.tracing.expressions import Call, Held, Parts, found


@dataclass(frozen=True)
class Ordered:
    """The order in which a recurrent layer of torch has the dimensions of `(B, C, T)`."""

    dims: tuple[int, int, int]

    def __call__(self, x: Tensor) -> Tensor:
        """A stream in that order."""
        return x.permute(self.dims)

    @property
    def back(self) -> "Ordered":
        """The order that undoes it."""
        first, second, third = sorted(range(3), key=self.dims.__getitem__)
        return Ordered((first, second, third))

    @property
    def written(self) -> str:
        """How it is written."""
        return f"x.permute{self.dims}"

    def __str__(self) -> str:
        return "({}, {}, {})".format(*("BCT"[dim] for dim in self.dims))


def order_of(module: nn.Module) -> Ordered | None:
    """The order of dimensions of a recurrent layer of torch; None for other modules."""
    if not isinstance(module, nn.RNNBase):
        return None
    return Ordered((0, 2, 1) if module.batch_first else (2, 0, 1))


class Elsewhere(Around):
    """A module that is no layer of a stream, `why`: it may be a function of parts of one."""

    def __init__(self, module: nn.Module, why: str) -> None:
        super().__init__(module)
        self.why = why

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Raise `ValueError` where it is given a stream; where frames are None, nobody knows."""
        if isinstance(values, int) and trace.frames[values] is None:
            return values
        raise ValueError(f"`{path}`: {self.why}")


@dataclass(frozen=True, eq=False)
class Plainly:
    """A module as a function: what torch's own computes, of tensors of any dimensions."""

    module: Any

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """What torch's module gives."""
        match self.module:
            case Around():
                return self.module.forward(*inputs, **named)
            case Sequential():
                x, *_ = inputs
                for part in self.module:
                    x = Plainly(part)(x)
                return x
        return self.module.own_forward(*inputs, **named)


def applies_plainly(module: nn.Module) -> bool:
    """Whether a module that was one of torch's can be used as a function."""
    if isinstance(module, Sequential):
        return all(map(applies_plainly, module))
    recurrent = isinstance(module, nn.RNNBase)
    return isinstance(module, Around) or (isinstance(module, Layer) and not recurrent)


def parameters_of(call: Call) -> dict[str, Tensor]:
    """The parameters that a call takes, also for the parts that it is given, by name."""
    given = (call.arguments, call.named)
    taken = {each.path: each.now for each in found(given, Held)}
    own: dict[str, Tensor] = {}
    own |= {name: each for name, each in taken.items() if isinstance(each, nn.Parameter)}
    for part in found(given, Parts):
        own |= parameters_of(part.call)
    if isinstance(call.apply, Plainly):
        module = call.apply.module
        own |= {f"{id(module)}.{name}": each for name, each in module.named_parameters()}
    return own
