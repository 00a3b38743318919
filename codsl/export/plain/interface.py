"""How a program calls the C++ of a network: `model.h`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from codsl.diagnostics import plural
from codsl.export.blanks import KINDS, filled
from codsl.export.plain.names import apart

HEADER = """\
// Streams of `@NETWORK@`, by codsl @CODSL@: a call takes @BLOCK@ of @ROWS@.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Bytes of the weights, which are all of `model.bin`; all streams may share them.
extern const size_t @NAME@_weights;

// Bytes of the state, which is zeros before the first frame, may be copied, and kept in a file.
extern const size_t @NAME@_state;

// Takes the next frames, and writes what becomes due. Numbers lie one after another, in this order:
@SHAPES@
// Threads may call it at once, each with a state of its own.
void @NAME@_step(const void* weights, void* state, @PARAMETERS@);

// Lets a stream begin anew in a row, the others as they were@PHASE@.
void @NAME@_begin(void* state, size_t row);

// What is known of the network, as JSON.
const char* @NAME@_about(void);

#ifdef __cplusplus
}
#endif
"""


@dataclass(frozen=True)
class Argument:
    """An array that a step reads or writes."""

    name: str
    kind: str
    shape: tuple[int, ...]
    words: str = ""


def arguments(about: Mapping[str, Any]) -> list[Argument]:
    """What a step is called with behind the weights and the state."""
    rows, kind = about["batch"][0], KINDS[about["dtype"]]
    inputs, outputs = about["inputs"], about["outputs"]
    ports = [*inputs, *outputs, *outputs]
    listed = [port["name"] for port in (*inputs, *outputs)] + [port["valid"] for port in outputs]
    names = apart(listed, ("weights", "state"))
    valid = len(inputs) + len(outputs)
    found = []
    for place, (name, port) in enumerate(zip(names, ports, strict=True)):
        shape = (rows, *port["shape"])
        if place < len(inputs):
            found.append(Argument(name, f"const {kind}*", shape))
        elif place < valid:
            found.append(Argument(name, f"{kind}*", shape))
        else:
            words = f"which items of {names[place - len(outputs)]} are due"
            found.append(Argument(name, "bool*", (rows, shape[2]), words))
    return found


def model_h(about: Mapping[str, Any]) -> str:
    """The interface, with the shape of everything."""
    listed = arguments(about)
    rows, phases = about["batch"][0], about["phases"]
    blanks = {
        "NETWORK": about["network"],
        "CODSL": about["codsl"],
        "BLOCK": plural(about["frames"], "frame"),
        "ROWS": f"each of {rows} streams" if rows > 1 else "one stream",
        "NAME": about["network"],
        "SHAPES": "\n".join(_shapes(listed)),
        "PARAMETERS": ", ".join(f"{each.kind} {each.name}" for each in listed),
        "PHASE": f"; only after a multiple of {phases} calls" if phases > 1 else "",
    }
    return filled(HEADER, blanks)


def _shapes(listed: list[Argument]) -> Iterator[str]:
    width = max(len(each.name) for each in listed)
    for each in listed:
        words = f", {each.words}" if each.words else ""
        yield f"//   {each.name:{width}}  ({', '.join(map(str, each.shape))}){words}"
