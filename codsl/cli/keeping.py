"""Where `codsl run` puts its outputs, and what is made of them on the way."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from codsl.cli import sparing
from codsl.cli.misuse import Misuse
from codsl.diagnostics import plural
from codsl.graph.graph import Graph

if TYPE_CHECKING:
    from codsl.media.classes import Classes
    from codsl.media.forms import Stamps
    from codsl.media.lines import Lines
    from codsl.media.recording import Recording
    from codsl.network import Network

    Keeping = Lines | Recording
    """What takes outputs: a pipe or a file."""

STDOUT = Path("-")
TOP = 5
"""So many of the highest channels are told where there are labels and nothing else is said."""


def classes_of(graph: Graph, options: Namespace) -> "Classes | None":
    """What is told of outputs besides their numbers; raises `Misuse` where these are no classes."""
    from codsl.media.classes import Classes, read_labels
    from codsl.media.footage import Unusable

    if options.labels is None and options.top_k is None:
        return None
    frame = graph.frames[graph.output]
    if frame.space:
        raise Misuse(f"--labels and --top-k are for outputs without space; these are {frame}")
    try:
        labels = None if options.labels is None else read_labels(options.labels)
    except Unusable as error:
        raise Misuse(f"--labels: {error}") from error
    if labels is not None and len(labels) != frame.channels:
        found = f"{plural(len(labels), 'label')} for {plural(frame.channels, 'channel')}"
        raise Misuse(f"--labels: `{options.labels}` has {found}")
    return Classes(min(options.top_k or TOP, frame.channels), labels)


@contextmanager
def recording(output: Path | None, net: "Network", stamps: "Stamps") -> Iterator["Keeping | None"]:
    """What keeps the outputs, where they are to be kept. Where that is standard output, all else
    that is said goes to standard error."""
    from codsl.cli.playback import storable
    from codsl.media.lines import Lines
    from codsl.media.recording import Recording

    if output is None:
        yield None
        return
    if output == STDOUT:
        with Lines(sys.stdout.buffer, stamps) as lines, redirect_stdout(sys.stderr):
            yield lines
        return
    graph = net.graph
    dtype = str(storable(net.init_state().dtype)).removeprefix("torch.")
    try:
        with Recording(output, graph.frames[graph.output], dtype, stamps) as made:
            yield made
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Misuse(f"`{output}` cannot be written: {error.strerror or error}") from error


def check_output(options: Namespace) -> None:
    """Refuse an output that cannot be written or would be lost, or that takes the place of what is
    no plain file or of what is read, before anything is done."""
    from codsl.media.forms import FORMS

    output: Path | None = options.output
    if output is None or output == STDOUT:
        return
    if output.suffix not in FORMS:
        raise Misuse(f"`{output}`: outputs are written as {', '.join(FORMS)}")
    sparing.check_output(output, options.force)
    if output.is_symlink():
        raise Misuse(f"`{output}` is no plain file to write over")
    sparing.spare_inputs(output, options)
