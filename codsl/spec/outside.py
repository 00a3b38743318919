"""What comes from outside: the parameters and the chosen variant."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from codsl.diagnostics import Findings, did_you_mean, suggest
from codsl.source import Source, Span
from codsl.spec.bind import typed
from codsl.spec.values import Evaluator, Given, Hole, LayerValue, Scope, Value
from codsl.syntax import tree

NOWHERE = Source("<parameters>", "")
DEEPEST = 8
"""Tuples and layers inside one another at most."""


def parameters(
    document: tree.Document, variant: str | None, params: Mapping[str, Any], findings: Findings
) -> Scope:
    """The network's parameters: params over variant over default."""
    scope = Scope({})
    evaluator = Evaluator(scope, None, findings, False)
    declared = {parameter.name.text: parameter for parameter in document.parameters}
    chosen = _variants(document, variant, declared, findings)
    for name in params:
        if name not in declared:
            near = suggest(str(name), declared)[:1]
            known = ", ".join(f"`{each}`" for each in declared)
            findings.add(
                "E0312",
                f"the network has no parameter `{name}`",
                helps=[f"did you mean `{each}`?" for each in near]
                or (f"its parameters are {known}" if known else "it has no parameters",),
            )
    for name, parameter in declared.items():
        value: Value | type[Hole] = Hole
        root = None
        try:
            if name in params:
                value = typed(parameter, _outside(name, params[name], findings), None, findings)
            elif name in chosen:
                written = chosen[name]
                root = evaluator.root(written)
                value = typed(parameter, evaluator.layer(written), written.span, findings)
            elif parameter.default is not None:
                worth = evaluator.layer(parameter.default)
                root = evaluator.root(parameter.default)
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
        scope.set(name, value, root)
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
                helps = did_you_mean(name.text, declared, name.span)
                findings.add(
                    "E0312", f"the network has no parameter `{name.text}`", name.span, helps=helps
                )
            elif name is not None and each.name.text == variant:
                chosen[name.text] = value.value
            elif name is not None and isinstance(value.value, tree.Literal):
                at = value.value.span
                with suppress(Hole):
                    typed(declared[name.text], value.value.value, at, findings)
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
