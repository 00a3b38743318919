"""What comes from outside: the parameters, the chosen variant, and the frames that enter."""

from collections.abc import Mapping
from typing import Any

from codsl.algebra.shape import Frame
from codsl.diagnostics import Edit, Findings, Help, suggest
from codsl.layers.arguments import LARGEST
from codsl.source import Source, Span
from codsl.spec.bind import typed
from codsl.spec.values import Evaluator, Given, Hole, LayerValue, Scope, Value, describe
from codsl.syntax import tree

NOWHERE = Source("<parameters>", "")
DEEPEST = 8
"""Tuples and layers inside one another at most."""


def parameters(
    document: tree.Document, variant: str | None, params: Mapping[str, Any], findings: Findings
) -> Scope:
    """The network's parameters: params over variant over default."""
    scope = Scope({})
    evaluator = Evaluator(scope, None, findings)
    declared = {parameter.name.text: parameter for parameter in document.parameters}
    chosen = _variants(document, variant, declared, findings)
    for name in params:
        if name not in declared:
            near = suggest(str(name), declared)[:1]
            known = ", ".join(f"`{each}`" for each in declared) or "none"
            findings.add(
                "E0312",
                f"the network has no parameter `{name}`",
                helps=[f"did you mean `{each}`?" for each in near]
                or (f"its parameters are {known}",),
            )
    for name, parameter in declared.items():
        value: Value | type[Hole] = Hole
        try:
            if name in params:
                value = typed(parameter, _outside(name, params[name], findings), None, findings)
            elif name in chosen:
                written = chosen[name]
                value = typed(parameter, evaluator.layer(written), written.span, findings)
            elif parameter.default is not None:
                worth = evaluator.layer(parameter.default)
                value = typed(parameter, worth, parameter.default.span, findings)
            else:
                findings.add(
                    "E0314",
                    f"the parameter `{name}` has no value",
                    parameter.name.span,
                    helps=("give it a default, or a value from outside",),
                )
        except Hole:
            value = Hole
        scope.set(name, value)
    return scope


def _variants(
    document: tree.Document,
    variant: str | None,
    declared: Mapping[str, tree.Parameter],
    findings: Findings,
) -> dict[str, tree.Expression]:
    """The values of the chosen variant; every variant is checked for what it sets."""
    chosen: dict[str, tree.Expression] = {}
    for each in document.variants:
        for value in each.values:
            name = value.name
            if name is not None and name.text not in declared:
                near = suggest(name.text, declared)[:1]
                helps = [Help(f"did you mean `{word}`?", (Edit(name.span, word),)) for word in near]
                findings.add(
                    "E0312", f"the network has no parameter `{name.text}`", name.span, helps=helps
                )
            elif name is not None and each.name.text == variant:
                chosen[name.text] = value.value
    known = [each.name.text for each in document.variants]
    if variant is not None and variant not in known:
        listed = ", ".join(f"`{name}`" for name in known) or "none"
        findings.add(
            "E0312", f"there is no variant `{variant}`", helps=(f"the variants are {listed}",)
        )
    return chosen


def _outside(name: str, value: Any, findings: Findings, depth: int = 0) -> Value:
    """A parameter's value as Python or the command line gives it."""
    if isinstance(value, list | tuple) and depth < DEEPEST:
        return tuple(_outside(name, each, findings, depth + 1) for each in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict) and len(value) == 1 and depth < DEEPEST:
        ((layer, settings),) = value.items()
        if isinstance(layer, str) and isinstance(settings, dict | None):
            nowhere = Span(NOWHERE, 0, 0)
            return LayerValue(
                layer,
                tuple(
                    (str(key), Given(_outside(name, each, findings, depth + 1), nowhere))
                    for key, each in (settings or {}).items()
                ),
            )
    findings.add(
        "E0312",
        f"the parameter `{name}` cannot be of type `{type(value).__name__}`",
        helps=("give a number, a text, true or false, a tuple, or a layer",),
    )
    raise Hole


def inlet_of(
    document: tree.Document, scope: Scope, findings: Findings
) -> tuple[Frame, float | None] | None:
    """The frame that enters and its rate, or None where they are not well given."""
    inlet = document.input
    if inlet is None:
        if document.name is not None or document.body:
            at = document.name.span if document.name else document.source.span(0, 0)
            findings.add(
                "E0202",
                "the network has no input",
                at,
                helps=("say what a frame is: `input (3, T, 160, 160)`",),
            )
        return None
    evaluator = Evaluator(scope, None, findings)
    if any(isinstance(size, tree.Broken) for size in inlet.sizes):
        return None
    if len(inlet.sizes) < 2 or inlet.sizes[1] != tree.Reference("T", inlet.span):
        findings.add(
            "E0205",
            "an input is channels, then `T`, then space",
            inlet.span,
            helps=("as in `3, T, 160, 160`",),
        )
        return None
    if len(inlet.sizes) > 4:
        findings.add("E0205", "an input has two dimensions of space at most", inlet.span)
        return None
    try:
        sizes = [_size(evaluator, each, findings) for each in (inlet.sizes[0], *inlet.sizes[2:])]
        rate = evaluator.value(inlet.rate) if inlet.rate else None
    except Hole:
        return None
    if inlet.rate is None:
        return Frame(sizes[0], tuple(sizes[1:])), None
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0:
        findings.add(
            "E0305", f"a rate is frames per second, found {describe(rate)}", inlet.rate.span
        )
        return None
    return Frame(sizes[0], tuple(sizes[1:])), float(rate)


def _size(evaluator: Evaluator, expression: tree.Expression, findings: Findings) -> int:
    value = evaluator.value(expression)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        findings.add(
            "E0305",
            f"a size is an integer from 1 to {LARGEST}, found {describe(value)}",
            expression.span,
        )
        raise Hole
    return value
