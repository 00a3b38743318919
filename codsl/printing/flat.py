"""Statements of the text form on one line."""

from collections.abc import Sequence
from typing import assert_never

from codsl.printing.expressions import Writer
from codsl.syntax import tree

GAP = "  "
"""What stands between two statements on one line."""


def statement(node: tree.Statement, writer: Writer) -> str:
    """A statement on one line."""
    match node:
        case tree.Repeat():
            return f"{heading(node, writer)}{_named(node.statement, writer)}"
        case tree.Let(bindings):
            return "let " + ", ".join(
                f"{name.text} = {writer.expression(value)}" for name, value in bindings
            )
        case tree.When(test, then, otherwise):
            text = f"when {writer.expression(test)} {body(then, writer)}"
            if (chained := chain(node)) is not None:
                return f"{text} else {statement(chained, writer)}"
            return text + (f" else {body(otherwise, writer)}" if otherwise else "")
        case _:
            return _named(node, writer)


def _named(node: tree.Statement, writer: Writer) -> str:
    """A statement that may have a name, without what a repetition begins with."""
    text = f"{name(node)}{_made(node, writer)}"
    found = getattr(node, "sources", ())
    return f"{text} {sources(found)}" if found else text


def _made(node: tree.Statement, writer: Writer) -> str:
    match node:
        case tree.Layer():
            return made(node, writer)
        case tree.Join():
            return f"join{given('join', node.arguments, writer)}"
        case tree.Block():
            return body(node.body, writer)
        case tree.PerFrame():
            return f"per_frame {body(node.body, writer)}"
        case tree.Residual():
            text = f"residual{given('residual', node.arguments, writer)} {body(node.body, writer)}"
            return text + (f" shortcut {body(node.shortcut, writer)}" if node.shortcut else "")
        case tree.Parallel():
            inner = GAP.join(branch(each, writer) for each in node.branches)
            return f"parallel{given('parallel', node.arguments, writer)} {braced(inner)}"
        case tree.Let() | tree.When() | tree.Repeat():
            return statement(node, writer)
        case tree.Broken():
            raise ValueError("what could not be read cannot be written")
        case _:
            assert_never(node)


def made(node: tree.Layer, writer: Writer) -> str:
    """A layer with its arguments."""
    return f"{node.type.text}{given(node.type.text, node.arguments, writer)}"


def given(kind: str, arguments: Sequence[tree.Argument], writer: Writer) -> str:
    """Arguments in brackets, which are left out where there are none."""
    return f"({', '.join(writer.arguments(kind, arguments))})" if arguments else ""


def name(node: object) -> str:
    """What stands before something that has a name."""
    found = getattr(node, "name", None)
    return f"{found.text} = " if isinstance(found, tree.Name) else ""


def heading(node: tree.Repeat, writer: Writer) -> str:
    """What a repetition begins with."""
    index = f"{node.index.text} in " if node.index else ""
    ends = f"{writer.expression(node.first)}..{writer.expression(node.last)}"
    step = f" step {writer.expression(node.step)}" if node.step is not None else ""
    return f"{node.name.text}[{index}{ends}{step}] = "


def branch(node: tree.Branch, writer: Writer) -> str:
    """A branch on one line."""
    return f"{node.name.text} {body(node.body, writer)}" if node.name else body(node.body, writer)


def variant(node: tree.Variant, writer: Writer) -> str:
    """A variant on one line."""
    values = (f"{key(each)}{writer.expression(each.value)}" for each in node.values)
    return f"variant {node.name.text} {braced(GAP.join(values))}"


def key(node: tree.Argument) -> str:
    """What stands before a value that is set."""
    return f"{node.name.text} = " if node.name else ""


def body(statements: Sequence[tree.Statement], writer: Writer) -> str:
    """Statements side by side, in braces."""
    return braced(GAP.join(statement(each, writer) for each in statements))


def braced(inner: str) -> str:
    """Something in braces."""
    return f"{{ {inner} }}" if inner else "{}"


def sources(selectors: Sequence[tree.Selector]) -> str:
    """Where a value comes from."""
    return "from " + ", ".join(each.text for each in selectors)


def chain(node: tree.When) -> tree.When | None:
    """The condition that is asked where this one is not met, if that is all."""
    match node.otherwise:
        case (tree.When() as inner,):
            return inner
    return None
