"""For whom kernels are chosen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """How frames with two dimensions of space lie, and which operations there are.

    With `last` the channels of a place lie beside each other, and convolutions over one place are
    matrix products. `batch` is that of the stream, or None where it may vary, or where no sizes are
    known from which on kernels change, as on other devices than the CPU. With `packed` weights are
    laid out once for oneDNN's convolutions. With `sums` products with one item are written as sums,
    of which a compiler makes loops of its own. Convolutions of each channel by itself are over a
    multiple of `channels`. With `along` convolutions over time take as a clip the items that all
    outputs of one stream see. With `rings` what attention keeps lies in one tensor. With `fresh`
    activations write over nothing, as what is traced must not.
    """

    last: bool = False
    packed: bool = False
    batch: int | None = None
    sums: bool = False
    channels: int = 1
    along: bool = False
    rings: bool = False
    fresh: bool = False


PLAIN = Style()
"""Plain convolutions."""
GRAPH = Style(channels=4)
"""The same for graphs that ONNX Runtime may run: without this multiple it takes four times as
long."""
