"""How a layer is computed, as plain data: which torch operation, and what of the past it reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Literal

from codsl.algebra.extent import Window


@dataclass(frozen=True)
class Call:
    """A function of `torch.nn.functional`, or of codsl's own, and its arguments but the tensors.

    `pad` is given to `torch.nn.functional.pad` first, in its order, the last dimension first.
    """

    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    pad: tuple[int, ...] = ()
    mode: str = "constant"
    value: float = 0.0

    def shortened(self, taps: int) -> "Call":
        """The same pool over fewer items."""
        kernel = (taps, *self.arguments["kernel_size"][1:])
        return replace(self, arguments={**self.arguments, "kernel_size": kernel})


@dataclass(frozen=True)
class Pointwise:
    """Output `j` is made of item `j` alone, or of item `j` of every input.

    `module` is the class of `torch.nn` that holds the weights, initialised as torch does, and
    `settings` are its arguments. Its own forward is used where there is no `call`, which otherwise
    gets the inputs and the `tensors` of the module.
    """

    module: str = "Identity"
    settings: Mapping[str, Any] = field(default_factory=dict)
    tensors: tuple[str, ...] = ()
    call: Call | None = None


@dataclass(frozen=True)
class Windowed:
    """Output `j` is made of a window of items.

    `clip` computes a whole clip, padding and all, as torch.nn does; where it is None, or the clip
    has fewer or more items than `clip_items`, windows are cut and padded here, as in a stream.
    `frame` is applied to each item before it is kept, `window` to consecutive kept items.
    `fill` stands before the first item and after the last: a number, `replicate`, or None where
    the window is cut short instead. `overflow` stands beyond that padding, where `ceil_mode` asks.
    """

    module: str
    settings: Mapping[str, Any]
    over: Window
    window: Call
    tensors: tuple[str, ...] = ()
    clip: Call | None = None
    clip_items: tuple[int, float] = (1, inf)
    frame: Call | None = None
    fill: float | Literal["replicate"] | None = 0.0
    overflow: float | None = None


Recipe = Pointwise | Windowed
