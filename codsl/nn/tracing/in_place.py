"""What a traced class changes in place: a value that is read later is then another one, which the
graph of torch.fx does not say."""

from collections.abc import Iterator

from torch import fx, nn

from codsl.nn.tracing.expressions import SIZES

NEW = {
    "add", "sub", "mul", "truediv", "neg", "pow", "matmul", "cat", "concat", "stack", "relu",
    "sigmoid", "tanh", "silu", "gelu", "softmax", "exp", "sqrt", "mean", "sum", "clone",
}  # fmt: skip
"""Functions whose result has memory of its own; that of others may be their first argument's."""
PASSING = (nn.Identity, nn.modules.dropout._DropoutNd, nn.Flatten, nn.Unflatten)
"""Modules that may hand on what they are given."""


def check_in_place(graph: fx.Graph, module: nn.Module) -> None:
    """Raise `ValueError` where a value is read after it, or what it may be a view of, was changed
    in place."""
    places = {node: place for place, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if not _in_place(node, module):
            continue
        for seen in _may_share(node, module):
            later = [
                user for user in seen.users if places[user] > places[node] and not _of_size(user)
            ]
            if later:
                raise ValueError(
                    f"`{node.name}` changes `{seen.name}` in place, and `{later[0].name}` reads it "
                    "after that: make a new value of it instead"
                )


def _in_place(node: fx.Node, module: nn.Module) -> bool:
    """Whether a node changes its first argument; torch marks such names by a `_`."""
    if node.op == "call_module":
        return bool(getattr(module.get_submodule(str(node.target)), "inplace", False))
    if node.op not in ("call_function", "call_method"):
        return False
    name = str(getattr(node.target, "__name__", node.target))
    marked = name.endswith("_") and not name.endswith("__")
    return marked or name in ("setitem", "iadd") or bool(node.kwargs.get("inplace"))


def _of_size(node: fx.Node) -> bool:
    """Whether a node asks for sizes alone."""
    asked = node.args[1] if node.target is getattr else node.target
    return isinstance(asked, str) and asked in SIZES


def _may_share(node: fx.Node, module: nn.Module) -> Iterator[fx.Node]:
    """The values whose memory the first argument of a node may have."""
    while node.all_input_nodes:
        node = node.all_input_nodes[0]
        yield node
        if node.op == "call_module":
            shares = isinstance(module.get_submodule(str(node.target)), PASSING)
        else:
            shares = getattr(node.target, "__name__", node.target) not in NEW
        if not shares:
            return
