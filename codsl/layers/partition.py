"""The neighbourhoods of a graph's nodes, parted by where they lie."""

from math import inf

Matrix = tuple[tuple[float, ...], ...]
Edges = tuple[tuple[int, int], ...]


def spatial_partition(nodes: int, edges: Edges, center: int) -> tuple[Matrix, Matrix, Matrix]:
    """The three adjacencies `(V, V)` of ST-GCN's spatial configuration (Yan et al., 2018).

    They are those of a node with itself; with neighbours as far from `center`, or further; with
    nearer ones. Each is one over the number of neighbours, the node among them. As in the authors'
    implementation, nodes that are not next to `center` count as equally far from it.
    """
    near = [[v == w for w in range(nodes)] for v in range(nodes)]
    for v, w in edges:
        near[v][w] = near[w][v] = True
    away = [0.0 if v == center else 1.0 if near[v][center] else inf for v in range(nodes)]

    def part(kind: int) -> Matrix:
        return tuple(
            tuple(
                1 / sum(near[u][w] for u in range(nodes))
                if near[v][w] and (0 if v == w else 1 if away[v] >= away[w] else 2) == kind
                else 0.0
                for w in range(nodes)
            )
            for v in range(nodes)
        )

    return part(0), part(1), part(2)
