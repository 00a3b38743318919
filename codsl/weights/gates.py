"""How frameworks order the gates of recurrent layers, and where they put them.

Torch stacks them as rows: of an LSTM input, forget, cell, output (`ifgo`), of a GRU reset, update,
new (`rzn`). A GRU that resets before it multiplies (Keras with `reset_after=False`, ONNX with
`linear_before_reset=0`, Haiku's) computes something else, and has no cut.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from codsl.weights.cuts import Cut, Index, Piece, Shape, blocks

GATES = {"lstm": "ifgo", "gru": "rzn", "rnn": "h"}
"""Torch's order."""
KERAS = {**GATES, "gru": "zrn"}
ONNX = {**KERAS, "lstm": "iofg"}
HAIKU = {"lstm": "igfo"}
ALL = slice(None)


@dataclass(frozen=True)
class Cell:
    """One layer of a recurrent module: how many numbers come in and are carried on, whether it is
    biased, and the frame that comes in where its numbers are in a row."""

    kind: str
    inputs: int
    hidden: int
    biased: bool
    order: Shape = ()

    @property
    def wide(self) -> int:
        """The rows of its weights."""
        return len(GATES[self.kind]) * self.hidden

    @property
    def targets(self) -> dict[str, Shape]:
        """Its tensors as torch has them."""
        weights: dict[str, Shape] = {
            "weight_ih": (self.wide, self.inputs),
            "weight_hh": (self.wide, self.hidden),
        }
        biases: dict[str, Shape] = {"bias_ih": (self.wide,), "bias_hh": (self.wide,)}
        return weights | biases if self.biased else weights

    def rows(self, order: str) -> Iterator[tuple[str, slice, slice]]:
        """Each gate, its rows as torch has them, and as another order does."""
        there = dict(blocks(order, self.hidden))
        for gate, rows in blocks(GATES[self.kind], self.hidden):
            yield gate, rows, there[gate]

    def cut(self, sources: dict[str, Shape], pieces: list[Piece], **options: slice) -> Cut:
        """The cut, without what it has no bias for."""
        kept = tuple(each for each in pieces if each.target in self.targets)
        used = {each.leaf for each in kept}
        held = {leaf: shape for leaf, shape in sources.items() if leaf in used}
        return Cut(held, self.targets, kept, ones=options)


def keras(cell: Cell) -> Iterator[Cut]:
    """One bias, or of a GRU two (`reset_after=True`), and inputs first."""
    two = cell.kind == "gru"
    sources: dict[str, Shape] = {
        "kernel": (cell.inputs, cell.wide),
        "recurrent_kernel": (cell.hidden, cell.wide),
        "bias": (2, cell.wide) if two else (cell.wide,),
    }
    pieces = []
    for _, rows, there in cell.rows(KERAS[cell.kind]):
        pieces += [
            Piece("weight_ih", rows, "kernel", (ALL, there), True),
            Piece("weight_hh", rows, "recurrent_kernel", (ALL, there), True),
        ]
        if two:
            pieces += [
                Piece("bias_ih", rows, "bias", (0, there)),
                Piece("bias_hh", rows, "bias", (1, there)),
            ]
        else:
            pieces.append(Piece("bias_ih", rows, "bias", (there,), besides="bias_hh"))
    yield cell.cut(sources, pieces)


def flax(cell: Cell) -> Iterator[Cut]:
    """A linear layer for each gate (linen), or one for all (nnx); the bias is on one side, but for
    the new gate of linen's GRU."""
    for word in ("if", "if_"):
        names = [_flax_gate(cell, gate, word) for gate in GATES[cell.kind]]
        pieces: list[Piece] = []
        sources: dict[str, Shape] = {}
        for (gate, rows, _), (i, h) in zip(cell.rows(GATES[cell.kind]), names, strict=True):
            sources |= {f"{i}.kernel": (cell.inputs, cell.hidden), f"{i}.bias": (cell.hidden,)}
            sources |= {f"{h}.kernel": (cell.hidden, cell.hidden), f"{h}.bias": (cell.hidden,)}
            pieces += _flax_pieces(cell, gate, rows, (i, h), ())
            if (cell.kind, gate) == ("gru", "n"):
                pieces.append(Piece("bias_hh", rows, f"{h}.bias"))
        yield cell.cut(sources, pieces)
    pieces = []
    for gate, rows, there in cell.rows(GATES[cell.kind]):
        pieces += _flax_pieces(cell, gate, rows, ("dense_i", "dense_h"), (there,))
    sources = {
        "dense_i.kernel": (cell.inputs, cell.wide),
        "dense_h.kernel": (cell.hidden, cell.wide),
        **{f"dense_{side}.bias": (cell.wide,) for side in "ih"},
    }
    yield cell.cut(sources, pieces)


def _flax_gate(cell: Cell, gate: str, forget: str) -> tuple[str, str]:
    """The linear layers of a gate, of what comes in and of what is carried on."""
    if cell.kind == "rnn":
        return "i", "h"
    return forget if gate == "f" else f"i{gate}", f"h{gate}"


