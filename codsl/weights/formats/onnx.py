"""Files of ONNX: initialisers and constants, by their names or by those of their nodes."""

import re
from ast import literal_eval
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from codsl.weights.entry import Array, Entry, Tree
from codsl.weights.formats.doubt import Broken, Excessive, guarded, refusing
from codsl.weights.formats.format import Format
from codsl.weights.formats.mapped import mapped
from codsl.weights.formats.onnx_tensor import Beside, tensor
from codsl.weights.formats.protobuf import Reader, message, signed, text

MOST = 2_000_000
"""Fields of a file at most; no net has more, and each takes some hundred bytes while read."""

PARTS = 200_000
"""Nodes of a graph at most, and tensors."""

GENERATED = re.compile(r"onnx::.*|\d+|val_\d+|.*Constant(_\d+)?_output_0|.*\.weight_bias")
"""Names that exporters make up."""

CELL = {1: "W", 2: "R", 3: "B"}
AFFINE = {1: "weight", 2: "bias"}
ROLES = {
    "Conv": AFFINE,
    "ConvTranspose": AFFINE,
    "Gemm": AFFINE,
    "MatMul": {1: "weight"},
    "BatchNormalization": {**AFFINE, 3: "running_mean", 4: "running_var"},
    "InstanceNormalization": AFFINE,
    "LayerNormalization": AFFINE,
    "GroupNormalization": AFFINE,
    "PRelu": {1: "weight"},
    "Gather": {0: "weight"},
    "LSTM": CELL,
    "GRU": CELL,
    "RNN": CELL,
}
"""What the inputs of a node are, by its operation."""


@dataclass
class Node:
    """An operation, what it takes and gives, and what it is called."""

    operation: str = ""
    name: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    transposed: bool = False
    resets_first: bool = True
    forward: bool = True
    scope: str = ""
    constant: memoryview | None = None

    def prefix(self) -> str:
        """The layer that it comes from: of `/stem/conv/Conv` it is `stem.conv`, of `/rnn/LSTM_1`,
        the second layer of a module, `rnn.l1`."""
        if not self.name.startswith("/"):
            return self.scope
        *scopes, last = (part for part in self.name.split("/") if part)
        later = re.fullmatch(r"(?:LSTM|GRU|RNN)_(\d+)", last)
        return ".".join([*scopes, f"l{later[1]}"] if later and scopes else scopes)

    def roles(self) -> Mapping[int, str]:
        """What its inputs are. A GRU that resets before it multiplies, and what runs backwards, are
        no layers of torch's of the same numbers."""
        other = (self.operation == "GRU" and self.resets_first) or not self.forward
        return {} if other else ROLES.get(self.operation, {})


@dataclass
class Net:
    """The tensors of a graph and its nodes."""

    tensors: dict[str, Entry] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)


def read(path: Path) -> Tree:
    """Initialisers by name, in torch's layout of convolutions.

    A name that the exporter made up gives way to that of the node that takes the tensor,
    `stem.conv.weight`. What `MatMul` takes on its right, and `Gemm` without `transB`, has the
    layout (in, out) there and is handed out as (out, in), torch's, if its name is made up or ends
    in `weight` and nothing else takes it. `Identity` gives a tensor a second name. Constants are
    read where a layer takes them; integers under names that are made up are left out. What is in
    functions and in graphs within nodes is not read. Raises `WeightsError`.
    """
    with refusing(path):
        net = _net(mapped(path), Beside(path.parent))
        return {name: guarded(path, entry) for name, entry in _named(net)}


def _net(data: memoryview, beside: Beside) -> Net:
    reader, net, graphs = Reader(MOST), Net(), []
    for number, value in reader.fields(data):
        if number == 7:
            graphs.append(message(value))
    if len(graphs) != 1:
        raise Broken("it is no ONNX file: it has no graph, or several")
    for number, value in reader.fields(graphs[0]):
        if max(len(net.nodes), len(net.tensors)) > PARTS:
            raise Excessive(f"it has more than {PARTS} nodes or tensors")
        if number == 1:
            net.nodes.append(_node(reader, message(value)))
        elif number == 5:
            name, entry = tensor(reader, message(value), beside)
            if name in net.tensors:
                raise Broken("it has two tensors of one name")
            if entry is not None:
                net.tensors[name] = entry
        elif number == 15:
            raise Broken("it has sparse tensors")
    _constants(reader, net, beside)
    return net


