"""`codsl run`: a network on a real stream, frame by frame."""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codsl.cli.arguments import Start, count, rate, seed, start
from codsl.cli.checkpoint import declare_weights, network
from codsl.cli.keeping import STDOUT, check_output, classes_of, recording
from codsl.cli.memory import bounded, check_network
from codsl.cli.misuse import MISTAKE, Misuse
from codsl.cli.outcome import broken_off, conclude, introduce, too_short, verified
from codsl.cli.spec import declare_spec, tell, told
from codsl.cli.use import declare_use
from codsl.cli.watching import Watch
from codsl.diagnostics import SpecError
from codsl.graph.graph import Graph
from codsl.graph.ids import ids
from codsl.media.layouts import LAYOUTS

if TYPE_CHECKING:
    from codsl.cli.playback import Playback
    from codsl.media.classes import Classes
    from codsl.media.footage import Footage
    from codsl.network import Network

WORDS = "run a network over a video, sound, an array or a pipe, frame by frame"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_spec(parser)
    declare_use(parser)
    declare_weights(parser)
    add = parser.add_argument
    source = "a video, sound, an .npy (C, T, *S), `-` for standard input, or `demo`, a made-up clip"
    add("--input", metavar="SRC", required=True, help=source)
    rates = "take so many frames a second of a video, so many samples of sound"
    add("--fps", "--rate", metavar="N", type=rate, help=f"{rates}; the spec's rate for sound")
    where = "begin at this frame, from 0, or with an `s` behind it at this second"
    add("--start", metavar="N|Ns", type=start, default=Start(), help=where)
    add("--frames", metavar="N", type=count, help="stop after so many frames")
    layouts = "what `--input -` is: rgb24 or gray pictures, f32le or s16le numbers"
    add("--raw", choices=LAYOUTS, help=f"{layouts}; by the network's input if not given")
    kinds = "an .npy (C, T, *S), an .npz with frames and seconds, a .jsonl with a line each; "
    kinds += "`-` prints such lines as they come, and all else to standard error"
    add("--output", metavar="FILE", type=Path, help=f"write the outputs: {kinds}")
    labels = "what channels stand for, one a line or a JSON list"
    add("--labels", metavar="FILE", type=Path, help=labels)
    top = "tell the K highest channels of each output; 5 with --labels"
    add("--top-k", metavar="K", type=count, help=top)
    add("--force", action="store_true", help="write over an output that is there")
    add("--verify", action="store_true", help="also run the clip at once; exit 1 if they differ")
    add("--seed", metavar="N", type=seed, default=0, help="of the fresh weights; 0 if not given")


def command(options: Namespace) -> int:
    """Stream the input through the network and say what was seen.

    1 where the spec has mistakes, the weights do not fit, the clip is too short, or `--verify`
    finds a difference; 2 for an input that cannot be read or an output that cannot be written;
    130 after Ctrl-C. Outputs that there are when a stream breaks off are kept.
    """
    from codsl.media.footage import Unusable, Wanted
    from codsl.media.medium import footage

    check_output(options)
    graph = told(options)
    if graph is None:
        return MISTAKE
    _check_ports(graph)
    check_network(graph)
    classes = classes_of(graph, options)
    begin = options.start
    tables = ids(graph, graph.base - 1) is not None
    wanted = Wanted(graph.rate, options.fps, begin.frame, begin.second, options.raw, tables)
    try:
        with footage(options.input, graph.input, wanted) as source:
            return _run(graph, source, options, classes)
    except SpecError as error:
        tell(error.diagnostics)
        return MISTAKE
    except Unusable as error:
        raise Misuse(str(error)) from error


def _run(graph: Graph, source: "Footage", options: Namespace, classes: "Classes | None") -> int:
    """Build the network and stream the footage, to the end or as far as it goes.

    Threads that wait for each other sleep: where they spin, a busy machine is slower by far.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    from codsl.cli.playback import Playback
    from codsl.media.forms import Stamps

    net, weights = network(graph, options)
    stamps = Stamps(lambda index: graph.time.output(index).due, source.rate, classes)
    watch = Watch(stamps, _watches(options))
    with recording(options.output, net, stamps) as kept, torch.inference_mode():
        words = f"{source.words}{_rounded(net, source)}{_other_rate(graph, source)}"
        introduce(graph, weights, f"{options.input}: {words}")
        sinks = (watch.add, kept.add) if kept else (watch.add,)
        playback = Playback(net, sinks, keep=options.verify)
        stop = _stream(playback, source, options, watch)
        if kept and kept.items:
            kept.save()
        conclude(playback, kept, watch.lines[-1:] if classes else [])
        if stop is not None:
            return broken_off(stop, playback, kept)
        if playback.frames < graph.min_frames:
            return too_short(playback)
        return verified(playback) if options.verify else 0


def _watches(options: Namespace) -> bool:
    """Whether someone sees what comes, and it is not among the outputs themselves."""
    return sys.stderr.isatty() and not (options.output == STDOUT and sys.stdout.isatty())


def _rounded(net: "Network", source: "Footage") -> str:
    """What to say of numbers that the network takes in a lower precision."""
    dtype = str(net.init_state().dtype).removeprefix("torch.")
    return f", taken as {dtype}" if source.double and dtype != "float64" else ""


def _other_rate(graph: Graph, source: "Footage") -> str:
    """What to say of footage that is quicker or slower than a network is meant for."""
    meant, found = graph.rate, source.rate
    if not meant or not found or abs(found - meant) < meant / 100:
        return ""
    return f"; the spec has {meant:g} a second: --fps {meant:g}"


def _stream(
    playback: "Playback", source: "Footage", options: Namespace, watch: Watch
) -> BaseException | None:
    """Step through the frames; what ended the stream early, where something did."""
    from codsl.media.footage import Unusable

    frames: Iterator[Any] = islice(source.frames, options.frames)
    if options.verify:
        frames = bounded(frames, playback.net.graph)
    counts = [count for count in (source.count, options.frames) if count is not None]
    try:
        with watch.watched(frames, min(counts, default=None)) as watched:
            playback.play(watched, source.together)
        playback.end()
    except (Unusable, KeyboardInterrupt) as stop:
        if playback.frames == 0:
            raise
        return stop
    return None


def _check_ports(graph: Graph) -> None:
    """Refuse several inputs or outputs: one source is read, and one array is written."""
    named = [
        *(f"the input `{inlet.name}`" for inlet in graph.inputs if inlet.name),
        *(f"the output `{outlet.name}`" for outlet in graph.outputs if outlet.name),
    ]
    if len(graph.inputs) > 1 or len(graph.outputs) > 1:
        raise Misuse(
            f"codsl run streams one input to one output, and {graph.name} has them by name: "
            f"{', '.join(named)}; feed it from Python, a dict of frames a step"
        )
