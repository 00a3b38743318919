"""The small mistakes that are tried on a source: which there are, and what they make of it."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator


@dataclass(frozen=True)
class Mutant:
    """A source with one mistake in it."""

    path: str
    scope: str
    line: int
    kind: str
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """What it is called in a list that outlives its line number."""
        return f"{self.path}:{self.scope}: {self.before} -> {self.after}"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}  {self.kind}: {self.before} -> {self.after}"


COMPARISONS: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.LtE(), ast.LtE: ast.Lt(), ast.Gt: ast.GtE(), ast.GtE: ast.Gt(), ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(), ast.Is: ast.IsNot(), ast.IsNot: ast.Is(), ast.In: ast.NotIn(),
    ast.NotIn: ast.In(),
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(), ast.Sub: ast.Add(), ast.Mult: ast.FloorDiv(), ast.FloorDiv: ast.Mult(),
    ast.Mod: ast.Mult(), ast.Div: ast.Mult(), ast.BitOr: ast.BitAnd(), ast.BitAnd: ast.BitOr(),
}  # fmt: skip
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
TWINS = {"min": "max", "max": "min", "any": "all", "all": "any"}
ADDED = (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break)
"""Statements without which a function still runs; assignments too, where they are not to names."""


def mutants_of(path: str, text: str, names: Container[str] | None = None) -> list[Mutant]:
    """Every mutant of a source, or those of these names."""
    tree = ast.parse(text)
    declared = _declarations(tree)
    found = []
    for node, parents in _walk(tree, ()):
        if node in declared or any(parent in declared for parent in parents):
            continue
        for kind, new in _mistakes(node):
            place = _place(node, parents[-1])
            scope = ".".join(each.name for each in parents if isinstance(each, SCOPES))
            mutant = Mutant(path, scope, node.lineno, kind, *_shown(node, place, new), "")
            if names is not None and mutant.name not in names:
                continue
            changed = _exchanged(tree, place, new)
            if _is_python(changed):
                found.append(replace(mutant, source=changed))
    return found


def _walk(
    node: ast.AST, parents: tuple[ast.AST, ...]
) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    for child in ast.iter_child_nodes(node):
        yield child, (*parents, node)
        yield from _walk(child, (*parents, node))


def _declarations(tree: ast.AST) -> set[ast.AST]:
    """What only declares: types, decorators, and what a module shows."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        types = [getattr(node, name, None) for name in ("annotation", "returns")]
        found.update(each for each in types if each is not None)
        found.update(getattr(node, "decorator_list", ()))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found.add(node)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            found.add(node)
    return found


def _mistakes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What could stand in place of a node."""
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                flipped = [*ops[:at], COMPARISONS[type(op)], *ops[at + 1 :]]
                yield "comparison", _with(node, ops=flipped)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in ARITHMETIC:
            yield "arithmetic", _with(node, op=ARITHMETIC[type(op)])
        case ast.BoolOp(op=op):
            yield "and, or", _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield "sign", operand
        case ast.Constant(value=bool(value)):
            yield "constant", _with(node, value=not value)
        case ast.Constant(value=int(value)):
            yield "constant", _with(node, value=value + 1)
            if value:
                yield "constant", _with(node, value=value - 1)
        case ast.Call(func=ast.Name(id=name)) if name in TWINS:
            yield "twin", _with(node, func=ast.Name(TWINS[name], ast.Load()))
        case ast.IfExp(body=body, orelse=orelse):
            yield "condition", body
            yield "condition", orelse
        case ast.If(test=test) | ast.While(test=test) if not isinstance(test, ast.Compare):
            yield "condition", _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield "nothing returned", ast.Return(ast.Constant(None))
    if _can_be_left_out(node):
        yield "left out", ast.Pass()


def _can_be_left_out(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return not isinstance(node.targets[0], ast.Name | ast.Tuple)
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return isinstance(node, ADDED) and not text


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _with(node: ast.AST, **fields: object) -> ast.AST:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


Place = tuple[ast.AST, str, int | None]
"""A node's parent, the field in it, and where in a list."""


def _place(node: ast.AST, parent: ast.AST) -> Place:
    for name, value in ast.iter_fields(parent):
        if value is node:
            return parent, name, None
        if isinstance(value, list):
            for at, each in enumerate(value):
                if each is node:
                    return parent, name, at
    raise LookupError(ast.dump(node))


def _exchanged(root: ast.AST, place: Place, new: ast.AST) -> str:
    """The source of `root` with another node in a place."""
    holder, field, at = place
    old = getattr(holder, field)
    setattr(holder, field, new if at is None else [*old[:at], new, *old[at + 1 :]])
    try:
        return ast.unparse(root) + "\n"
    finally:
        setattr(holder, field, old)


def _is_python(text: str) -> bool:
    try:
        compile(text, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _shown(node: ast.AST, place: Place, new: ast.AST) -> tuple[str, str]:
    """The first line of a node and of what stands for it; a constant with what it stands in."""
    holder = place[0]
    if isinstance(node, ast.Constant) and isinstance(holder, ast.expr | ast.keyword):
        return _first(ast.unparse(holder)), _first(_exchanged(holder, place, new))
    return _first(ast.unparse(node)), _first(ast.unparse(new))


def _first(text: str) -> str:
    return text.splitlines()[0]
