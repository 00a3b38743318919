"""Dropout of several kinds: nothing in `eval()`, torch's in training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.layers.arguments import Share
from codsl.layers.row import ANY_RANK, Weightless

EXAMPLES: tuple[Mapping[str, Any], ...] = ({"p": 0.3},)


@dataclass(frozen=True)
class Dropping(Weightless):
    """A layer that drops with probability `p` while training."""

    examples: ClassVar[tuple[Mapping[str, Any], ...]] = EXAMPLES
    p: Share = 0.5

    @final
    def fit(self, x: Frame) -> Frame:
        return x


@final
class Dropout(Dropping):
    """Zeroes numbers, and scales the rest by `1 / (1 - p)` (Hinton et al., 2012)."""

    rank: ClassVar[int] = ANY_RANK


@final
class Dropout1d(Dropping):
    """Zeroes whole channels of `(B, C, T)`."""

    rank: ClassVar[int] = 1


@final
class Dropout2d(Dropping):
    """Zeroes whole channels of `(B, C, T, S)` (Tompson et al., 2014)."""

    rank: ClassVar[int] = 2


@final
class Dropout3d(Dropping):
    """Zeroes whole channels of `(B, C, T, H, W)`."""

    rank: ClassVar[int] = 3


@final
class AlphaDropout(Dropping):
    """Dropout that keeps mean and variance, for SELU (Klambauer et al., 2017)."""

    rank: ClassVar[int] = ANY_RANK


@final
class FeatureAlphaDropout(Dropping):
    """Alpha dropout of whole channels."""

    rank: ClassVar[int] = ANY_RANK
