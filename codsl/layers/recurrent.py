"""Recurrent layers: what they carry on from frame to frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.algebra.time import Time, remembers
from codsl.layers.arguments import Count, Flag, MaybeCount, Natural, Share, Word
from codsl.layers.fit import inferred, vectors
from codsl.layers.mistake import Give, Mistake
from codsl.layers.recipe import Call, Carried, Memory
from codsl.layers.row import Layer, type_name

Examples = tuple[Mapping[str, Any], ...]
Weights = Mapping[str, tuple[int, ...]]
MOST_LAYERS = 1000


@dataclass(frozen=True)
class Recurrent(Layer):
    """A recurrent layer of torch.nn, under its names and with its weights.

    It maps `(B, in, T)` to `(B, hidden_size, T)`. An output depends on all frames so far.
    """

    hidden_size: Count
    num_layers: Count = 1
    bias: Flag = field(default=True, kw_only=True)
    dropout: Share = field(default=0.0, kw_only=True)
    bidirectional: Flag = field(default=False, kw_only=True)
    input_size: MaybeCount = field(default=None, kw_only=True)

    gates: ClassVar[int]

    def _projected(self) -> int:
        """How many of the numbers of a layer go on to the next frame and the next layer; none
        where it is all of them."""
        return 0

    def _settings(self) -> dict[str, Any]:
        """What torch's class takes besides what all have in common."""
        return {}

    @final
    @property
    def _out(self) -> int:
        return self._projected() or self.hidden_size

    @final
    def shape(self, x: Frame) -> Frame:
        vectors(self, x)
        inferred("input_size", self.input_size, x)
        if self.num_layers > MOST_LAYERS:
            raise Mistake(
                "E0311",
                f"num_layers={self.num_layers} is more than {MOST_LAYERS}",
                argument="num_layers",
            )
        if self.bidirectional:
            raise Mistake(
                "E0409",
                f"a bidirectional `{type_name(type(self))}` begins at the last frame too",
                argument="bidirectional",
                note="a stream knows no last frame",
                help="leave `bidirectional` at false",
                change=Give(False),
            )
        return Frame(self._out)

    @final
    def time(self) -> Time:
        return remembers()

    @final
    def weights(self, x: Frame) -> Weights:
        shapes: dict[str, tuple[int, ...]] = {}
        wide = self.gates * self.hidden_size
        for layer in range(self.num_layers):
            shapes[f"weight_ih_l{layer}"] = (wide, self._out if layer else x.channels)
            shapes[f"weight_hh_l{layer}"] = (wide, self._out)
            if self.bias:
                shapes[f"bias_ih_l{layer}"] = shapes[f"bias_hh_l{layer}"] = (wide,)
            if self._projected():
                shapes[f"weight_hr_l{layer}"] = (self._out, self.hidden_size)
        return shapes

    @final
    def macs(self, x: Frame, y: Frame) -> int:
        return sum(rows * shape[0] for rows, *shape in self.weights(x).values() if shape)

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return ()

    @final
    def recipe(self, x: Frame) -> Carried:
        given = {
            "input_size": x.channels,
            "hidden_size": self.hidden_size,
            "num_layers": self.num_layers,
            "bias": self.bias,
            "batch_first": True,
            "dropout": self.dropout if self.num_layers > 1 else 0.0,
            **self._settings(),
        }
        return Carried(type(self).__name__, given, Call("recur"), self._memory())

    def _memory(self) -> tuple[Memory, ...]:
        return (Memory("h", (self.num_layers, self._out)),)


@final
@dataclass(frozen=True)
class RNN(Recurrent):
    """The recurrent layer `h' = tanh(W x + b + U h + c)` (Elman, 1990), or with `relu`.

    `(B, in, T)` to `(B, hidden_size, T)`; weights and keys are those of torch.nn.RNN
    (`weight_ih_l0` ...). An output depends on all frames so far; what is carried on is `h`, zeros
    at the start, for each layer. `dropout` is between layers, and only in training.
    """

    rank: ClassVar[int] = 1
    also: ClassVar[tuple[str, ...]] = ("rnn_cell", "simple_rnn")
    gates: ClassVar[int] = 1
    examples: ClassVar[Examples] = (
        {"hidden_size": 5},
        {"hidden_size": 3, "num_layers": 2, "nonlinearity": "relu", "bias": False, "dropout": 0.2},
    )
    nonlinearity: Annotated[str, Word(("tanh", "relu"))] = field(default="tanh", kw_only=True)

    def _settings(self) -> dict[str, Any]:
        return {"nonlinearity": self.nonlinearity}


@final
class GRU(Recurrent):
    """The gated recurrent unit (Cho et al., 2014), as torch.nn.GRU computes it.

    `(B, in, T)` to `(B, hidden_size, T)`; weights and keys are those of torch.nn.GRU
    (`weight_ih_l0` ...; gates in the order reset, update, new). An output depends on all frames so
    far; what is carried on is `h`, zeros at the start, for each layer. `dropout` is between layers,
    and only in training.
    """

    rank: ClassVar[int] = 1
    also: ClassVar[tuple[str, ...]] = ("gru_cell",)
    gates: ClassVar[int] = 3
    examples: ClassVar[Examples] = (
        {"hidden_size": 5},
        {"hidden_size": 3, "num_layers": 3, "bias": False, "dropout": 0.2},
    )


@final
@dataclass(frozen=True)
class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), with a forget gate.

    `(B, in, T)` to `(B, hidden_size, T)`, or `(B, proj_size, T)` where `proj_size` projects `h`
    (Sak et al., 2014). Weights and keys are those of torch.nn.LSTM (`weight_ih_l0` ...; gates in
    the order input, forget, cell, output). An output depends on all frames so far; what is carried
    on is `h` and `c`, zeros at the start, for each layer. `dropout` is between layers, and only in
    training.
    """

    rank: ClassVar[int] = 1
    also: ClassVar[tuple[str, ...]] = ("lstm_cell",)
    gates: ClassVar[int] = 4
    examples: ClassVar[Examples] = (
        {"hidden_size": 5},
        {"hidden_size": 4, "num_layers": 2, "bias": False, "dropout": 0.2},
        {"hidden_size": 5, "num_layers": 2, "proj_size": 3},
    )
    proj_size: Natural = field(default=0, kw_only=True)

    def _projected(self) -> int:
        if self.proj_size >= self.hidden_size:
            raise Mistake(
                "E0402",
                f"proj_size={self.proj_size} is not less than hidden_size={self.hidden_size}",
                argument="proj_size",
                help="leave `proj_size` out: 0 projects nothing",
                change=Give(0),
            )
        return self.proj_size

    def _settings(self) -> dict[str, Any]:
        return {"proj_size": self.proj_size}

    def _memory(self) -> tuple[Memory, ...]:
        cell = (self.num_layers, self.hidden_size)
        return Memory("h", (self.num_layers, self._out)), Memory("c", cell)
