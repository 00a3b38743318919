"""Containers: modules in a row and beside one another, laid out as one graph."""

import copy
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import count, pairwise
from typing import Any, Self

from torch import Tensor, nn

from codsl.algebra.time import IDENTITY, Time, lost
from codsl.nn.convert import adopt, continual, makes
from codsl.nn.flat_state import FlatStateDict
from codsl.nn.joint import How, Joint, beside
from codsl.nn.older import AGGREGATION, SHRINK, older
from codsl.nn.routing import Broadcast
from codsl.nn.running.parted import restructured
from codsl.nn.running.streaming import Laying
from codsl.nn.running.timed import Composed
from codsl.nn.running.trace import Trace
from codsl.nn.waiting import Skip, crop_of


class Container(Composed, Laying, FlatStateDict, nn.Sequential, abstract=True):
    """Modules under names. Those of torch.nn become continual ones that share their tensors;
    raises `ValueError` for a module that cannot be streamed exactly."""

    adopts = staticmethod(adopt)

    def __init__(self, *args: Any) -> None:
        nn.Module.__init__(self)
        for name, module in _named(args):
            self.add_module(name, module)

    def insert(self, index: int, module: nn.Module) -> Self:
        """Put a module before the one at `index`: numbers move up, names stay, and among names it
        gets the next free number. Raises `IndexError` for a place that there is not."""
        restructured()
        size = len(self)
        if list(self._modules) == list(map(str, range(size))):
            return super().insert(index, adopt(module))
        if not -size <= index <= size:
            raise IndexError(f"there are {size} modules, and no place {index}")
        parts = list(self._modules.items())
        parts.insert(index, (self._free(), adopt(module)))
        self._modules = dict(parts)
        return self

    def append(self, module: nn.Module) -> Self:
        """Put a module behind the last, under the next free number."""
        self.add_module(self._free(), module)
        return self

    def _free(self) -> str:
        return next(name for name in map(str, count(len(self))) if name not in self._modules)

    def __getitem__(self, place: Any) -> Any:
        """A module, or for a slice some of them in a container of the same kind and mode."""
        found = super().__getitem__(place)
        if isinstance(place, slice):
            found.training = self.training
        return found

    def parts(self) -> Iterator[tuple[str, Any]]:
        """The names and the modules; raises `ValueError` for one that is None."""
        for name, module in self._modules.items():
            if module is None:
                raise ValueError(f"`{name}` is None: put a module there, or delete it")
            yield name, module

    def forward(self, input: Any) -> Any:
        """The outputs of a clip `(B, C, T, *S)` at once, as torch.nn computes them."""
        return self._run_clip(input)


class Sequential(Container):
    """Modules one after another, as `torch.nn.Sequential`; also functions of clips.

    Takes and gives what the first and the last of them do: clips `(B, C, T, *S)`, frames
    `(B, C, *S)`. Modules of torch.nn become continual ones that share its tensors; raises
    `ValueError` with the reason for one that cannot be streamed exactly.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        modules = list(self._modules.values())
        for before, after in pairwise(modules):
            if isinstance(before, Broadcast) and isinstance(after, Parallel):
                before.num_streams = before.num_streams or len(after)

    @staticmethod
    def build_from(module: Any, *args: Any, **kwargs: Any) -> "Sequential":
        """A copy of a `torch.nn.Sequential`, each module made continual."""
        return _made(module, continual)

    def __add__(self, other: Iterable[nn.Module]) -> "Sequential":
        """These modules and then those."""
        return NotImplemented if isinstance(other, Beside) else Sequential(*self, *other)

    def __radd__(self, other: Iterable[nn.Module]) -> "Sequential":
        """Those modules and then these."""
        return Sequential(*other, *self)

    def __iadd__(self, other: Iterable[nn.Module]) -> Self:
        """Put those modules behind the last."""
        return NotImplemented if isinstance(other, Beside) else self.extend(list(other))

    def __mul__(self, times: int) -> "Sequential":
        """The same modules so many times one after another."""
        if times < 1:
            raise ValueError(f"modules can be repeated once or more, got {times}")
        return Sequential(*list(self) * times)

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        """Put the same modules behind the last, until they are there so many times."""
        return self.extend(list(self * times)[len(self) :])

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add its modules to a graph, one after another."""
        for name, module in self.parts():
            values = module.lay(trace, _inside(path, name), values)
        return values


class Beside(Container, abstract=True):
    """Modules beside one another, and how what they give is joined."""

    reduce: Joint | None

    def __getitem__(self, place: Any) -> Any:
        """A module, or for a slice some of them, joined alike."""
        found = super().__getitem__(place)
        if isinstance(place, slice):
            found.reduce = self.reduce
        return found

    def __add__(self, other: Any) -> Any:
        """Refused with a `TypeError`: what stands beside one another is no row."""
        raise TypeError(
            f"the modules of a `{type(self).__name__}` are no row to be added or repeated: put it "
            "in a `Sequential`, or give it more branches with `extend`"
        )

    __radd__ = __iadd__ = __mul__ = __rmul__ = __imul__ = __add__


