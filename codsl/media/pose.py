"""How a picture is shown that a camera took on its side, or as in a mirror."""

from dataclasses import dataclass
from math import atan2, pi
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


@dataclass(frozen=True)
class Pose:
    """Left and right are exchanged where a picture is `mirrored`; then it makes so many quarters of
    a turn counterclockwise."""

    turns: int = 0
    mirrored: bool = False

    @classmethod
    def of(cls, picture: "VideoFrame") -> "Pose":
        """That of a picture, by the matrix with it: its first numbers say where a step to the right
        goes, right and down, and then where a step down does."""
        matrix: Any = picture.side_data.get("DISPLAYMATRIX")
        if matrix is None:
            return cls()
        right, down, _, other_right, other_down, *_ = np.frombuffer(matrix, np.int32).tolist()
        mirrored = right * other_down < down * other_right
        sign = -1 if mirrored else 1
        return cls(round(atan2(-sign * down, sign * right) / (pi / 2)), mirrored)

    @property
    def words(self) -> str:
        """What is done to pictures, to follow what they are."""
        mirrored = ", mirrored" if self.mirrored else ""
        return mirrored + (f", turned by {abs(self.turns) * 90} degrees" if self.turns else "")

    def shown(self, picture: "VideoFrame") -> "VideoFrame":
        """A picture in RGB as it is shown."""
        if self == Pose():
            return picture
        pixels = picture.to_ndarray()
        turned = np.rot90(pixels[:, ::-1] if self.mirrored else pixels, self.turns)
        return type(picture).from_ndarray(np.ascontiguousarray(turned, np.uint8), format="rgb24")
