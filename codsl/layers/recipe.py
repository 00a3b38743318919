"""How a layer is computed, as plain data: which torch operation, and what of the past it reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf
from typing import Any, Literal

from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import Time, sees


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

    `module` is the class of `torch.nn` that holds the weights, initialised as torch does, or empty
    where it is none of torch's; `settings` are its arguments. Its own forward is used where there
    is no `call`, which otherwise gets the inputs and the `tensors` of the module. `normed` are the
    names of what the weight is made of, where it is normalised.
    """

    module: str = "Identity"
    settings: Mapping[str, Any] = field(default_factory=dict)
    tensors: tuple[str, ...] = ()
    call: Call | None = None
    normed: tuple[str, ...] = ()


OWN = Pointwise(module="")
"""What a module that is none of torch's does to items, by its own forward."""


@dataclass(frozen=True)
class Windowed:
    """Output `j` is made of a window of items.

    `clip` computes a whole clip, padding and all, as torch.nn does; where it is None, or the clip
    has fewer or more items than `clip_items`, windows are cut and padded here, as in a stream.
    `frame` is applied to each item before it is kept, which makes it a frame `keeps`; `window` is
    applied to consecutive kept items. `sight` is what an output sees, if it is not `over`.
    `normed` are the names of what the weight is made of, where it is normalised. `fill` stands
    before the first item and after the last: a number, `replicate`, or None where
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
    keeps: Frame | None = None
    sight: Time | None = None
    normed: tuple[str, ...] = ()

    @cached_property
    def reach(self) -> Time:
        """What an output sees, over its own input."""
        return self.sight or sees(self.over)


@dataclass(frozen=True)
class Spread:
    """An item is spread over `factor` outputs and more: transposed convolution, upsampling.

    `call`, on the items from `i` on, gives outputs from `i * factor - front` on, of which those
    are whole that see no other items. Items before the first are left out, and so are those after
    the last, unless `fill` stands for them, as it must where an output sees none. With `exact`,
    `call` is told which outputs to `start` and to `stop` at, counted from `i * factor - front`, and
    gives these alone. `clip` computes a whole clip, as torch.nn does; where it is None, `call` does
    that too. `normed` are the names of what the weight is made of, where it is normalised.
    """

    module: str
    settings: Mapping[str, Any]
    call: Call
    reach: Time
    factor: int
    front: int = 0
    tensors: tuple[str, ...] = ()
    clip: Call | None = None
    fill: float | None = None
    normed: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True)
class Memory:
    """A tensor of a carried state, `(batch, *shape)`; its dtype is the network's if not said."""

    name: str
    shape: tuple[int, ...]
    dtype: str | None = None


@dataclass(frozen=True)
class Carried:
    """Output `j` is made of item `j` and of what is carried on from the items before it.

    `call` gets the module, the items and the tensors of `memory`, zeros at the start, and gives the
    outputs and the new tensors.
    """

    module: str
    settings: Mapping[str, Any]
    call: Call
    memory: tuple[Memory, ...]


@dataclass(frozen=True)
class Attended:
    """Output `j` is made of item `j`, and of what is kept of the items around it that there are.

    `frame` gets the module and items, and makes of each what is kept of it, a frame `keeps`. `call`
    gets the module, the outputs' own items, consecutive kept items, and how many of these stand
    before the first output's own.
    """

    module: str
    settings: Mapping[str, Any]
    frame: Call
    keeps: Frame
    call: Call
    reach: Time


@dataclass(frozen=True)
class Folded:
    """Each frame is an image of its own; `inner` is applied to it as to a clip."""

    inner: "Pointwise | Windowed | Spread"

    @property
    def module(self) -> str:
        """The class that holds the weights."""
        return self.inner.module

    @property
    def settings(self) -> Mapping[str, Any]:
        """The arguments of that class."""
        return self.inner.settings


@dataclass(frozen=True)
class Foreign:
    """Outputs come from a step that the module has of its own, as do its clips."""

    module: str = "Identity"
    settings: Mapping[str, Any] = field(default_factory=dict)


Recipe = Pointwise | Windowed | Spread | Carried | Attended | Folded | Foreign


def kept_frame(recipe: Recipe) -> Frame | None:
    """What a recipe makes of each item before it is kept, or None where items are kept as such."""
    return recipe.keeps if isinstance(recipe, Windowed | Attended) else None


def takes_items(recipe: Recipe) -> bool:
    """Whether outputs are made of items as they come in, besides what is kept of them."""
    return isinstance(recipe, Attended)


def normed_of(recipe: Recipe) -> tuple[str, ...]:
    """The names of the magnitude and the direction of a weight that is normalised."""
    inner = recipe.inner if isinstance(recipe, Folded) else recipe
    return inner.normed if isinstance(inner, Pointwise | Windowed | Spread) else ()


def outputs_worked(recipe: Recipe, items: int, outputs: int) -> int:
    """The outputs whose work a clip of so many items takes: of an item that is spread all that it
    reaches, also where they are cut off."""
    return items * recipe.factor if isinstance(recipe, Spread) else outputs


def memory_of(recipe: Recipe) -> tuple[Memory, ...]:
    """The tensors that a recipe carries on."""
    return recipe.memory if isinstance(recipe, Carried) else ()
