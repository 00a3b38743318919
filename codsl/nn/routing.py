"""Modules that only hand streams on: copied, reordered, joined."""

from collections.abc import Sequence
from typing import Any

from codsl.algebra.time import IDENTITY, Time
from codsl.nn.joint import How, Joint, beside
from codsl.nn.nest import leaves
from codsl.nn.older import AGGREGATION, Refused, older
from codsl.nn.running.streaming import Laying
from codsl.nn.running.trace import Trace


class Route(Laying, abstract=True):
    """A module without memory over a list of streams."""

    @property
    def time(self) -> Time:
        """When its outputs see what: item by item."""
        return IDENTITY

    def forward_step(self, frame: Any, update_state: bool = True) -> Any:
        """The streams, handed on."""
        return self.forward(frame)

    def forward_steps(self, chunk: Any, pad_end: bool = False, update_state: bool = True) -> Any:
        """The streams, handed on."""
        return self.forward(chunk)


class Broadcast(Route):
    """One stream, handed to several.

    Args:
        num_streams: to how many; in a Sequential the Parallel behind it says so.
    """

    def __init__(self, num_streams: int | None = None) -> None:
        super().__init__()
        self.num_streams = num_streams

    def forward(self, input: Any) -> Any:
        """The same, several times."""
        if self.num_streams is None:
            raise ValueError("to how many streams? give `num_streams`")
        return [input] * self.num_streams

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Hand a value to several readers."""
        return self.forward(values)

    def extra_repr(self) -> str:
        """How many streams."""
        return str(self.num_streams)


class ParallelDispatch(Route):
    """Streams reordered, copied and grouped.

    Args:
        dispatch_mapping: for every output the number of its input, or a list of such.
    """

    def __init__(self, dispatch_mapping: Sequence[Any]) -> None:
        super().__init__()
        if isinstance(dispatch_mapping, str) or not isinstance(dispatch_mapping, Sequence):
            raise Refused("a mapping is a sequence of numbers of streams")
        for place in leaves(list(dispatch_mapping)):
            if isinstance(place, bool) or not isinstance(place, int):
                raise Refused(f"a mapping is made of numbers of streams, got {place!r}")
        self.dispatch_mapping = dispatch_mapping

    def forward(self, input: Any) -> Any:
        """The streams, in the order of the mapping."""

        def dispatched(mapping: Any) -> Any:
            if isinstance(mapping, int):
                if not -len(input) <= mapping < len(input):
                    raise ValueError(f"there is no stream {mapping}: {len(input)} come in")
                return input[mapping]
            return [dispatched(each) for each in mapping]

        return dispatched(list(self.dispatch_mapping))

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Hand values on."""
        return self.forward(values)

    def extra_repr(self) -> str:
        """The mapping."""
        return str(self.dispatch_mapping)


class Reduce(Route):
    """Several streams, joined.

    Args:
        aggregation: `sum`, `concat`, `mul`, `max`, `mean`, or a function of a list of tensors.
    """

    @older(**AGGREGATION)
    def __init__(self, aggregation: How = "sum") -> None:
        super().__init__()
        self.reduce = Joint(aggregation)

    def forward(self, input: Any) -> Any:
        """The join; None where a stream gives nothing."""
        return None if any(each is None for each in input) else self.reduce(input)

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Join values."""
        return self.reduce.lay(trace, path, self, beside(values))

    def extra_repr(self) -> str:
        """The aggregation."""
        return f"reduce={self.reduce!r}"
