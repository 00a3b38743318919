"""What stands between the modules of a user's class: functions of values, of their sizes and of
their parts, to be computed when tensors are there."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx, nn

from codsl.algebra.shape import Frame

SIZES = {"shape", "ndim", "dtype", "device", "size", "dim", "numel"}
"""What is asked of a tensor and is no tensor."""
PARTS = {"chunk", "split", "tensor_split", "unbind"}
"""Functions that give several tensors."""


class Value:
    """A value of a graph among the arguments of a function."""

    def __init__(self, number: Any) -> None:
        self.number = number


@dataclass(frozen=True, eq=False)
class Held:
    """A tensor of a module, looked up when it is needed: it may have been moved or changed."""

    owner: nn.Module
    path: str

    @property
    def now(self) -> Any:
        """The tensor as it is."""
        return operator.attrgetter(self.path)(self.owner)


@dataclass(frozen=True)
class Method:
    """A method of the first argument."""

    name: str

    def __call__(self, first: Any, *rest: Any, **named: Any) -> Any:
        """What the method gives."""
        return getattr(first, self.name)(*rest, **named)


@dataclass(frozen=True)
class Unknown:
    """What is no stream, and why: it may be there, but nothing may be made of it."""

    why: str


@dataclass(frozen=True)
class Several:
    """What a module gives whose first result alone goes on; `why` the others do not."""

    first: Any
    why: str

    def __getitem__(self, place: Any) -> Any:
        return self.first if place == 0 else Unknown(self.why)


@dataclass(frozen=True, eq=False)
class Call:
    """A function and its arguments, which may be values, sizes and parts."""

    apply: Callable[..., Any]
    arguments: Sequence[Any]
    named: Mapping[str, Any]

    @property
    def values(self) -> list[Value]:
        """The values that it reads, each once."""
        return list(dict.fromkeys(found((self.arguments, self.named), Value)))

    @property
    def sized(self) -> bool:
        """Whether it asks for sizes."""
        return next(found((self.arguments, self.named), Size), None) is not None

    def of(self, at: Mapping[Value, Tensor], like: Tensor) -> Any:
        """What it gives where values are these tensors, and sizes those of clips like one."""
        arguments, named = filled((self.arguments, self.named), at, like)
        return self.apply(*arguments, **named)


@dataclass(frozen=True, eq=False)
class Computed:
    """A call as a function of a list of tensors, those of its values."""

    call: Call
    values: Sequence[Value]

    def __call__(self, tensors: Sequence[Tensor]) -> Any:
        """What the call gives for them."""
        return self.call.of(dict(zip(self.values, tensors, strict=True)), tensors[0])


@dataclass(frozen=True, eq=False)
class Size:
    """A number, or several, that follow from the size of a clip."""

    call: Call
    frame: Frame | None = None

    def of(self, at: Mapping[Value, Tensor], like: Tensor) -> Any:
        """The number for clips of the batch and the frames of `like`."""
        if self.frame is None:
            return self.call.of(at, like)
        shape = (like.shape[0], self.frame.channels, like.shape[2], *self.frame.space)
        clip = like.new_empty(()).expand(shape)
        return self.call.of(dict.fromkeys(self.call.values, clip), like)


@dataclass(frozen=True, eq=False)
class Parts:
    """What is no value of a stream by itself, and is computed within the functions that read it:
    several tensors at once, or one whose dimensions stand otherwise; `why` says what it lacks."""

    call: Call
    why: str = "several tensors at once are no stream: join them, or take them one by one"


def found(nest: Any, kind: type | tuple[type, ...]) -> Iterator[Any]:
    """All of a kind among arguments; the values of parts are values too."""
    if isinstance(nest, kind):
        yield nest
    elif isinstance(nest, Parts):
        yield from found((nest.call.arguments, nest.call.named), kind)
    elif isinstance(nest, Mapping):
        yield from found(list(nest.values()), kind)
    elif isinstance(nest, slice):
        yield from found([nest.start, nest.stop, nest.step], kind)
    elif isinstance(nest, list | tuple):
        for each in nest:
            yield from found(each, kind)


def filled(nest: Any, at: Mapping[Value, Tensor], like: Tensor) -> Any:
    """Arguments with tensors and numbers in the place of what stands for them."""
    match nest:
        case Value():
            return at[nest]
        case Size():
            return nest.of(at, like)
        case Held():
            return nest.now
        case Parts():
            return nest.call.of(at, like)
        case Mapping():
            return {name: filled(each, at, like) for name, each in nest.items()}
        case slice():
            return slice(*(filled(each, at, like) for each in (nest.start, nest.stop, nest.step)))
        case list() | tuple():
            kind = tuple if isinstance(nest, tuple) else list
            return kind(filled(each, at, like) for each in nest)
    return nest


def applied(node: fx.Node) -> Callable[..., Any]:
    """The function of a node, or the method of its first argument."""
    if node.op == "call_function" and callable(node.target):
        return node.target
    return Method(str(node.target))


def asks_size(node: fx.Node, arguments: Sequence[Any]) -> bool:
    """Whether a node asks how large a value is."""
    if not arguments or not isinstance(arguments[0], Value):
        return False
    asked = arguments[1] if node.target is getattr else node.target
    return asked in SIZES


def gives_parts(node: fx.Node, arguments: Sequence[Any]) -> bool:
    """Whether a node gives several tensors."""
    if node.target is operator.getitem:
        return isinstance(arguments[0], Parts) and isinstance(arguments[1], slice)
    return getattr(node.target, "__name__", node.target) in PARTS


def crop_of(node: fx.Node, arguments: Sequence[Any]) -> tuple[int, int] | None:
    """How many frames `x[:, :, a:-b]` leaves out at either end; None for what leaves all in.

    Raises `ValueError` for any other choice of frames.
    """
    over = node.target is operator.getitem and isinstance(arguments[0], Value)
    index = arguments[1] if over else None
    if not isinstance(index, tuple) or len(index) < 3 or Ellipsis in index[:3]:
        return None
    first, second, third, *rest = index
    if third == slice(None):
        return None
    plain = isinstance(third, slice) and third.step in (None, 1)
    front, back = (third.start or 0, third.stop or 0) if plain else (-1, 0)
    whole = all(each == slice(None) for each in (first, second, *rest))
    ends = all(isinstance(each, int) for each in (front, back)) and front >= 0 >= back
    if not whole or not ends or (plain and third.stop == 0):
        raise ValueError(
            f"`{node.name}` picks frames: `x[:, :, a:-b]`, which leaves out some at the ends of "
            "a clip, is what a stream can do"
        )
    return front, -back
