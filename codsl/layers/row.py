"""What a row of the table is: a layer's arguments, and all that follows from them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from fractions import Fraction
from functools import cache
from typing import Any, ClassVar, final, get_type_hints

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time
from codsl.layers.arguments import Kind
from codsl.layers.meant import choices, remedies
from codsl.layers.mistake import Mistake, Use
from codsl.layers.recipe import Pointwise, Recipe

ANY_RANK = 0


@dataclass(frozen=True)
class Argument:
    """A field of a row, as the language sees it."""

    name: str
    kind: Kind
    default: Any
    positional: bool

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is MISSING


@dataclass(frozen=True)
class Layer(ABC):
    """A layer of one input. Its fields are its arguments, named as in torch.nn, its docstring is
    the manual, and its methods say what a frame becomes, when, at what cost and how.

    A class is abstract or final. `rank` counts the dimensions of its input, time among them;
    `also` are names that it has elsewhere, by which it is offered; `buffered` says that a
    state_dict has tensors of it that are not learnt. `samples` says that what it takes are samples;
    `rated` is the argument by which it says how many a second such a layer before it takes.
    """

    rank: ClassVar[int]
    also: ClassVar[tuple[str, ...]] = ()
    buffered: ClassVar[bool] = False
    samples: ClassVar[bool] = False
    rated: ClassVar[str] = ""
    examples: ClassVar[tuple[Mapping[str, Any], ...]]

    @abstractmethod
    def shape(self, x: Frame) -> Frame:
        """The frame that it makes of `x`; raises `Mistake` where that cannot be."""

    @abstractmethod
    def time(self) -> Time:
        """When its outputs see what; raises `Mistake` where that cannot be."""

    @abstractmethod
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        """The shapes of its parameters, by torch's names."""

    @abstractmethod
    def macs(self, x: Frame, y: Frame) -> int | Fraction:
        """Multiply-accumulates of convolutions and matrix products for one output; a fraction where
        what an item takes is shared by several outputs."""

    @abstractmethod
    def recipe(self, x: Frame) -> Recipe:
        """How torch computes it."""

    @abstractmethod
    def space(self, x: Frame) -> tuple[Time, ...]:
        """How its outputs sit over each dimension of space of the input."""


@dataclass(frozen=True)
class Picture:
    """What a layer makes of single images, how it sits over each of their dimensions, and how
    torch computes it of `(N, C, *S)`."""

    frame: Frame
    space: tuple[Time, ...]
    recipe: Pointwise


class OfImages(Layer):
    """A layer that torch has for images too; there its first dimension is not time but space."""

    @abstractmethod
    def picture(self, x: Frame) -> Picture:
        """What it makes of `x` as an image; raises `Mistake` where torch has no such layer."""


class Unlearned(Layer):
    """A layer of no parameters and no matrix products."""

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {}

    @final
    def macs(self, x: Frame, y: Frame) -> int:
        return 0


class InPlace(Layer):
    """A layer that leaves the shape and the time of its input as they are."""

    @final
    def time(self) -> Time:
        return IDENTITY

    @final
    def macs(self, x: Frame, y: Frame) -> int:
        return 0

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)


class Parameterless(InPlace):
    """A layer of no parameters that makes each output of one item."""

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        return self.fit(x)

    @abstractmethod
    def fit(self, x: Frame) -> Frame:
        """The frame that it makes of `x`, whose rank fits."""

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {}


class Weightless(Parameterless):
    """A layer of no parameters that torch.nn has under its name, with the same arguments."""

    @final
    def recipe(self, x: Frame) -> Recipe:
        return Pointwise(type(self).__name__, settings(self))


def settings(row: Layer) -> dict[str, Any]:
    """The arguments of a row by name."""
    return {argument.name: getattr(row, argument.name) for argument in arguments(type(row))}


def check_rank(row: Layer, x: Frame) -> None:
    """Raise `Mistake` where the number of dimensions is not the row's."""
    if row.rank not in (ANY_RANK, x.rank):
        raise of_other_rank(type(row), x)


def of_other_rank(row: type[Layer], x: Frame) -> Mistake:
    """That a row is for another number of dimensions than `x` has, and its relative for those."""
    name = type_name(row)
    kin = kin_of(row, x.rank)
    mend = type_name(kin)
    counted = {1: "time alone", 2: "time and one dimension", 3: "time and two dimensions"}
    return Mistake(
        "E0401",
        f"`{name}` takes {counted[row.rank]} of space, the input has {len(x.space)}"
        if row.rank > 1
        else f"`{name}` takes time alone, the input has {len(x.space)} dimensions of space",
        layer=f"the input is {x}",
        help=f"use `{mend}`: the number counts time" if kin is not row else "",
        change=Use(mend) if kin is not row else None,
    )


def kin_of(row: type[Layer], rank: int) -> type[Layer]:
    """Its relative of another number of dimensions; itself where it has none."""
    name = re.sub(r"[123](?=d$)", str(rank), type_name(row))
    return next((each for each in _kin(row) if type_name(each) == name), row)


def _kin(row: type[Layer]) -> Iterator[type[Layer]]:
    """The rows of its module that derive from what it derives from."""
    pending: list[type[Any]] = [
        each for each in row.__mro__[1:] if each.__module__ == row.__module__
    ]
    while pending:
        children = pending.pop().__subclasses__()
        yield from (each for each in children if each.__module__ == row.__module__)
        pending += children


def type_name(row: type[Layer]) -> str:
    """The name of a layer in the language: torch's class in snake case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", row.__name__).lower()


@cache
def arguments(row: type[Layer]) -> tuple[Argument, ...]:
    """The arguments of a row, those by position first, in torch's order."""
    kinds = get_type_hints(row, include_extras=True)
    return tuple(
        Argument(
            field.name,
            next(each for each in kinds[field.name].__metadata__ if isinstance(each, Kind)),
            field.default,
            not field.kw_only,
        )
        for field in fields(row)
    )


def misread(row: type[Layer], given: Mapping[str, Any]) -> list[Mistake]:
    """What is wrong with each of these arguments by itself."""
    mistakes = []
    for argument in arguments(row):
        if argument.name in given:
            value = given[argument.name]
            try:
                argument.kind.read(value, row.rank)
            except ValueError as error:
                found = "" if isinstance(value, tuple) else f", found {_found(value)}"
                message = f"`{argument.name}` of `{type_name(row)}`: {error}{found}"
                mistakes.append(
                    Mistake(
                        "E0305",
                        message,
                        argument=argument.name,
                        remedies=remedies(argument.kind, value, row.rank),
                        choices=choices(argument.kind),
                    )
                )
    return mistakes


def _found(value: Any) -> str:
    """A value that does not fit, as messages speak of it."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "nothing"
        case str():
            return f"the text `{value}`"
        case int() | float():
            return f"`{value}`"
        case _:
            return "a layer"


def make(row: type[Layer], given: Mapping[str, Any]) -> Layer:
    """The row with these arguments, read into their full form.

    Raises `Mistake` that names the argument where one does not fit, is missing or is unknown.
    """
    for mistake in misread(row, given):
        raise mistake
    known = {argument.name: argument for argument in arguments(row)}
    for name in given:
        if name not in known:
            raise Mistake("E0303", f"`{type_name(row)}` has no argument `{name}`", argument=name)
    values = {}
    for name, argument in known.items():
        if argument.required and name not in given:
            raise Mistake("E0304", f"`{type_name(row)}` needs `{name}`", argument=name)
        values[name] = argument.kind.read(given.get(name, argument.default), row.rank)
    return row(**values)
