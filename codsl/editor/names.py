"""The names that a document gives to values, parameters and templates."""

from collections.abc import Iterator

from codsl.syntax import tree


def parameters(document: tree.Document | None, template: str) -> tuple[tree.Parameter, ...]:
    """What can be used as a value in a template, or, where it is empty, in the network."""
    if document is None:
        return ()
    if not template:
        return document.parameters
    return next((each.parameters for each in document.templates if each.name.text == template), ())


def templates(document: tree.Document | None) -> dict[str, tree.Template]:
    """The templates of the file by name."""
    return {each.name.text: each for each in document.templates} if document else {}


def locals_of(document: tree.Document | None, template: str) -> list[str]:
    """The names that `let` gives, and those of indices, in a template or in the network."""
    found = []
    for node in _walk(_body(document, template)):
        if isinstance(node, tree.Let):
            found += [name.text for name, _ in node.bindings]
        elif isinstance(node, tree.Repeat) and node.index:
            found.append(node.index.text)
    return list(dict.fromkeys(found))


def values_of(document: tree.Document | None, template: str) -> list[str]:
    """The names of layers and blocks, in a template or in the network."""
    named = (getattr(node, "name", None) for node in _walk(_body(document, template)))
    return list(dict.fromkeys(name.text for name in named if name))


def blocks_of(document: tree.Document | None) -> Iterator[tuple[str, tree.Name]]:
    """The paths of the network's own blocks and uses of templates, as patterns for those of a
    graph, each with its name where it was written; a join says of itself what it gives."""
    yield from _blocks(_body(document, ""), "")


def _blocks(body: tuple[tree.Statement, ...], prefix: str) -> Iterator[tuple[str, tree.Name]]:
    for node in body:
        match node:
            case tree.When():
                yield from _blocks((*node.body, *node.otherwise), prefix)
            case tree.Repeat():
                yield f"{prefix}{node.name.text}-?[0-9]+", node.name
            case tree.Layer() if node.name and node.local:
                yield f"{prefix}{node.name.text}", node.name
            case tree.Block() | tree.PerFrame() | tree.Residual() | tree.Parallel():
                inner = f"{prefix}{node.name.text}\\." if node.name else prefix
                if node.name and isinstance(node, tree.Block | tree.PerFrame):
                    yield f"{prefix}{node.name.text}", node.name
                if not isinstance(node, tree.Parallel):
                    yield from _blocks(node.body, inner)


def _body(document: tree.Document | None, template: str) -> tuple[tree.Statement, ...]:
    if document is None:
        return ()
    if template:
        return next((each.body for each in document.templates if each.name.text == template), ())
    return document.body


def _walk(node: object) -> Iterator[object]:
    """The statements below a node, in the order written."""
    if isinstance(node, tree.Statement | tree.Branch):
        yield node
    if isinstance(node, tuple | tree.Statement | tree.Branch):
        for child in tree.children(node):
            yield from _walk(child)
