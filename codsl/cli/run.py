"""`codsl run`: a network on a real stream, frame by frame."""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codsl.cli.arguments import count, seed
from codsl.cli.checkpoint import declare_weights, network
from codsl.cli.memory import check_network, kept
from codsl.cli.misuse import MISTAKE, Misuse
from codsl.cli.outcome import broken_off, conclude, introduce, too_short, verified
from codsl.cli.spec import declare_spec, read, tell
from codsl.cli.use import declare_use
from codsl.diagnostics import SpecError
from codsl.graph.graph import Graph

if TYPE_CHECKING:
    from codsl.cli.playback import Playback
    from codsl.media.footage import Footage
    from codsl.media.recording import Recording
    from codsl.network import Network

WORDS = "run a network over a video or an array, frame by frame"
SUFFIX = ".npy"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_spec(parser)
    declare_use(parser)
    declare_weights(parser)
    add = parser.add_argument
    source = "a video file, an .npy (C, T, *S), or `demo`, a clip made on the spot"
    add("--input", metavar="SRC", required=True, help=source)
    add("--frames", metavar="N", type=count, help="stop after so many frames")
    add("--output", metavar="FILE.npy", type=Path, help="write the outputs, (C, T, *S)")
    add("--force", action="store_true", help="write over an output that is there")
    add("--verify", action="store_true", help="also run the clip at once; exit 1 if they differ")
    add("--seed", metavar="N", type=seed, default=0, help="of the fresh weights; 0 if not given")


def command(options: Namespace) -> int:
    """Stream the input through the network and say what was seen.

    1 where the spec has mistakes, the weights do not fit, the clip is too short, or `--verify`
    finds a difference; 2 for an input that cannot be read or an output that cannot be written;
    130 after Ctrl-C. Outputs that there are when a stream breaks off are kept.
    """
    from codsl.media.footage import Unusable
    from codsl.media.medium import footage

    _check_output(options.output, options.input, options.force)
    graph, diagnostics = read(options)
    tell(diagnostics)
    if graph is None:
        return MISTAKE
    _check_ports(graph)
    check_network(graph)
    try:
        with footage(options.input, graph.input) as source:
            return _run(graph, source, options)
    except SpecError as error:
        tell(error.diagnostics)
        return MISTAKE
    except Unusable as error:
        raise Misuse(str(error)) from error


def _run(graph: Graph, source: "Footage", options: Namespace) -> int:
    """Build the network and stream the footage, to the end or as far as it goes.

    Threads that wait for each other sleep: where they spin, a busy machine is slower by far.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    from codsl.cli.playback import Playback

    net, weights = network(graph, options)
    introduce(graph, weights, f"{options.input}: {source.words}")
    with _recording(options.output, net) as recording, torch.inference_mode():
        playback = Playback(net, recording.add if recording else None, keep=options.verify)
        stop = _stream(playback, source, options)
        if recording and recording.items:
            recording.save()
        conclude(playback, recording)
        if stop is not None:
            return broken_off(stop, playback, recording)
        if playback.frames < graph.min_frames:
            return too_short(playback)
        return verified(playback) if options.verify else 0


def _stream(playback: "Playback", source: "Footage", options: Namespace) -> BaseException | None:
    """Step through the frames; what ended the stream early, where something did."""
    from codsl.media.footage import Unusable

    frames: Iterator[Any] = islice(source.frames, options.frames)
    if options.verify:
        frames = kept(frames, playback.net.graph)
    counts = [count for count in (source.count, options.frames) if count is not None]
    try:
        with _watched(frames, min(counts, default=None)) as watched:
            playback.play(watched)
        playback.end()
    except (Unusable, KeyboardInterrupt) as stop:
        if playback.frames == 0:
            raise
        return stop
    return None


@contextmanager
def _watched(frames: Iterator[Any], total: int | None) -> Iterator[Iterator[Any]]:
    """The frames, with a progress bar where someone watches."""
    if not sys.stderr.isatty():
        yield frames
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("frames"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield iter(progress.track(frames, total=total))


@contextmanager
def _recording(output: Path | None, net: "Network") -> Iterator["Recording | None"]:
    """What keeps the outputs, where they are to be kept."""
    from codsl.cli.playback import storable
    from codsl.media.recording import Recording

    if output is None:
        yield None
        return
    graph = net.graph
    dtype = str(storable(net.init_state().dtype)).removeprefix("torch.")
    try:
        with Recording(output, graph.frames[graph.output], dtype) as recording:
            yield recording
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Misuse(f"`{output}` cannot be written: {error.strerror or error}") from error


def _check_ports(graph: Graph) -> None:
    """Refuse inputs and outputs with names: one source is read, and one array is written."""
    named = [
        *(f"the input `{inlet.name}`" for inlet in graph.inputs if inlet.name),
        *(f"the output `{outlet.name}`" for outlet in graph.outputs if outlet.name),
    ]
    if named:
        raise Misuse(
            f"codsl run streams one input to one output, and {graph.name} has them by name: "
            f"{', '.join(named)}; feed it from Python, a dict of frames a step"
        )


def _check_output(output: Path | None, source: str, force: bool) -> None:
    """Refuse an output that cannot be written or would be lost, or that takes the place of what is
    no plain file or of the input itself, before anything is done."""
    if output is None:
        return
    try:
        if output.suffix != SUFFIX:
            raise Misuse(f"`{output}`: outputs are written as {SUFFIX}")
        if output.is_dir():
            raise Misuse(f"`{output}` is a directory")
        if not output.parent.is_dir():
            raise Misuse(f"`{output.parent}` is no folder that is there")
        if os.path.lexists(output):
            if not force:
                raise Misuse(f"`{output}` is there already; --force writes over it")
            if output.is_symlink() or not output.is_file():
                raise Misuse(f"`{output}` is no plain file to write over")
            if Path(source).exists() and output.samefile(source):
                raise Misuse(f"`{output}` is the input itself")
    except OSError as error:
        raise Misuse(f"`{output}` cannot be written: {error.strerror}") from error
