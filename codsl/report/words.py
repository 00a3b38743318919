"""What a picture says of a layer or a block in words."""

from collections.abc import Sequence
from fractions import Fraction
from math import isinf

from codsl.diagnostics import plural
from codsl.graph.report import Report, amount
from codsl.report.view import View, Window


def sentence(view: View) -> str:
    """All that a row of the picture shows."""
    kind = view.type or plural(view.layers, "layer")
    parts = [f"{view.path}: {kind}, {shape(view)}", seen(view.window), f"{_comes(view)}"]
    if view.holds and any(view.holds):
        parts.append(_held(view))
    parts.append(f"Reads {', '.join(view.inputs)}")
    if view.outputs:
        parts.append(f"It is {' and '.join(view.outputs)}")
    never = "It is never computed, since no output needs it"
    return ". ".join([*parts, ", ".join(_costs(view)) if view.live else never])


def seen(window: Window) -> str:
    """The frames that an output sees."""
    if window.past + window.ahead < 0:
        return "Sees no frame"
    if isinf(window.past):
        after = f", and {plural(window.ahead, 'frame')} after it" if window.ahead > 0 else ""
        return f"Sees every frame up to its own{after}"
    if window.past < 0:
        return f"Sees {_apart(-int(window.past), window.ahead)} after its own"
    if window.ahead < 0:
        return f"Sees {_apart(-window.ahead, int(window.past))} before its own"
    around = [
        f"{plural(int(count), 'frame')} {side}"
        for count, side in ((window.past, "before"), (window.ahead, "after"))
        if count > 0
    ]
    return f"Sees {', '.join(['its own frame', *around])}"


def _apart(nearest: int, furthest: int) -> str:
    return f"frame {nearest}" if nearest == furthest else f"frames {nearest} to {furthest}"


def shape(view: View) -> str:
    """The shape of what a row gives."""
    return sizes(view.shape)


def sizes(shape: Sequence[int | str]) -> str:
    """A shape, as shapes are always printed."""
    return " x ".join(map(str, shape))


def title(report: Report) -> str:
    """What the picture is of."""
    return f"{report.name}: {plural(len(report.nodes), 'layer')} along time"


def description(report: Report) -> str:
    """The totals in a row."""
    return "; ".join(f"{word} {figure}" for word, figure in report.summary())


def pace(stride: int | Fraction) -> str:
    """How often something comes: `1 in 2 frames`, `320 a frame`."""
    frames = Fraction(stride)
    if frames.numerator == 1:
        return f"{frames.denominator} a frame"
    return f"{frames.denominator} in {frames.numerator} frames"


def note(view: View) -> str:
    """What stands beside the window: how long inputs wait, or a change of pace."""
    waits = sorted({hold for hold in view.holds if hold}, reverse=True)
    if waits:
        return (
            f"holds {', '.join(map(str, waits))}" if len(waits) < 3 else f"holds up to {waits[0]}"
        )
    return pace(view.stride) if view.stride != view.stride_before else ""


def _comes(view: View) -> str:
    late = view.window.fires
    when = f"{plural(late, 'frame')} late" if late else "with its own frame"
    return f"Comes {when}, {pace(view.stride)}"


def _held(view: View) -> str:
    waits = [
        f"{name} for {plural(hold, 'frame')}"
        for name, hold in zip(view.inputs, view.holds, strict=False)
        if hold
    ]
    return f"Holds {', '.join(waits)}"


def _costs(view: View) -> list[str]:
    return [
        f"{amount(view.params) if view.params else 'No'} parameters",
        f"{amount(view.macs) if view.macs else 'no'} MACs a frame",
        f"{amount(view.state_bytes, 'B') if view.state_bytes else 'no'} state",
    ]
