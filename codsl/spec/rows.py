"""A layer of the table as it was written: its arguments onto its row, the row onto a frame."""

from codsl.diagnostics import Findings
from codsl.layers.mistake import Mistake
from codsl.layers.row import Layer, arguments, make, misread, type_name
from codsl.layers.still import Still, of_images
from codsl.source import Span
from codsl.spec.bind import Passed, bind, pin
from codsl.spec.names import Flow
from codsl.spec.outside import NOWHERE
from codsl.spec.spec import Item, Origin
from codsl.spec.values import Hole

LARGEST_FRAME = 2**31
"""Numbers in a frame at most."""


def row_item(
    row: type[Layer],
    passing: list[Passed],
    at: Span,
    uses: tuple[Span, ...],
    flow: Flow,
    findings: Findings,
    still: bool = False,
) -> Item | None:
    """The item of a layer, without its path; None once what is wrong is reported, or where its
    input is not known. A `still` one is on single frames."""
    origin = Origin(at, _spans(row, passing), uses)
    try:
        made = _made(row, passing, origin, findings, still)
        layer = Still(made) if still else made
        if flow.frame is None or flow.value is None:
            layer.time()
            return None
        frame = layer.shape(flow.frame)
        if frame.size > LARGEST_FRAME:
            raise Mistake("E0410", f"a frame of {frame} holds {frame.size} numbers")
        weights = layer.weights(flow.frame)
    except Hole:
        return None
    except Mistake as mistake:
        pin(mistake, type_name(row), origin, findings)
        return None
    return Item("", type_name(row), layer, (flow.value,), frame, origin, weights)


def _made(
    row: type[Layer], passing: list[Passed], origin: Origin, findings: Findings, still: bool
) -> Layer:
    """The row with its arguments; raises `Hole` once all that is wrong with them is reported."""
    known = arguments(row)
    bound = bind(
        type_name(row),
        origin.span,
        passing,
        [each.name for each in known],
        [each.name for each in known if each.positional],
        [each.name for each in known if each.required],
        findings,
    )
    values = {name: each.value for name, each in bound.items()}
    wrong = misread(row, values)
    for mistake in map(of_images, wrong) if still else wrong:
        pin(mistake, type_name(row), origin, findings)
    if wrong:
        raise Hole
    return make(row, values)


def _spans(row: type[Layer], passing: list[Passed]) -> dict[str, Span]:
    """Where each argument was written, those by position under their names."""
    order = iter([each.name for each in arguments(row) if each.positional])
    named = [(each.name or next(order, ""), each.span) for each in passing]
    return {name: span for name, span in named if span.source is not NOWHERE}
