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
