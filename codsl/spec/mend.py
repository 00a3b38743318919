"""Where one more argument is written into a layer or a residual, in either notation."""

import re

from codsl.diagnostics import Edit
from codsl.spec.spec import Origin

_BLOCK = re.compile(r":[ ]*(?:#[^\n]*)?\n(?:[ ]*(?:#[^\n]*)?\n)*(?P<indent>[ ]*)(?=\S)")
"""Behind the key of a YAML mapping in lines of their own, up to its first."""


def added(origin: Origin, name: str, value: str) -> tuple[Edit, ...]:
    """The edit that gives an argument more: behind the last, else as the first of a construct.

    None where the text gives no hold: a name alone, or a layer that came as a value.
    """
    source = origin.span.source
    last = max(origin.arguments.values(), key=lambda span: span.end, default=None)
    at = origin.span.end
    after = source.text[at:]
    block = _BLOCK.match(after)
    if after.startswith("(") and last:
        at, text = last.end, f", {name}={value}"
    elif re.match(r"[ ]*\{", after):
        text = f"({name}={value})"
    elif flow := re.match(r":[ ]*\{", after):
        at, text = (
            (last.end, f", {name}: {value}") if last else (at + flow.end(), f"{name}: {value}, ")
        )
    elif block and last:
        at, text = last.end, f"\n{block['indent']}{name}: {value}"
    elif block:
        at, text = at + block.end(), f"{name}: {value}\n{block['indent']}"
    else:
        return ()
    return (Edit(source.span(at, at), text),)
