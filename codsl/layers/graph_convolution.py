"""Convolution over the edges of a graph, such as the joints of a skeleton."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time
from codsl.layers.arguments import (
    Count,
    Flag,
    Matrix,
    MaybeCount,
    MaybeMatrices,
    MaybeNatural,
    MaybePairs,
)
from codsl.layers.fit import inferred
from codsl.layers.mistake import Mistake
from codsl.layers.partition import spatial_partition
from codsl.layers.recipe import Call, Pointwise
from codsl.layers.row import Layer, check_rank, settings

SELF = tuple(tuple(int(row == column) for column in range(6)) for row in range(6))
CHAIN = tuple(tuple(0.5 * (row == column + 1) for column in range(6)) for row in range(6))
"""A chain of six nodes: each with itself, and each with the next."""
TREE = ((0, 1), (1, 2), (2, 3), (2, 4), (4, 5))


@final
@dataclass(frozen=True)
class GraphConv(Layer):
    """The spatial graph convolution of ST-GCN (Yan et al., 2018): `(B, in, T, V)` to
    `(B, out, T, V)`, frame by frame, over the `V` nodes of a graph.

    `adjacency` is a matrix `(V, V)`, or `K` of them, one for each kind of edge, normalised as they
    are to be used: node `w` of the output is the sum over `k` and `v` of `adjacency[k][v][w]` times
    the `k`-th map of node `v`. Or else `edges` are pairs of nodes, counted from 0, and `center` is
    a node: there are three matrices then, ST-GCN's spatial partition of a skeleton, of each node
    itself, of its neighbours away from the center, and of those towards it. The maps are torch's
    convolution of kernel 1: weight `(K * out, in, 1, 1)`, bias `(K * out,)`. `learned` makes the
    adjacency a parameter (Shi et al., 2019), else it is a constant of the spec; `edge_importance`
    multiplies it by a parameter that starts as ones.
    """

    rank: ClassVar[int] = 2
    also: ClassVar[tuple[str, ...]] = ("gcn", "graph_convolution")
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"out_channels": 3, "adjacency": SELF},
        {"out_channels": 2, "adjacency": (SELF, CHAIN), "edge_importance": True},
        {"out_channels": 2, "adjacency": (CHAIN, SELF), "bias": False, "learned": True},
        {"out_channels": 2, "edges": TREE, "center": 2, "edge_importance": True},
    )
    out_channels: Count
    adjacency: MaybeMatrices = None
    bias: Flag = True
    learned: Flag = field(default=False, kw_only=True)
    edges: MaybePairs = field(default=None, kw_only=True)
    center: MaybeNatural = field(default=None, kw_only=True)
    edge_importance: Flag = field(default=False, kw_only=True)
    in_channels: MaybeCount = field(default=None, kw_only=True)

    @final
    def shape(self, x: Frame) -> Frame:
        check_rank(self, x)
        inferred("in_channels", self.in_channels, x)
        self._check_graph(x)
        return Frame(self.out_channels, x.space)

    def _check_graph(self, x: Frame) -> None:
        if (self.adjacency is None) == (self.edges is None):
            message = "a graph is its `adjacency`, or else its `edges`"
            raise Mistake("E0305", message, help="`edges=((0, 1), (1, 2)), center=1`")
        if (self.edges is None) != (self.center is None):
            message = "`edges` have a `center`, by which neighbours are parted"
            raise Mistake("E0305", message, argument="center" if self.edges is None else "edges")
        nodes = self._nodes()
        if x.space[0] != nodes:
            argument = "edges" if self.adjacency is None else "adjacency"
            raise Mistake(
                "E0402",
                f"`{argument}` is of {nodes} nodes, the input has {x.space[0]}",
                argument=argument,
                layer=f"the input is {x}",
                help="the last dimension of the input counts nodes",
            )

    def _nodes(self) -> int:
        """How many nodes the graph has: edges name the last of them."""
        if self.adjacency is not None:
            return len(self.adjacency[0])
        used = (each for pair in self.edges or () for each in pair)
        return 1 + max(self.center or 0, *used)

    def _graph(self) -> tuple[Matrix, ...]:
        """The adjacency, as it is given or as it follows from the edges."""
        if self.adjacency is not None:
            return self.adjacency
        return spatial_partition(self._nodes(), self.edges or (), self.center or 0)

    @final
    def time(self) -> Time:
        return IDENTITY

    @final
    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,)

    @final
    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        graphs, nodes = len(self._graph()), self._nodes()
        maps, edges = graphs * self.out_channels, (graphs, nodes, nodes)
        shapes: dict[str, tuple[int, ...]] = {"weight": (maps, x.channels, 1, 1)}
        if self.bias:
            shapes["bias"] = (maps,)
        if self.learned:
            shapes["adjacency"] = edges
        if self.edge_importance:
            shapes["edge_importance"] = edges
        return shapes

    @final
    def macs(self, x: Frame, y: Frame) -> int:
        graphs, nodes = len(self._graph()), x.positions
        return graphs * self.out_channels * nodes * (x.channels + nodes)

    @final
    def recipe(self, x: Frame) -> Pointwise:
        tensors = ("weight", "bias", "adjacency", "edge_importance")
        made_of = {**settings(self), "in_channels": x.channels, "adjacency": self._graph()}
        del made_of["edges"], made_of["center"]
        return Pointwise("GraphConv", made_of, tensors, Call("graph_conv_frames"))
