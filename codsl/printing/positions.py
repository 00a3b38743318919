"""Arguments by position and by name: the formatted file has one way, YAML knows names only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, final

from codsl.source import Source, Span
from codsl.syntax import tree
from codsl.syntax.words import POSITIONAL


@final
@dataclass(frozen=True)
class Order:
    """The arguments that a layer takes by position, and how many of them are written so."""

    names: tuple[str, ...]
    placed: int = 0

    def leading(self, arguments: Sequence[tree.Argument]) -> int:
        """How many arguments from the first on stand by position in the text form."""
        usual = self.names[: self.placed]
        pairs = zip(usual, arguments, strict=False)
        unusual = (at for at, (name, each) in enumerate(pairs) if not _is(each, name))
        return next(unusual, min(len(usual), len(arguments)))


Orders = Mapping[str, Order]
"""The order of the arguments of each layer that is known."""

CONSTRUCTS = {kind: Order(names, 1) for kind, names in POSITIONAL.items()}
"""The order of the arguments of the language's own constructs."""


def _is(argument: tree.Argument, name: str) -> bool:
    return argument.name is not None and argument.name.text == name


def named(document: tree.Document, orders: Orders) -> tree.Document:
    """The document with a name for each argument of a layer or a template whose order is known."""
    templates = {
        each.name.text: Order(tuple(one.name.text for one in each.parameters))
        for each in document.templates
    }
    known = {name: order for name, order in orders.items() if name not in templates}

    def order(node: Any) -> Order | None:
        if isinstance(node, tree.Layer):
            return (templates if node.local else orders).get(node.type.text)
        return known.get(node.function.text) if isinstance(node, tree.Call) else None

    def renewed(node: Any) -> Any:
        if isinstance(node, tuple):
            return tuple(map(renewed, node))
        if not hasattr(node, "__dataclass_fields__") or isinstance(node, Span | Source):
            return node
        parts = {part.name: getattr(node, part.name) for part in fields(node)}
        fresh = {name: renewed(part) for name, part in parts.items()}
        if (found := order(node)) is not None:
            fresh["arguments"] = tuple(_named(fresh["arguments"], found))
        changed = {name: part for name, part in fresh.items() if part is not parts[name]}
        return replace(node, **changed) if changed else node

    return renewed(document)  # type: ignore[no-any-return]


def _named(arguments: Sequence[tree.Argument], order: Order) -> Iterator[tree.Argument]:
    """The arguments by name; where a name would stand twice, the argument stays as it is."""
    taken = {each.name.text for each in arguments if each.name}
    left = iter(order.names)
    for each in arguments:
        name = None if each.name else next(left, None)
        if name is None or name in taken:
            yield each
        else:
            yield tree.Argument(tree.Name(name, each.value.span), each.value)
