"""The laws of the house as functions of sources, so that they can be tried on planted ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "codsl"
Sources = Mapping[str, str]
parsed = lru_cache(None)(ast.parse)


@cache
def nodes(text: str) -> tuple[ast.AST, ...]:
    """All nodes of a source."""
    return tuple(ast.walk(parsed(text)))


BASE = {"source", "diagnostics", "mending", "writing"}
ORDER: dict[str, set[str]] = {
    "source": set(),
    "diagnostics": {"source"},
    "mending": {"source", "diagnostics"},
    "explanations": set(),
    "writing": set(),
    "garbage": set(),
    "shipped": set(),
    "algebra": set(),
    "layers": {"algebra"},
    "syntax": BASE,
    "printing": BASE | {"syntax"},
    "spec": BASE | {"algebra", "layers", "syntax"},
    "graph": BASE | {"algebra", "layers", "spec"},
    "report": BASE | {"algebra", "layers", "spec", "graph"},
    "nn": {"writing", "algebra", "layers", "graph"},
    "media": {"algebra"},
    "weights": BASE | {"algebra", "layers", "spec", "graph", "nn"},
    "native": set(),
    "engine": {"algebra", "layers", "graph", "nn", "native"},
    "bench": BASE
    | {"garbage", "algebra", "layers", "graph", "report", "nn", "engine", "network", "pipeline"},
    "export": {"diagnostics", "algebra", "layers", "graph", "nn", "engine", "native"},
    "network": {"algebra", "layers", "graph", "nn", "weights", "engine", "export"},
    "testing": {*BASE, "algebra", "layers", "graph", "nn", "network", "pipeline"},
    "pipeline": {
        *BASE,
        "shipped",
        "garbage",
        "algebra",
        "layers",
        "syntax",
        "spec",
        "graph",
        "nn",
        "weights",
        "network",
    },
    "surfaces": {*BASE, "layers", "syntax", "printing", "pipeline"},
    "editor": {*BASE, "layers", "syntax", "spec", "graph", "pipeline", "surfaces"},
    "pretrained": {*BASE, "syntax", "graph", "weights", "network", "pipeline"},
}
"""What each room may import; the command line and the package itself may import all."""

WITHIN: dict[str, set[str]] = {
    "codsl.nn.functions": set(),
    "codsl.nn.running": {"codsl.nn.functions"},
    "codsl.nn.attention": {"codsl.nn.functions", "codsl.nn.running"},
    "codsl.nn.tracing": {"codsl.nn.running"},
}
"""What each room inside of `nn` may import of the others; the files beside them may import all."""

DOORS = {"codsl.weights": {"pretrained"}}
"""Modules that hand on what is made of their room and of those above it."""
FREE = {"cli", "__main__", "__init__"}
LOADERS = {
    "nn",
    "native",
    "network",
    "weights",
    "engine",
    "export",
    "bench",
    "testing",
    "pretrained",
}
"""The rooms that may load torch when they are imported."""

LAZY = {"pipeline", "cli"}
"""The rooms that may load torch, or a room that does, when a function is called."""


@dataclass(frozen=True)
class Import:
    """A module that another names; `late` where only a function does."""

    module: str
    line: int
    late: bool


def sources(package: Path = PACKAGE) -> dict[str, str]:
    """The sources of a package, by the dotted name of the module."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        dotted = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[dotted] = path.read_text(encoding="utf-8")
    return found


def room(module: str) -> str:
    """The room that a module of the package is in."""
    return module.split(".")[1] if "." in module else "__init__"


def imports(text: str, known: Sources, typed: bool = False) -> Iterator[Import]:
    """What a source imports; with `typed` also what only a type checker reads."""
    for source, name, line, late in _imports(text, typed):
        inner = f"{source}.{name}"
        yield Import(inner if inner in known else source, line, late)


@cache
def _imports(text: str, typed: bool) -> tuple[tuple[str, str | None, int, bool], ...]:
    """Each import of a source: the module, what is taken of it, the line, and whether late."""
    return tuple(_imports_in(parsed(text), False, typed))


