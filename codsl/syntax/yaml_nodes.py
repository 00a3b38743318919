"""The nodes of a YAML document, once it is known to be of a bounded size, and where they stand."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from codsl.diagnostics import Applicability, Edit, Findings, Help, Label
from codsl.source import Source, Span
from codsl.syntax import holes
from codsl.syntax.brackets import whole_entry
from codsl.syntax.cut import mend
from codsl.syntax.numbers import scalar

DEEPEST = 240
"""Levels of YAML at most; a block of the language takes three."""
MOST_NODES = 250_000
"""Nodes of a file at most."""
MOST_ALIASED = 20_000
"""Nodes at most in a file with aliases, each counted as often as it is named."""

_BRACES = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_TAG = re.compile(r"!!\w+[ ]+")
_PLAIN = ("int", "float", "str", "bool", "null", "seq", "map")
"""The types that a value has by its looks."""
STANDARD = "tag:yaml.org,2002:"
"""What YAML reads `!!` as."""
MERGE = "what layers have in common is the parameter of a template"

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compose(source: Source, findings: Findings) -> yaml.Node | None:
    """The nodes of the file, once it is known to be of a bounded size and depth."""
    depth = nodes = aliases = 0
    for event in yaml.parse(source.text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        nodes += isinstance(event, yaml.NodeEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        tag: Any = None if isinstance(event, yaml.AliasEvent) else getattr(event, "tag", None)
        if depth <= DEEPEST and nodes <= MOST_NODES and tag is None:
            continue
        at = source.span(_index(event.start_mark), _index(event.end_mark))
        if depth > DEEPEST:
            findings.add("E0106", "this is nested too deeply to be read", at)
            return None
        if nodes > MOST_NODES:
            findings.add("E0106", f"a file has at most {MOST_NODES} values", at)
            return None
        findings.add(
            "E0105",
            f"the tag `{tag.replace(STANDARD, '!!')}` is not read",
            at,
            notes=("a spec is data: nothing in it names or runs code",),
            helps=_untagged(at, tag),
        )
        return None
    root = yaml.compose(source.text, Loader=Loader)
    if root is None:
        helps = ("start it with `codsl: 1` for YAML, with `codsl 1` for the text form",)
        findings.add("E0201", "the file is empty", source.span(0, 0), helps=helps)
        return None
    if aliases and not _bounded(root, source, findings):
        return None
    return root


def _untagged(at: Span, tag: str) -> list[Help]:
    """A value without the name of its type, where that is one of YAML's own."""
    found = _TAG.match(at.text)
    if found is None or tag.removeprefix(STANDARD) not in _PLAIN:
        return []
    return [Help("leave it out", (Edit(at.source.span(at.start, at.start + found.end()), ""),))]


class _Loop(Exception):
    """A node that contains itself."""

    def __init__(self, node: yaml.Node) -> None:
        super().__init__()
        self.node = node


def _bounded(root: yaml.Node, source: Source, findings: Findings) -> bool:
    """Whether aliases neither loop nor multiply beyond all use."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in open_nodes:
            raise _Loop(node)
        if id(node) not in sizes:
            open_nodes.add(id(node))
            sizes[id(node)] = 1 + sum(size(child) for child in _children(node))
            open_nodes.discard(id(node))
        return sizes[id(node)]

    try:
        total = size(root)
    except _Loop as loop:
        at = span_of(source, loop.node)
        findings.add("E0106", "this contains an alias of itself", at)
        return False
    if total > MOST_ALIASED:
        findings.add(
            "E0106",
            f"the aliases expand to {total} values, more than {MOST_ALIASED}",
            span_of(source, root),
            helps=("use a template or `repeat`",),
        )
        return False
    return True


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _index(mark: Any) -> int:
    return int(mark.index)


def span_of(source: Source, node: yaml.Node) -> Span:
    """Where a node stands; a block of many lines is shown by its first."""
    start, end = _index(node.start_mark), _index(node.end_mark)
    if not isinstance(node, yaml.ScalarNode) and node.end_mark.line != node.start_mark.line:
        line, column = source.position(start)
        end = start + max(1, len(source.line(line).rstrip()) - column + 1)
    elif isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        end = start + len(source.text[start:end].rstrip())
    return source.span(start, max(end, start))


def entry(node: yaml.Node, key: object) -> tuple[yaml.Node, yaml.Node]:
    """The key and the value of a mapping's entry, as nodes."""
    for known, value in node.value:
        if isinstance(known, yaml.ScalarNode) and (known.value == key or scalar_of(known) == key):
            return known, value
    return node, node


def scalar_of(node: yaml.ScalarNode) -> int | float | bool | str | None:
    """The value of a scalar: in quotes it is a text."""
    return scalar(node.value) if not node.style else str(node.value)


class Plain:
    """From nodes to plain data, as JSON has it; keys are texts and stand once."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self._source = source
        self._findings = findings
        self.bad: set[int] = set()
        """The nodes that lack something which could not be read."""

    def _run_together(self, key: yaml.ScalarNode, value: yaml.Node) -> bool:
        """Report a key and its value without the space that would tell them apart."""
        sign = key.value.find(":")
        nothing = isinstance(value, yaml.ScalarNode) and not value.value and not value.style
        if sign <= 0 or key.style or not nothing:
            return False
        start, end = _index(key.start_mark), _index(key.end_mark)
        at = self._source.span(start, end)
        behind = self._source.span(start + sign + 1, start + sign + 1)
        helps = [Help("put a space behind the `:`", (Edit(behind, " "),), Applicability.SURE)]
        self._findings.add("E0204", f"YAML reads `{at.text}` as one word", at, helps=helps)
        return True

    def _no_key(self, node: yaml.Node, at: Span) -> None:
        """Report a mapping in the place of a key, as of `{{ name }}`."""
        whole = span_of(self._source, node)
        braces = _BRACES.fullmatch(whole.text)
        if braces is None:
            self._findings.add("E0201", "a key is a word", at, helps=holes.whole(at))
            return
        self.bad.add(id(node))
        write = Help(f"write `${braces[1]}`", (Edit(whole, f"${braces[1]}"),), Applicability.SURE)
        self._findings.add("E0101", "values are not named by `{{...}}`", whole, helps=(write,))

    def _without(self, key: yaml.Node, value: yaml.Node) -> list[Help]:
        """The remedy for a key that stands twice: without the second."""
        start, end = _index(key.start_mark), _index(value.end_mark)
        if value.end_mark.line != key.start_mark.line:
            return []
        whole = whole_entry(self._source.span(start, end))
        return [Help("leave one of them out", (Edit(whole, ""),))]

    def read(self, node: yaml.Node) -> Any:
        """The data of a node; reports keys that stand twice."""
        if isinstance(node, yaml.ScalarNode):
            return scalar_of(node)
        mend(node, self._source, self._findings)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item) for item in node.value]
        data: dict[str, Any] = {}
        first: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._no_key(node, span_of(self._source, key))
                continue
            if key.value == "<<" and not key.style:
                at = span_of(self._source, key)
                self._findings.add("E0108", "merge keys are not read", at, helps=(MERGE,))
                self.bad.add(id(node))
                continue
            if self._run_together(key, value):
                self.bad.add(id(node))
                continue
            if key.value in first:
                at = span_of(self._source, key)
                there = Label(span_of(self._source, first[key.value]), "first here")
                message = f"the key `{key.value}` stands here twice"
                self._findings.add("E0107", message, at, there, helps=self._without(key, value))
                continue
            first[key.value] = key
            data[key.value] = self.read(value)
        return data