class BroadcastReduce(Beside):
    """Modules beside one another over the same input, and their join.

    Clips `(B, C, T, *S)` and frames `(B, C, *S)`; `concat` is along channels, the others broadcast
    dimensions of 1. Raises `ValueError` where branches differ in stride, or in length for any clip.

    Args:
        aggregation: `sum`, `concat`, `mul`, `max`, `mean`, or a function of a list of tensors.
        auto_delay: accepted; the branches always meet by index.
    """

    reduce: Joint

    @older(**AGGREGATION)
    def __init__(self, *args: Any, aggregation: How = "sum", auto_delay: bool = True) -> None:
        super().__init__(*args)
        self.reduce = Joint(aggregation)

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add its modules and their join to a graph."""
        ends = [module.lay(trace, _inside(path, name), values) for name, module in self.parts()]
        return self.reduce.lay(trace, path, self, beside(ends))

    def extra_repr(self) -> str:
        """The aggregation."""
        return f"reduce={self.reduce!r}"


class Parallel(Beside):
    """Modules beside one another.

    Given a list of streams, each module gets its own, and the outputs come as a list, together.
    Given one tensor, or an aggregation, all get the same and their outputs are joined.

    Args:
        aggregation: how outputs are joined where one tensor comes in; `sum` if not said.
        auto_delay: accepted; streams always wait for one another.
    """

    @older(**AGGREGATION)
    def __init__(self, *args: Any, aggregation: How | None = None, auto_delay: bool = True) -> None:
        super().__init__(*args)
        self.reduce = None if aggregation is None else Joint(aggregation)

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add its modules to a graph, and their join where one value comes in."""
        many = isinstance(values, list)
        inputs = values if many else [values] * len(self)
        if len(inputs) != len(self):
            raise ValueError(f"{len(self)} modules beside one another, but {len(inputs)} streams")
        ends = [
            module.lay(trace, _inside(path, name), value)
            for (name, module), value in zip(self.parts(), inputs, strict=True)
        ]
        if many and self.reduce is None:
            return trace.together(ends, path)
        return (self.reduce or Joint("sum")).lay(trace, path, self, beside(ends))


@older(**AGGREGATION, **SHRINK)
def Residual(  # noqa: N802
    module: nn.Module,
    temporal_fill: Any = None,
    aggregation: How = "sum",
    shrink: bool | str = False,
) -> BroadcastReduce:
    """A module and a shortcut around it, joined; the shortcut comes first.

    A module that loses `n` frames meets the oldest frame of its window, unless `shrink` says
    otherwise: `centered` (or True), `lagging`, `leading`. Raises `ValueError` for a module with a
    stride over time. Residuals: He et al., 2016; around shrinking convolutions: Hedegaard and
    Iosifidis, 2022.

    Args:
        module: the body.
        temporal_fill: accepted; no frame is joined before it came.
        aggregation: `sum`, `concat`, `mul`, `max`, `mean`, or a function of a list of tensors.
        shrink: which frames of the input meet a body that loses some.
    """
    body = adopt(module)
    return BroadcastReduce(
        OrderedDict([("0", _shortcut(Trace.alone(body), shrink)), ("1", body)]),
        aggregation=aggregation,
    )


def _shortcut(body: Time, shrink: bool | str) -> nn.Module:
    if body.stride != 1:
        raise ValueError(
            f"a residual around a module of stride {body.stride} needs a shortcut of the same: "
            "say it with BroadcastReduce"
        )
    frames = max(0, lost(IDENTITY, body))
    words = {True: "centered", False: "lagging"}
    word = words.get(shrink, shrink) if isinstance(shrink, bool) else shrink
    if word not in ("centered", "lagging", "leading"):
        raise ValueError(f"`shrink` is centered, lagging or leading, got {shrink!r}")
    front = {"lagging": 0, "leading": frames, "centered": frames // 2}[word]
    return Skip(frames) if frames and word == "leading" else crop_of(front, frames - front)


def _made(module: nn.Sequential, part: Any) -> Sequential:
    """The parts made continual: what stands in several places is one, and so are its tensors."""
    source = _copied(module) if part is continual else module
    own = {id(each): adopt(each) for each in source.children()}
    parts = ((name, own[id(each)]) for name, each in source._modules.items() if each is not None)
    made = Sequential(OrderedDict(parts))
    made.training = module.training
    return made


def _copied(module: nn.Module) -> nn.Module:
    """A deep copy; tensors that were worked out of others, as the older `weight_norm` keeps them
    until the next call, have no deep copy and are cloned."""
    kept = (each for part in module.modules() for each in vars(part).values())
    made = (each for each in kept if isinstance(each, Tensor) and not each.is_leaf)
    return copy.deepcopy(module, {id(each): each.detach().clone() for each in made})


makes(nn.Sequential, _made)


def _named(args: tuple[Any, ...]) -> Iterable[tuple[str, Any]]:
    if len(args) == 1 and isinstance(args[0], OrderedDict):
        return args[0].items()
    return ((str(place), module) for place, module in enumerate(args))


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
