"""What layers say of the rate of the samples that they hear, and what that rate is."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from codsl.algebra.time import Time
from codsl.diagnostics import Applicability, Findings, Help, Label
from codsl.layers.mistake import Give
from codsl.layers.row import Layer
from codsl.spec.mend import edits_of
from codsl.spec.spec import Item, Spec


def check_rates(spec: Spec, times: Sequence[Time], findings: Findings) -> None:
    """Warn where a layer states another rate of samples than those have that it hears: the rate of
    the network's input, over the strides before them. `times` are those of all values."""
    if spec.rate is None:
        return
    for item in spec.items:
        stated = getattr(_row(item), "rated", "")
        if not stated:
            continue
        said = getattr(_row(item), stated)
        for source in _heard(spec, item):
            rate = Fraction(spec.rate) / Fraction(times[source.inputs[0]].stride)
            if rate != said:
                _tell(spec, item, stated, source, rate, findings)
                break


def _tell(
    spec: Spec, item: Item, stated: str, source: Item, rate: Fraction, findings: Findings
) -> None:
    shown = f"{float(rate):g}" if rate >= 10**6 or rate.denominator > 1 else str(rate)
    edits = edits_of(Give(int(rate)), stated, item.origin) if rate.denominator == 1 else ()
    leave = f", of which the strides before this leave {shown}" if rate != spec.rate else ""
    findings.add(
        "W0705",
        f"`{stated}` is {getattr(_row(item), stated)}, and {shown} samples a second enter "
        f"`{source.type}`",
        item.origin.arguments.get(stated, item.origin.span),
        Label(source.origin.span, f"{shown} a second come here"),
        *(Label(use, f"in this use of `{use.text}`") for use in item.origin.uses),
        notes=(f"the network gets {spec.rate:g} a second{leave}",),
        helps=(
            Help(f"write `{shown}`", edits, Applicability.CHOICE),
            "or, if that is what the network was trained with, give it sound of that rate: the "
            "`rate` of the input",
        ),
    )


def _heard(spec: Spec, item: Item) -> Iterator[Item]:
    """The layers nearest before an item that take samples."""
    pending = list(item.inputs)
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if value < len(spec.inputs) or value in seen:
            continue
        seen.add(value)
        before = spec.items[value - len(spec.inputs)]
        if getattr(_row(before), "samples", False):
            yield before
        else:
            pending += before.inputs


def _row(item: Item) -> object:
    """The row of an item, also where it is on single frames."""
    operation = item.operation
    return operation if isinstance(operation, Layer) else getattr(operation, "row", operation)
