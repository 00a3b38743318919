"""Recurrent layers by hand: torch.nn's classes over `(B, C, T)`, with torch's hidden tensors."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import compress
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from codsl.algebra.shape import Frame
from codsl.layers import recurrent as rows
from codsl.layers.row import Layer as Row
from codsl.nn.classes import alike, built_from, row_of, settle
from codsl.nn.convert import continual, makes, refuse
from codsl.nn.counting import count_as
from codsl.nn.layer import Layer
from codsl.nn.running.state import State
from codsl.nn.running.streaming import check_clip, check_length
from codsl.nn.running.trace import Trace
from codsl.nn.running.ways import Run


@dataclass(frozen=True, eq=False)
class Hidden(State):
    """The state of a recurrent layer by hand. It unpacks to copies of torch's hidden
    tensors, `(num_layers, B, size)` each: `h`, and `c` of an LSTM."""

    def __len__(self) -> int:
        return sum(map(_carried, self.names))

    def __getitem__(self, place: int) -> Tensor:
        named = zip(self.names, self.tensors, strict=True)
        own = [tensor for name, tensor in named if _carried(name)]
        return own[place].transpose(0, 1).clone()

    def __iter__(self) -> Iterator[Tensor]:
        return (self[place] for place in range(len(self)))


torch.serialization.add_safe_globals([Hidden])


def _carried(name: str) -> bool:
    """Whether a tensor of this name is carried on, not past items."""
    return not name.endswith(":items")


class Recurrent(Layer, abstract=True):
    """What RNN, GRU and LSTM have in common."""

    row: ClassVar[type[Row]]
    besides: ClassVar[str] = (
        "the hidden tensors of a clip's end are no stream; its outputs, the first, are"
    )

    def _begin_as(self, **given: Any) -> None:
        """Begin as the torch class with these arguments; raises `ValueError` for what no stream
        can do."""
        given.pop("batch_first")
        operation = row_of(self.row, {**given, "dropout": float(given["dropout"])})
        operation.shape(Frame(given["input_size"]))
        self.holder.__init__(self, **given, batch_first=True)
        self._settle(operation)

    def _settle(self, operation: Row) -> None:
        settle(self, operation)
        self.batch_first = True
        self._taken = (Frame(cast(int, self.input_size)),)

    def forward(  # type: ignore[override]
        self, x: Tensor, hx: Any = None, run: Run | None = None
    ) -> Any:
        """The outputs `(B, H, T)` of a clip `(B, C, T)`, and the hidden tensors after it.

        The hidden tensors `hx` before it are torch's, `(num_layers, B, size)`, zeros if not given:
        `h`, or `(h, c)` for an LSTM. In a container only outputs are handed on. A stream gives
        items, and says what to `run` on them.
        """
        if run is not None:
            return run(self, x)
        check_clip(x, "a clip")
        check_length(x, 1, type(self).__name__)
        y, hidden = self.own_forward(x.transpose(1, 2), hx)
        return y.transpose(1, 2), hidden

    def lay(self, trace: Trace, path: str, values: Any) -> Any:
        """Add itself to a graph, as a layer of one output."""
        word = type(self).__name__
        return trace.layer(path, Outputs(self), self.operation, values, word)

    def get_state(self) -> Hidden | None:
        """The state of the stream, or None before the first frame. It unpacks to torch's hidden
        tensors."""
        state = self._state
        if state is None:
            return None
        return Hidden(*(getattr(state, each.name) for each in fields(State)))

    def set_state(self, state: Any) -> None:
        """Go on from a state, or begin with torch's hidden tensors `(num_layers, B, size)`: `h`, or
        `(h, c)` for an LSTM. Raises `ValueError` for others."""
        if isinstance(state, Tensor):
            state = (state,)
        if isinstance(state, tuple | list) and all(isinstance(each, Tensor) for each in state):
            state = self._of_hidden(tuple(state))
        super().set_state(state)

    def _of_hidden(self, hidden: tuple[Tensor, ...]) -> State:
        found = [tuple(each.shape) for each in hidden]
        batch = found[0][1] if found and len(found[0]) == 3 else 1
        begun = self.init_state(batch, *_kind(hidden))
        own = [_carried(name) for name in begun.names]
        wanted = [(*shape[:1], batch, *shape[1:]) for shape in compress(begun.layout, own)]
        if found != wanted:
            raise ValueError(f"the hidden tensors are (layers, B, size), {wanted}, got {found}")
        given = iter(hidden)
        tensors = (
            next(given).transpose(0, 1).clone(memory_format=torch.contiguous_format)
            if mine
            else tensor
            for mine, tensor in zip(own, begun.tensors, strict=True)
        )
        return replace(begun, tensors=tuple(tensors))


def _kind(hidden: tuple[Tensor, ...]) -> tuple[torch.dtype | None, torch.device | None]:
    return (hidden[0].dtype, hidden[0].device) if hidden else (None, None)


class Outputs(nn.Module):
    """A recurrent layer, the `owner`, as a node of a graph: its outputs, without the hidden
    tensors."""

    owner: Any

    def __init__(self, owner: Recurrent) -> None:
        super().__init__()
        self.__dict__["owner"] = owner

    def forward(self, x: Tensor, run: Run | None = None) -> Any:
        """The outputs of a clip, or what a stream runs."""
        made = self.owner(x, None, run)
        return made[0] if run is None else made


class RNN(Recurrent, nn.RNN):  # type: ignore[misc]
    """`torch.nn.RNN` over clips `(B, C, T)` and frames `(B, C)`: its arguments, weights and keys.

    `forward(x, hx)` gives the outputs and the hidden tensor, as torch does; a step gives outputs,
    and so does a container. Any clip is `(B, C, T)`: `batch_first` is accepted and means nothing.
    `bidirectional` is a `ValueError`, for a stream knows no last frame. Elman, 1990.
    """

    holder = nn.RNN
    row = rows.RNN

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self._begin_as(**_given(locals()))

    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> "RNN":
        """A copy of a `torch.nn.RNN`."""
        made: RNN = _twin(RNN, module, copies=True)
        return made


class GRU(Recurrent, nn.GRU):  # type: ignore[misc]
    """`torch.nn.GRU` over clips `(B, C, T)` and frames `(B, C)`: its arguments, weights and keys.

    `forward(x, hx)` gives the outputs and the hidden tensor, as torch does; a step gives outputs,
    and so does a container. Any clip is `(B, C, T)`: `batch_first` is accepted and means nothing.
    `bidirectional` is a `ValueError`, for a stream knows no last frame. Cho et al., 2014.
    """

    holder = nn.GRU
    row = rows.GRU

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self._begin_as(**_given(locals()))

    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> "GRU":
        """A copy of a `torch.nn.GRU`."""
        made: GRU = _twin(GRU, module, copies=True)
        return made


class LSTM(Recurrent, nn.LSTM):  # type: ignore[misc]
    """`torch.nn.LSTM` over clips `(B, C, T)` and frames `(B, C)`: its arguments, weights and keys.

    `forward(x, (h, c))` gives the outputs and both hidden tensors, as torch does; a step gives
    outputs, and so does a container. Any clip is `(B, C, T)`: `batch_first` is accepted and means
    nothing. `bidirectional` is a `ValueError`, for a stream knows no last frame. Hochreiter and
    Schmidhuber, 1997; `proj_size` is that of Sak et al., 2014.
    """

    holder = nn.LSTM
    row = rows.LSTM

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self._begin_as(**_given(locals()))

    @staticmethod
    def build_from(module: nn.Module, *args: Any, **kwargs: Any) -> "LSTM":
        """A copy of a `torch.nn.LSTM`."""
        made: LSTM = _twin(LSTM, module, copies=True)
        return made


def _given(names: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in names.items() if name not in ("self", "__class__")}


def _twin(made: Any, module: Any, copies: bool) -> Any:
    """A continual module with the tensors of `module`, or with copies of them."""
    if not isinstance(module, made.holder):
        raise TypeError(f"a `{made.holder.__name__}` is built from one of torch.nn, not {module}")
    refuse(module)
    how: Any = built_from if copies else alike
    twin = how(made, made.row, module, {})
    twin._settle(twin.operation)
    twin._flat_weights = [twin._parameters[name] for name in twin._flat_weights_names]
    return twin


def _register(made: type[Recurrent]) -> None:
    count_as(made, made.holder)
    makes(made.holder, lambda module, part: _twin(made, module, copies=part is continual))


for _each in (RNN, GRU, LSTM):
    _register(_each)
