"""A layer of the table as it was written: its arguments onto its row, the row onto a frame."""

from contextlib import suppress

from codsl.diagnostics import Applicability, Edit, Findings, Help
from codsl.layers.fit import INFERRED
from codsl.layers.mistake import Mistake
from codsl.layers.row import (
    Layer,
    arguments,
    kin_of,
    make,
    misread,
    of_other_rank,
    type_name,
)
from codsl.layers.still import Still, of_images, of_other_images
from codsl.source import Span
from codsl.spec.bind import Passed, Unbound, bind, by_name, pin
from codsl.spec.names import Flow
from codsl.spec.outside import NOWHERE
from codsl.spec.place import Place
from codsl.spec.spec import Item, Origin
from codsl.spec.torch_order import check_order
from codsl.spec.values import Hole, Value
from codsl.syntax import tree
from codsl.syntax.brackets import whole_entry

LARGEST_FRAME = 2**31
"""Numbers in a frame at most."""


def row_item(
    row: type[Layer],
    passing: list[Passed],
    node: tree.Layer,
    place: Place,
    flow: Flow,
    findings: Findings,
) -> Item | None:
    """The item of a layer, without its path; None once what is wrong is reported, or where its
    input is not known."""
    spans, roots = _spans(row, passing)
    kind = type_name(row)
    origin = Origin(node.type.span, spans, place.uses, roots, kind, bool(node.sources))
    try:
        made = _made(row, passing, origin, place, flow, findings)
        layer = Still(made) if place.still else made
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
        pin(mistake, kind, origin, findings, remedies=_inferred(row, passing, flow))
        return None
    item = Item("", kind, layer, (flow.value,), frame, origin, weights)
    check_order(row, passing, flow.frame.channels, item, findings)
    return item


def _made(
    row: type[Layer],
    passing: list[Passed],
    origin: Origin,
    place: Place,
    flow: Flow,
    findings: Findings,
) -> Layer:
    """The row with its arguments; raises `Hole` once all that is wrong with them is reported.

    Where they fit its relative for the dimensions that the input has, that was meant: `Mistake`.
    """
    known = arguments(row)
    unbound = None
    try:
        bound = bind(
            type_name(row),
            origin.span,
            passing,
            [each.name for each in known],
            [each.name for each in known if each.positional],
            [each.name for each in known if each.required],
            findings,
            row.examples[0] if row.examples else {},
        )
    except Unbound as error:
        unbound, bound = error, error.bound
    values = {name: each.value for name, each in bound.items()}
    wrong = misread(row, values)
    if wrong and flow.frame:
        kin = kin_of(row, len(flow.frame.space) + (not place.still))
        if kin is not row and not misread(kin, values):
            raise (
                of_other_images(row, flow.frame) if place.still else of_other_rank(row, flow.frame)
            )
    for mistake in map(of_images, wrong) if place.still else wrong:
        better = _named(mistake, values, origin, place) or _inferred(row, passing, flow)
        pin(mistake, type_name(row), origin, findings, remedies=better)
    if wrong or unbound:
        raise Hole
    return make(row, values)


def _named(mistake: Mistake, values: dict[str, Value], origin: Origin, place: Place) -> list[Help]:
    """The value of a name, where the name stands as a text, and division that stays whole."""
    word, at = values.get(mistake.argument or ""), origin.arguments.get(mistake.argument or "")
    if isinstance(word, float) and word.is_integer() and at and at.text.count("/") == 1:
        sign = at.within("/")
        how = Applicability.LIKELY if origin.uses else Applicability.SURE
        return [Help("`//` divides integers", (Edit(sign, "//"),), how)]
    names = place.scope.defined()
    return by_name(word, at, names) if at and (word in names or not mistake.choices) else []


def _inferred(row: type[Layer], passing: list[Passed], flow: Flow) -> list[Help]:
    """The remedy where the channels that come in are the first argument, as in torch.nn."""
    known = arguments(row)
    said = [each.name for each in known if each.name in INFERRED]
    required = sum(each.required for each in known)
    if not said or len([each for each in passing if each.name is None]) <= required:
        return []
    with suppress(Hole):
        worth = passing[0].value()
        if type(worth) is int and worth in (flow.frame.channels if flow.frame else worth,):
            out = (Edit(whole_entry(passing[0].span), ""),)
            return [Help(f"`{said[0]}` is inferred: leave the first argument out", out)]
    return []


def _spans(row: type[Layer], passing: list[Passed]) -> tuple[dict[str, Span], dict[str, Span]]:
    """Where each argument was written, those by position under their names, and where its value
    stands as a literal."""
    order = iter([each.name for each in arguments(row) if each.positional])
    named = [(each.name or next(order, ""), each) for each in passing]
    here = {name: each for name, each in named if each.span.source is not NOWHERE}
    roots = {name: each.root for name, each in here.items() if each.root is not None}
    return {name: each.span for name, each in here.items()}, roots
