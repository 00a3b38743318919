"""The tensors of a network: where each belongs, and what it is to its layer."""

from dataclasses import dataclass, field, replace

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from codsl.graph.graph import Graph
from codsl.graph.node import Node
from codsl.layers.recipe import Folded
from codsl.source import Span
from codsl.weights.channels import Order
from codsl.weights.order import Orders, orders

MAKING = ("convolution", "transposed", "dense")
"""The kinds whose bias is of the channels that they make."""
NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)


@dataclass(frozen=True)
class Place:
    """A tensor of a network under `layer.leaf`.

    `kind` is that of its layer: `convolution`, `transposed`, `dense`, `norm`, `slope`, `table`,
    `rnn`, `gru`, `lstm`, `attention` or `other`, or `piece` where a source cuts the layer's tensors
    otherwise; `groups` and `dimensions` are those of a convolution's kernel, of which the first is
    time where it is `timed`; `eps` is a norm's, `heads` are an attention's. Where the network has
    a spec, `reads` is the layer whose value its layer reads, `order` is that of the channels of
    this value, or of a bias, `made` that of those that its weights make, and `span` is where its
    layer is written.
    """

    layer: str
    leaf: str
    kind: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    groups: int = 1
    dimensions: int = 0
    timed: bool = True
    eps: float = 0.0
    reads: str | None = None
    heads: int = 0
    order: Order = ()
    made: Order = ()
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The key in the network's `state_dict`."""
        return f"{self.layer}.{self.leaf}" if self.layer else self.leaf

    @property
    def counter(self) -> bool:
        """Whether it only counts the batches of a training, which many checkpoints leave out."""
        return self.leaf == "num_batches_tracked"


def places_of(net: nn.Module) -> dict[str, Place]:
    """The places of a network by key, in the order of its `state_dict`."""
    modules = dict(net.named_modules(remove_duplicate=False))
    reads, nodes = _reads(net), _nodes(net)
    ordered = _ordered(net)
    places = {}
    for key, tensor in net.state_dict(keep_vars=True).items():
        owner, leaf = _owner(key, modules)
        module = modules[owner]
        shape, kernel = tuple(tensor.shape), _kernel(module)
        eps = getattr(module, "eps", None) or 0.0
        place = Place(owner, leaf, _kind(module), shape, tensor.dtype, *kernel, eps=eps)
        heads = module.num_heads if isinstance(module, nn.MultiheadAttention) else 0
        place = replace(place, reads=reads.get(owner), heads=heads)
        node = _within(owner, nodes)
        places[key] = _of_node(place, node, ordered[node.path]) if node else place
    return places


def _of_node(place: Place, node: Node, orders: Orders) -> Place:
    """A place as the spec has its layer; what a layer has within reads values of its own."""
    read, made = (_own(each, place, node) for each in (orders.read, orders.made))
    read = made if place.leaf == "bias" and place.kind in MAKING else read
    timed = not isinstance(node.recipe, Folded)
    return replace(place, timed=timed, order=read, made=made, span=node.span)


def _own(order: Order, place: Place, node: Node) -> Order:
    return order if not order or place.layer == node.path else None


def _reads(net: nn.Module) -> dict[str, str]:
    """The layer before each layer of a network that knows its own."""
    graph: Graph | None = getattr(net, "graph", None)
    if graph is None:
        return {}
    paths = ["" for _ in graph.inputs] + [node.path for node in graph.nodes]
    return {node.path: paths[node.edges[0].source] for node in graph.nodes if node.edges}


def _nodes(net: nn.Module) -> dict[str, Node]:
    """The nodes of a network that has a spec, by their layers."""
    graph: Graph | None = getattr(net, "graph", None)
    return {node.path: node for node in graph.nodes} if graph is not None else {}


def _ordered(net: nn.Module) -> dict[str, Orders]:
    """The orders of the channels of the layers of a network, where it has a spec."""
    graph: Graph | None = getattr(net, "graph", None)
    return orders(graph) if graph is not None else {}


def _within(layer: str, nodes: dict[str, Node]) -> Node | None:
    """The node whose module has a layer in it."""
    while layer and layer not in nodes:
        layer = layer.rpartition(".")[0]
    return nodes.get(layer)


def _owner(key: str, modules: dict[str, nn.Module]) -> tuple[str, str]:
    """The layer that a key belongs to, and the rest: parametrisations belong to their layer."""
    layer, dot, rest = key.partition(".parametrizations.")
    if dot:
        return layer, f"parametrizations.{rest}"
    if key.startswith("parametrizations."):
        return "", key
    layer, _, leaf = key.rpartition(".")
    return (layer, leaf) if layer in modules else ("", key)


def _kernel(module: nn.Module) -> tuple[int, int]:
    """The groups and the dimensions of a convolution."""
    if not isinstance(module, _ConvNd):
        return 1, 0
    return module.groups, len(module.kernel_size)


def _kind(module: nn.Module) -> str:
    match module:
        case _ConvTransposeNd():
            return "transposed"
        case _ConvNd():
            return "convolution"
        case nn.Linear():
            return "dense"
        case nn.PReLU():
            return "slope"
        case nn.Embedding():
            return "table"
        case nn.LSTM() | nn.LSTMCell():
            return "lstm"
        case nn.GRU() | nn.GRUCell():
            return "gru"
        case nn.RNN() | nn.RNNCell():
            return "rnn"
        case nn.MultiheadAttention():
            return "attention"
        case _ if isinstance(module, NORMS):
            return "norm"
        case _:
            return "other"
