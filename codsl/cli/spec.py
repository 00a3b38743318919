"""The spec on the command line: its arguments, and what is said of its mistakes."""

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from codsl.cli.paint import painted, wanted
from codsl.diagnostics import Diagnostic, Findings, SpecError, escape, plural, render
from codsl.graph.graph import Graph
from codsl.mending import mendable
from codsl.pipeline import inspect
from codsl.source import Source
from codsl.spec.values import Evaluator, Hole, LayerValue, Scope, Value
from codsl.syntax.numbers import scalar
from codsl.syntax.text_form import read_expression

LONGEST = 256
"""Characters of a parameter's value at most, where it is an expression."""

SPEC = "a spec, `.yaml` or `.codsl`, or `codsl:NAME` of `codsl networks`"

_EXPRESSION = re.compile(r"""["'(]|[A-Za-z_]\w*\(""")


def declare_spec(parser: ArgumentParser, optional: bool = False) -> None:
    """A spec, its variant and its parameters."""
    how = "?" if optional else None
    parser.add_argument("spec", metavar="SPEC", nargs=how, help=SPEC)
    parser.add_argument("--variant", metavar="V", help="one of the spec's variants")
    parser.add_argument(
        "-p",
        "--param",
        metavar="N=V",
        action="append",
        default=[],
        type=parameter,
        dest="params",
        help="a parameter of the spec: a number, true, a text, (1, 2), relu; repeatable",
    )
    parser.add_argument(
        "--root",
        metavar="DIR",
        type=Path,
        help="the folder that no imported file lies outside of; that of the spec if left out",
    )


def read(options: Namespace) -> tuple[Graph | None, tuple[Diagnostic, ...]]:
    """The graph of the spec, None where it has mistakes, and all that there is to say of it."""
    return found_in(Path(options.spec), options)


def told(options: Namespace) -> Graph | None:
    """The graph of the spec, None where it has mistakes, once all that there is to say is shown."""
    graph, diagnostics = read(options)
    tell(diagnostics)
    return graph


def found_in(
    spec: Path | Source, options: Namespace
) -> tuple[Graph | None, tuple[Diagnostic, ...]]:
    """The same of another spec or text, with the variant and the parameters of the command."""
    try:
        params = dict(options.params)
        return inspect(spec, variant=options.variant, params=params, root=options.root)
    except SpecError as error:
        return None, error.diagnostics


def tell(diagnostics: Sequence[Diagnostic]) -> None:
    """Show what was found on stderr, and count it."""
    if not diagnostics:
        return
    coloured = wanted(sys.stderr)
    for each in diagnostics:
        shown = render(each)
        print(painted(shown) if coloured else shown, end="\n\n", file=sys.stderr)
    kinds = [each.severity for each in diagnostics]
    counts = [plural(kinds.count(kind), kind) for kind in ("error", "warning") if kind in kinds]
    print(", ".join(counts), file=sys.stderr)
    known = sorted({each.code for each in diagnostics})
    print(f"`codsl explain {' '.join(known)}` tells more", file=sys.stderr)
    if count := mendable(diagnostics):
        print(f"`codsl check --fix` mends {count} of them", file=sys.stderr)


def parameter(text: str) -> tuple[str, Any]:
    """The name and the value of `N=V`, as `codsl.check` takes them."""
    name, sign, written = text.partition("=")
    if not (name and sign):
        raise ArgumentTypeError(f"`{escape(text)}` is not NAME=VALUE")
    if not _EXPRESSION.match(written):
        return name, scalar(written)
    if len(written) > LONGEST:
        raise ArgumentTypeError(
            f"the value of `{escape(name)}` is longer than {LONGEST} characters"
        )
    return name, _plain(name, _worth(name, written))


def _worth(name: str, written: str) -> Value:
    """What an expression of the text form is worth."""
    findings = Findings()
    expression = read_expression(written, Source(f"-p {name}", written), findings)
    try:
        if expression is None:
            raise Hole
        return Evaluator(Scope({}), None, findings).layer(expression)
    except Hole:
        why = "; ".join(each.message for each in findings.diagnostics) or "it has no value"
        raise ArgumentTypeError(f"the value of `{escape(name)}`: {escape(why)}") from None


def _plain(name: str, value: Value) -> Any:
    """A value as plain data: a layer with arguments becomes a mapping, as in YAML."""
    if isinstance(value, tuple):
        return tuple(_plain(name, each) for each in value)
    if not isinstance(value, LayerValue):
        return value
    if any(key is None for key, _ in value.arguments):
        raise ArgumentTypeError(
            f"the value of `{escape(name)}`: name the arguments of `{value.name}`, "
            f"as in leaky_relu(negative_slope=0.1)"
        )
    return {value.name: {key: _plain(name, given.value) for key, given in value.arguments}}
