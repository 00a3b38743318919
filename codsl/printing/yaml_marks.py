"""The comments and collections of a source in YAML: what the parser leaves out."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, TypeGuard

import yaml

from codsl.printing.marks import Comment, Enclosure, Marks, comments_of, ordered
from codsl.syntax.yaml_nodes import Loader

_COMMENT = re.compile(r"(?:^|(?<=[\s\[\]{},\"']))#[^\n]*", re.MULTILINE)
_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(#[^\n]*)")
_HOLDERS = ("inputs", "outputs", "params", "variants", "import", "templates", "layers", "weights")


def yaml_marks(text: str) -> Marks:
    """The marks of a text that is YAML."""
    root: Any = yaml.compose(text, Loader=Loader)
    comments = comments_of(text, sorted(_comments(text, root)))
    enclosures = ordered(_enclosures(text, root, comments, -1))
    entries = {key.value: (key, value) for key, value in root.value}
    places = {
        word: entries[word][0].start_mark.index for word in ("codsl", "doc") if word in entries
    }
    keys = {
        word: (entries[word][0].start_mark.index, _end(entries[word][1]))
        for word in _HOLDERS
        if word in entries
    }
    return Marks(text, comments, enclosures, places, True, keys, dict(_values(root)))


def _values(node: yaml.Node) -> Iterator[tuple[int, tuple[int, int]]]:
    """The values of keys that end where they are seen to, as `Marks` has them."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        start, end = value.start_mark.index, value.end_mark.index
        block = value.style in ("|", ">") if _is_scalar(value) else not value.flow_style
        if not block and end > start:
            yield end - 1, (key.start_mark.index, start)
    for child in _children(node):
        yield from _values(child)


def _is_scalar(node: yaml.Node) -> TypeGuard[yaml.ScalarNode]:
    return isinstance(node, yaml.ScalarNode)


def _comments(text: str, root: yaml.Node) -> Iterator[tuple[int, int]]:
    """Where comments stand: in what no scalar covers, and in the first line of a block of text."""
    at = 0
    for scalar in sorted(_scalars(root, set()), key=lambda node: node.start_mark.index):
        yield from (found.span() for found in _COMMENT.finditer(text, at, scalar.start_mark.index))
        at = max(at, _end(scalar))
        header = (
            _HEADER.match(text, scalar.start_mark.index) if scalar.style in ("|", ">") else None
        )
        if header is not None:
            yield header.span(1)
    yield from (found.span() for found in _COMMENT.finditer(text, at))


def _scalars(node: yaml.Node, seen: set[int]) -> Iterator[yaml.ScalarNode]:
    """The scalars of a document, each once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        yield node
    for child in _children(node):
        yield from _scalars(child, seen)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _end(node: Any) -> int:
    """Where a node ends; the mark of a collection without brackets is that of what follows."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _enclosures(
    text: str, node: Any, comments: tuple[Comment, ...], outer: int
) -> Iterator[Enclosure]:
    """The collections of a node; `outer` is the column of the one that it is in."""
    if isinstance(node, yaml.ScalarNode):
        return
    start, column = int(node.start_mark.index), int(node.start_mark.column)
    if node.flow_style:
        yield Enclosure(start, int(node.end_mark.index) - 1, True)
    else:
        end = _extended(text, _end(node), comments, max(column, outer + 1))
        yield Enclosure(start - isinstance(node, yaml.MappingNode), end, False)
    for child in _children(node):
        yield from _enclosures(text, child, comments, outer if node.flow_style else column)


def _extended(text: str, end: int, comments: tuple[Comment, ...], column: int) -> int:
    """The end of a collection with the comments below it that are indented as it is."""
    first = bisect_left(comments, end, key=lambda each: each.start)
    for comment in comments[first:]:
        line = text.rfind("\n", 0, comment.start) + 1
        if text[end : comment.start].strip() or (comment.alone and comment.start - line < column):
            break
        end = comment.start + len(comment.text)
    return end + 1