def _imports_in(
    node: ast.AST, late: bool, typed: bool
) -> Iterator[tuple[str, str | None, int, bool]]:
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not typed:
        for child in node.orelse:
            yield from _imports_in(child, late, typed)
        return
    if isinstance(node, ast.Import):
        yield from ((alias.name, None, node.lineno, late) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        yield from ((str(node.module), alias.name, node.lineno, late) for alias in node.names)
    late = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _imports_in(child, late, typed)


def wrong_ways(given: Sources) -> list[str]:
    """Imports that go against the order of the rooms, those of type checkers included."""
    found = []
    for module, text in given.items():
        here = room(module)
        if here in FREE:
            continue
        if here not in ORDER:
            found.append(f"{module}: its room has no place in the order")
            continue
        for each in imports(text, given, typed=True):
            if each.module.split(".")[0] != "codsl" or room(each.module) == here:
                continue
            if room(each.module) not in ORDER[here] | DOORS.get(module, set()):
                found.append(f"{module}:{each.line}: `{here}` imports `{each.module}`")
    return found


def wrong_ways_within(given: Sources) -> list[str]:
    """Imports that go against the order of the rooms inside of `nn`."""
    found = []
    for module, text in given.items():
        here = _inner(module)
        if here is None:
            continue
        if here not in WITHIN:
            found.append(f"{module}: its room has no place in the order")
            continue
        for each in imports(text, given, typed=True):
            there = _inner(each.module)
            if there is not None and there not in WITHIN[here] | {here}:
                found.append(f"{module}:{each.line}: `{here}` imports `{each.module}`")
    return found


def _inner(module: str) -> str | None:
    """The room inside of `nn` that a module is in, or that it is; None for all others."""
    parts = module.split(".")
    inner = ".".join(parts[:3])
    return inner if parts[:2] == ["codsl", "nn"] and (inner in WITHIN or len(parts) > 3) else None


def cycles(given: Sources) -> list[str]:
    """Modules that import one another when they are loaded."""
    edges = {
        module: {each.module for each in imports(text, given) if each.module in given}
        for module, text in given.items()
    }
    done: set[str] = set()
    found: list[str] = []

    def visit(module: str, above: tuple[str, ...]) -> None:
        if module in above:
            found.append(" -> ".join((*above[above.index(module) :], module)))
        elif module not in done:
            for target in sorted(edges[module] - {module}):
                visit(target, (*above, module))
            done.add(module)

    for module in given:
        visit(module, ())
    return found


def loads_torch(given: Sources) -> set[str]:
    """The modules that load torch when they are imported."""
    direct = {
        module: [each.module for each in imports(text, given) if not each.late]
        for module, text in given.items()
    }
    loading = {
        module
        for module, names in direct.items()
        if any(re.match(r"torch(\.|$)", name) for name in names)
    }
    while True:
        more = {module for module, names in direct.items() if loading & set(names)} - loading
        if not more:
            return loading
        loading |= more


def torch_out_of_place(given: Sources) -> list[str]:
    """Modules that load torch when imported and may not, and functions that load it elsewhere."""
    loading = loads_torch(given)
    found = [
        f"{module}: loads torch when it is imported"
        for module in sorted(loading)
        if room(module) not in LOADERS and not module.startswith("codsl.cli.")
    ]
    for module, text in given.items():
        for each in imports(text, given):
            heavy = each.module.split(".")[0] == "torch" or each.module in loading
            if each.late and heavy and room(module) not in LAZY:
                found.append(f"{module}:{each.line}: a function loads `{each.module}`")
    if loading & {"codsl", "codsl.cli.main", "codsl.pipeline"}:
        found.append("the front door loads torch")
    return found


def asserts(given: Sources) -> list[str]:
    """Assertions outside of tests."""
    return [
        f"{module}:{node.lineno}: assert"
        for module, text in given.items()
        for node in nodes(text)
        if isinstance(node, ast.Assert)
    ]


def prints(given: Sources) -> list[str]:
    """What `nn` prints."""
    return [
        f"{module}:{node.lineno}: prints"
        for module, text in given.items()
        if room(module) == "nn"
        for node in nodes(text)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[0] in ("print", "sys")
    ]


def type_questions(given: Sources) -> list[str]:
    """Comparisons and matches in `graph` that ask which layer a node is."""
    found = []
    for module, text in given.items():
        if room(module) != "graph":
            continue
        for node in nodes(text):
            asked: list[ast.expr] = []
            if isinstance(node, ast.Compare):
                asked = [node.left, *node.comparators]
            elif isinstance(node, ast.Match):
                asked = [node.subject]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                methods = ("startswith", "endswith", "get")
                asked = [node.func.value, *node.args] if node.func.attr in methods else []
            elif isinstance(node, ast.Subscript):
                asked = [node.slice]
            if any(isinstance(each, ast.Attribute) and each.attr == "type" for each in asked):
                found.append(f"{module}:{node.lineno}: {ast.unparse(node)[:60]}")
    return found


def layers_in_grammar(grammar: str, names: set[str]) -> set[str]:
    """The layers that a grammar names."""
    text = re.sub(r"//[^\n]*", "", grammar)
    return set(re.findall(r"[A-Za-z_0-9]+", text)) & names


def layers_in_strings(given: Sources, where: str, names: set[str]) -> list[str]:
    """The layers that the sources of a room name in a string of their own."""
    return [
        f"{module}:{node.lineno}: {node.value!r}"
        for module, text in given.items()
        if room(module) == where
        for node in nodes(text)
        if isinstance(node, ast.Constant) and node.value in names
    ]
