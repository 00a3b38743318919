"""Weight normalisation: a weight as a direction and a magnitude, under torch's names for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, final

from codsl.layers.arguments import EXPRESSION, Kind, Value

NAMES: Mapping[bool | str, tuple[str, ...]] = {
    False: (),
    True: ("parametrizations.weight.original0", "parametrizations.weight.original1"),
    "old": ("weight_g", "weight_v"),
}
"""The keys of the magnitude and of the direction: those of `torch.nn.utils.parametrizations`, or of
the older `torch.nn.utils.weight_norm`."""

Shapes = Mapping[str, tuple[int, ...]]


@final
@dataclass(frozen=True)
class Normed(Kind):
    """True, false, or `old`."""

    def read(self, value: Value, rank: int) -> bool | str:
        if isinstance(value, bool) or value == "old":
            return value  # type: ignore[no-any-return]
        raise ValueError("expected true, false or `old`")

    def schema(self, rank: int) -> dict[str, Any]:
        return {
            "type": ["boolean", "string"],
            "pattern": f"{EXPRESSION}|^old$",
            "examples": ["old"],
        }


WeightNorm = Annotated[bool | str, Normed()]


def normed(shapes: Shapes, norm: bool | str) -> Shapes:
    """The shapes of parameters, of which `weight` is normalised over all but its first dimension.

    `weight = magnitude * direction / |direction|` (Salimans and Kingma, 2016).
    """
    names = NAMES[norm]
    if not names:
        return shapes
    weight = shapes["weight"]
    magnitude = (weight[0], *(1,) * (len(weight) - 1))
    others = {name: shape for name, shape in shapes.items() if name != "weight"}
    return {**others, names[0]: magnitude, names[1]: weight}
