"""Which values of a graph are ids, that tables are looked up with."""

from codsl.graph.graph import Graph
from codsl.layers.recipe import Pointwise, Windowed

NO_CLASS = ("Identity", "")
"""The modules of layers that have no weights, and of those that are no class of torch."""


def ids(graph: Graph, value: int) -> int | None:
    """How many ids a value may be, where it comes to a table through nothing but layers that have
    no weights and no class of torch; None for any number."""
    counts: list[int] = []
    same = {value}
    for index, node in enumerate(graph.nodes):
        recipe = node.recipe
        if same.isdisjoint(edge.source for edge in node.edges):
            continue
        if isinstance(recipe, Pointwise | Windowed) and recipe.module in NO_CLASS:
            same.add(graph.base + index)
        elif isinstance(recipe, Pointwise) and "num_embeddings" in recipe.settings:
            counts.append(recipe.settings["num_embeddings"])
    return min(counts, default=None)