def _node(reader: Reader, data: memoryview) -> Node:
    node = Node()
    for number, value in reader.fields(data):
        if number == 1:
            node.inputs.append(text(value))
        elif number == 2:
            node.outputs.append(text(value))
        elif number == 3:
            node.name = text(value)
        elif number == 4:
            node.operation = text(value)
        elif number == 5:
            _attribute(reader, message(value), node)
        elif number == 9:
            _metadata(reader, message(value), node)
    return node


def _attribute(reader: Reader, data: memoryview, node: Node) -> None:
    fields = dict(reader.fields(data))
    name = text(fields.get(1, memoryview(b"")))
    if name == "transB":
        value = fields.get(3, 0)
        node.transposed = isinstance(value, int) and signed(value) != 0
    if name == "linear_before_reset":
        node.resets_first = fields.get(3, 0) == 0
    if name == "direction" and 4 in fields:
        node.forward = text(fields[4]) == "forward"
    if name == "value" and node.operation in ("", "Constant") and 5 in fields:
        node.constant = message(fields[5])


def _metadata(reader: Reader, data: memoryview, node: Node) -> None:
    fields = dict(reader.fields(data))
    empty = memoryview(b"")
    if text(fields.get(1, empty)) != "pkg.torch.onnx.name_scopes":
        return
    scopes = text(fields.get(2, empty))
    if re.fullmatch(r"\['[\w.]*'(, '[\w.]*'){1,50}\]", scopes):
        node.scope = str(literal_eval(scopes)[-2])


def _constants(reader: Reader, net: Net, beside: Beside) -> None:
    taken = {
        name for node in net.nodes for at, name in enumerate(node.inputs) if at in node.roles()
    }
    for node in net.nodes:
        if node.operation == "Constant" and node.constant is not None and node.outputs:
            name = node.outputs[0]
            if name in taken and name not in net.tensors:
                _, entry = tensor(reader, node.constant, beside)
                if entry is not None:
                    net.tensors[name] = entry
        if node.operation == "Identity" and node.inputs and node.outputs:
            (source, *_), (name, *_) = node.inputs, node.outputs
            if source in net.tensors and name not in net.tensors:
                net.tensors[name] = net.tensors[source]


@dataclass
class Uses:
    """What a tensor is to the nodes that take it."""

    name: str = ""
    right: int = 0
    other: int = 0


def _uses(net: Net) -> dict[str, Uses]:
    uses = {name: Uses() for name in net.tensors}
    for node in net.nodes:
        for at, name in enumerate(node.inputs):
            if name not in uses or node.operation == "Identity":
                continue
            use, role = uses[name], node.roles().get(at)
            right = at == 1 and node.operation in ("MatMul", "Gemm") and not node.transposed
            use.right += right
            use.other += not right
            if role and not use.name and node.prefix():
                use.name = f"{node.prefix()}.{role}"
    return uses


def _named(net: Net) -> Iterator[tuple[str, Entry]]:
    uses, given = _uses(net), set(net.tensors)
    for name, entry in net.tensors.items():
        use, made_up = uses[name], GENERATED.fullmatch(name) is not None
        better = name
        if made_up and name.endswith(".weight_bias"):
            better = name.removesuffix(".weight_bias") + ".bias"
        elif made_up and use.name:
            better = use.name
        elif made_up and entry.dtype.kind in "iu" and len(entry.shape) <= 1:
            continue
        if better != name and better in given:
            better = name
        given.add(better)
        weight = made_up or name == "weight" or name.endswith(".weight")
        if weight and use.right and not use.other and len(entry.shape) == 2:
            yield better, _turned(entry)
        else:
            yield better, entry


def _turned(entry: Entry) -> Entry:
    rows, columns = entry.shape

    def read() -> Array:
        return np.ascontiguousarray(entry.read().T)

    return Entry((columns, rows), entry.dtype, read)


def is_one(head: bytes) -> bool:
    """Whether it begins as a model: with the version of its form, then with what wrote it."""
    return head[:1] == b"\x08" and head[1:2] < b"\x80" and head[2:3] in (b"\x12", b"\x3a", b"\x42")


FORMAT = Format("onnx", (".onnx",), is_one, read)
