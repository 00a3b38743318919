"""What lies beside a model: how to run it, in words and as a program without codsl."""

from collections.abc import Iterator
from typing import Any

from codsl.diagnostics import plural
from codsl.export.formats.format import Format
from codsl.export.proof import Proof

RUN = '''\
"""Streams clips through the model beside this file; needs numpy and {needs}, no codsl.

    python run.py {clips}

A clip is an array (B, C, T, *S), one for each input: B streams that begin together.
"""

import json
import sys
from collections import deque
from pathlib import Path

import numpy as np

here = Path(__file__).parent
{load}

def stream(clips):
    """Each block's number of frames so far, name of an output, and its items (B, C, n, *S)."""
    block, phases, kind = about["frames"], about["phases"], about["dtype"]
    batch, frames = clips[0].shape[0], clips[0].shape[2]
    least, most = about["batch"]
    if not least <= batch <= (most or batch):
        sys.exit(f"the model takes batches of {{least}} to {{most}}, not of {{batch}}")
    zeros = [np.zeros((batch, *ring["shape"]), kind) for ring in about["rings"]]
    rings = [deque([x] * ring["depth"], ring["depth"]) for x, ring in zip(zeros, about["rings"])]
    carried = {{x["old"]: np.zeros((batch, *x["shape"]), x["dtype"]) for x in about["carried"]}}
    had = np.zeros(batch, np.int64)
    for t in range(0, frames - block + 1, block):
        phase = t // block % phases
        given = {{about["had"]: had, **carried}}
        if phases > 1:
            given[about["phase"]] = np.array(phase, np.int64)
        for port, clip in zip(about["inputs"], clips):
            given[port["name"]] = np.ascontiguousarray(clip[:, :, t : t + block], kind)
        for ring, items in zip(about["rings"], rings):
            given |= {{name: items[-back] for name, back in ring["taps"]}}
        made = run(given)
        for ring, items in zip(about["rings"], rings):
            items.extend(made[name] for name in ring["new"][: ring["comes"][phase]])
        carried = {{x["old"]: made[x["new"]] for x in about["carried"]}}
        had = had + block
        for port in about["outputs"]:
            due = made[port["valid"]][0]  # the rows began together: they have the same items
            if due.any():
                yield t + block, port["name"], made[port["name"]][:, :, due]


if __name__ == "__main__":
    for frame, name, y in stream([np.load(path) for path in sys.argv[1:]]):
        print(f"after frame {{frame}}: {{name}} {{y.shape}}\\n{{y}}")
'''


def texts(format: Format, about: dict[str, Any], proof: Proof) -> dict[str, str]:
    """The files beside a model, by their names."""
    programs = {"run.py": lambda about: _run_py(format, about), **format.programs}
    return {
        "README.md": "\n".join(_readme(format, about, proof)) + "\n",
        **{name: program(about) for name, program in programs.items()},
    }


def _run_py(format: Format, about: dict[str, Any]) -> str:
    """A program that streams arrays through a model."""
    clips = " ".join(f"{port['name']}.npy" for port in about["inputs"])
    return RUN.format(needs=format.needs, clips=clips, load=format.sample)


def _readme(format: Format, about: dict[str, Any], proof: Proof) -> Iterator[str]:
    block = plural(about["frames"], "frame")
    least, most = about["batch"]
    rows = "1 or more" if most is None else f"{least}" if least == most else f"{least} to {most}"
    state = ("", "") if format.driving else (" and their state", " and the new state")
    yield f"# {about['network']}, for streams"
    yield ""
    yield (
        f"`{format.file}` is a step of the network: it takes {block} of each of B streams{state[0]}"
        f", and gives the outputs that become due{state[1]}. B is {rows}. All numbers are "
        f"{about['dtype']}, in contiguous arrays."
    )
    yield ""
    yield f"Written by codsl {about['codsl']}. Verified: {proof}."
    yield ""
    yield "| goes in | shape | |"
    yield "| --- | --- | --- |"
    for port in about["inputs"]:
        yield f"| `{port['name']}` | {_shape(port)} | {block}, time third |"
    if not format.driving:
        yield from _old(about)
    yield ""
    yield "| comes out | shape | |"
    yield "| --- | --- | --- |"
    for port in about["outputs"]:
        yield f"| `{port['name']}` | {_shape(port)} | delay {port['delay']} frames |"
        yield f"| `{port['valid']}` | B x {port['shape'][1]}, bool | which of these are outputs |"
    if not format.driving:
        yield from _new(about)
    yield ""
    yield from format.driving(about) if format.driving else _driving(about)
    yield ""
    yield f"`python run.py` streams `.npy` clips through it: it needs numpy and {format.needs}."
    if "run.cpp" in format.programs:
        streams = "one stream" if least == 1 else plural(least, "stream")
        yield f"`run.cpp` does the same, for {streams} of raw numbers."
    if most is not None and most > least:
        yield ""
        yield f"Never give it more than {most} rows: the code does not look, and goes wrong."


def _old(about: dict[str, Any]) -> Iterator[str]:
    """The rows of what a step is given besides frames."""
    if about["phase"]:
        last = about["phases"] - 1
        yield f"| `{about['phase']}` | none, int64 | 0 to {last}: which call it is of these |"
    yield f"| `{about['had']}` | B, int64 | how many frames each stream has had before |"
    for ring in about["rings"]:
        for name, back in ring["taps"]:
            yield f"| `{name}` | {_shape(ring)} | the item {back} before the next to come |"
    for each in about["carried"]:
        yield f"| `{each['old']}` | {_shape(each)}, {each['dtype']} | `{each['new']}` of before |"


def _new(about: dict[str, Any]) -> Iterator[str]:
    """The rows of what a step gives besides outputs."""
    for ring in about["rings"]:
        for item, name in enumerate(ring["new"]):
            kept = f"kept in a ring of {ring['depth']}{_when(ring, item)}"
            yield f"| `{name}` | {_shape(ring)} | {kept} |"
    for each in about["carried"]:
        yield f"| `{each['new']}` | {_shape(each)}, {each['dtype']} | the next `{each['old']}` |"


def _driving(about: dict[str, Any]) -> Iterator[str]:
    """How state goes from step to step."""
    begins = f"whenever `{about['phase']}` is 0" if about["phase"] else "at any step"
    yield (
        f"All state is zeros before the first frame. A stream begins anew in a row {begins}: "
        f"put zeros into that row of all state, and of `{about['had']}`. Items of a value lie in a "
        "ring of their own: append what is new, read those that the next step asks for; nothing "
        "is copied. The metadata `codsl` of the file has all of this as JSON."
    )
    if about["phase"]:
        yield ""
        yield (
            f"Steps come round after {about['phases']}: the strides have something else to do in "
            "each, and what does not come in a phase is zeros, not to be put into a ring."
        )


def _when(ring: dict[str, Any], item: int) -> str:
    """In which phases an item of a ring comes, where this is not in all."""
    phases = [str(phase) for phase, count in enumerate(ring["comes"]) if count > item]
    return "" if len(phases) == len(ring["comes"]) else f", in phase {', '.join(phases)}"


def _shape(port: dict[str, Any]) -> str:
    return " x ".join(["B", *map(str, port["shape"])])