def _flax_pieces(
    cell: Cell, gate: str, rows: slice, names: tuple[str, str], there: tuple[slice, ...]
) -> list[Piece]:
    within: Index = (ALL, *there) if there else ()
    i, h = names
    own, other, side = (
        ("bias_hh", "bias_ih", h) if cell.kind == "lstm" else ("bias_ih", "bias_hh", i)
    )
    besides = None if gate == "n" else other
    return [
        Piece("weight_ih", rows, f"{i}.kernel", within, True),
        Piece("weight_hh", rows, f"{h}.kernel", within, True),
        Piece(own, rows, f"{side}.bias", there, besides=besides),
    ]


def haiku(cell: Cell) -> Iterator[Cut]:
    """An LSTM of one linear layer over the input and what is carried on, whose forget gate adds one
    to its bias; `VanillaRNN` with two linear layers, the second without a bias where that is said
    (`double_bias=False`)."""
    if cell.kind == "lstm" and cell.biased:
        yield from (_haiku_lstm(cell, name) for name in ("linear.", ""))
    if cell.kind == "rnn":
        yield from (_haiku_rnn(cell, double) for double in (True, False))


def _haiku_lstm(cell: Cell, name: str) -> Cut:
    coming, carried = slice(0, cell.inputs), slice(cell.inputs, None)
    pieces = []
    for _, rows, there in cell.rows(HAIKU["lstm"]):
        pieces += [
            Piece("weight_ih", rows, f"{name}w", (coming, there), True),
            Piece("weight_hh", rows, f"{name}w", (carried, there), True),
            Piece("bias_ih", rows, f"{name}b", (there,), besides="bias_hh"),
        ]
    sources: dict[str, Shape] = {
        f"{name}w": (cell.inputs + cell.hidden, cell.wide),
        f"{name}b": (cell.wide,),
    }
    return cell.cut(sources, pieces, bias_hh=slice(cell.hidden, 2 * cell.hidden))


def _haiku_rnn(cell: Cell, double: bool) -> Cut:
    pieces: list[Piece] = []
    sources: dict[str, Shape] = {}
    sides = {"ih": ("linear", cell.inputs), "hh": ("linear_1", cell.hidden)}
    for side, (name, inputs) in sides.items():
        sources |= {f"{name}.w": (inputs, cell.hidden), f"{name}.b": (cell.hidden,)}
        pieces.append(Piece(f"weight_{side}", ALL, f"{name}.w", (), True))
    if double:
        pieces += [Piece(f"bias_{side}", ALL, f"{name}.b") for side, (name, _) in sides.items()]
    else:
        pieces.append(Piece("bias_ih", ALL, "linear.b", besides="bias_hh"))
    return cell.cut(sources, pieces)


def onnx(cell: Cell) -> Iterator[Cut]:
    """Operators LSTM, GRU (with `linear_before_reset=1`) and RNN, one direction."""
    pieces = []
    for _, rows, there in cell.rows(ONNX[cell.kind]):
        later = slice(there.start + cell.wide, there.stop + cell.wide)
        pieces += [
            Piece("weight_ih", rows, "W", (0, there)),
            Piece("weight_hh", rows, "R", (0, there)),
            Piece("bias_ih", rows, "B", (0, there)),
            Piece("bias_hh", rows, "B", (0, later)),
        ]
    sources: dict[str, Shape] = {
        "W": (1, cell.wide, cell.inputs),
        "R": (1, cell.wide, cell.hidden),
        "B": (1, 2 * cell.wide),
    }
    yield cell.cut(sources, pieces)


LAYOUTS: dict[str, Callable[[Cell], Iterator[Cut]]] = {
    "keras": keras,
    "tensorflow": keras,
    "flax": flax,
    "flax_transpose_kernel": flax,
    "haiku": haiku,
    "onnx": onnx,
}


def cuts(cell: Cell, layout: str, suffix: str, alone: bool) -> Iterator[Cut]:
    """The cuts of a cell whose tensors end in `suffix`, the usual one first.

    Their keys are those of the cell where it is `alone` in its module; else there is `l0.`, `l1.`
    before them, which the first may lack and one that is alone may have.
    """
    if layout not in LAYOUTS:
        return
    told = [f"{suffix.removeprefix('_')}."] if suffix else []
    plain = [""] if suffix in ("", "_l0") else []
    for prefix in (*plain, *told) if alone else (*told, *plain):
        for cut in LAYOUTS[layout](cell):
            yield _named(cut, prefix, suffix, cell.order)


def _named(cut: Cut, prefix: str, suffix: str, order: Shape) -> Cut:
    pieces = tuple(
        replace(
            each,
            target=f"{each.target}{suffix}",
            leaf=f"{prefix}{each.leaf}",
            besides=f"{each.besides}{suffix}" if each.besides else None,
            order=order if each.target == "weight_ih" else (),
        )
        for each in cut.pieces
    )
    return Cut(
        {f"{prefix}{leaf}": shape for leaf, shape in cut.sources.items()},
        {f"{target}{suffix}": shape for target, shape in cut.targets.items()},
        pieces,
        ones={f"{target}{suffix}": rows for target, rows in cut.ones.items()},
    )
