"""Channels standardised by statistics that are known, such as those of a training set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.arguments import NumberPerChannel
from codsl.layers.mistake import Mistake
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import ANY_RANK, Parameterless

Examples = tuple[Mapping[str, Any], ...]


@final
@dataclass(frozen=True)
class Normalize(Parameterless):
    """`(x - mean) / std` of each channel, as torchvision's transform of the same name; each is a
    number for all channels, or one for each.

    Both are constants of the spec, and no weights: no checkpoint has them. Pictures that
    `codsl run` reads are from 0 to 1.
    """

    rank: ClassVar[int] = ANY_RANK
    also: ClassVar[tuple[str, ...]] = ("standardize", "standardise")
    examples: ClassVar[Examples] = (
        {"mean": 0.45, "std": 0.225},
        {"mean": (0.485, 0.456, 0.406, 0.5), "std": (0.229, 0.224, 0.225, 0.25)},
        {"mean": (0.1, -0.2, 0.3, 0), "std": 2},
    )
    mean: NumberPerChannel
    std: NumberPerChannel

    def __post_init__(self) -> None:
        if not all(each > 0 for each in _each(self.std)):
            raise Mistake(
                "E0305",
                "`std` of `normalize`: expected numbers above 0",
                argument="std",
                note="`x - mean` is divided by it",
            )

    @final
    def fit(self, x: Frame) -> Frame:
        for name, given in (("mean", self.mean), ("std", self.std)):
            if isinstance(given, tuple) and len(given) != x.channels:
                raise Mistake(
                    "E0402",
                    f"`{name}` of `normalize` has {len(given)} numbers for {x.channels} channels",
                    argument=name,
                    layer=f"the input is {x}",
                    help="give one for all channels, or one each",
                )
        return x

    @final
    def recipe(self, x: Frame) -> Pointwise:
        given = {"mean": _each(self.mean), "std": _each(self.std)}
        return Pointwise("Statistics", given, ("mean", "std"), Call("normalize_frames"))


def _each(given: float | tuple[float, ...]) -> tuple[float, ...]:
    """The numbers for each channel, or the one for all."""
    return given if isinstance(given, tuple) else (given,)
