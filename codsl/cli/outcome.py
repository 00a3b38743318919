"""What `codsl run` says: what runs on what, what was seen, and how it ended."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codsl.cli.misuse import INTERRUPTED, MISTAKE, WRONG_USE
from codsl.diagnostics import escape, plural
from codsl.graph.graph import Graph
from codsl.graph.report import endless

if TYPE_CHECKING:
    from codsl.cli.keeping import Keeping
    from codsl.cli.playback import Playback


def introduce(graph: Graph, weights: str, source: str) -> None:
    """What runs on what."""
    size = f"{plural(len(graph.nodes), 'layer')}, receptive field {endless(graph.receptive_field)}"
    _say("network", f"{graph.name}: {size}, delay {graph.delay}, stride {graph.stride}")
    _say("weights", weights)
    _say("input", source)


def conclude(playback: "Playback", recording: "Keeping | None", last: Sequence[str] = ()) -> None:
    """What was seen, the last of it in words, and what was written."""
    seconds = max(playback.seconds, 1e-9)
    speed = f"{playback.frames / seconds:.1f} a second"
    _say("frames", f"{playback.frames} in {seconds:.2f} s, {speed} (the network alone)")
    first = "none before the end" if playback.first is None else f"at frame {playback.first}"
    _say("first output", f"{first}; declared delay {playback.net.graph.begins}")
    total = playback.stepped + playback.flushed
    _say("outputs", f"{total}: {playback.stepped} from steps, {playback.flushed} at the end")
    for line in last:
        _say("last", line)
    if recording and recording.items:
        _say("written", recording.written)


def broken_off(stop: BaseException, playback: "Playback", recording: "Keeping | None") -> int:
    """Say why the stream ended early and how much of it is kept, and give the exit status."""
    interrupted = isinstance(stop, KeyboardInterrupt)
    why = "interrupted" if interrupted else f"error: {stop}"
    kept = "no output kept"
    if recording and recording.items:
        kept = f"{plural(recording.items, 'output')} {recording.kept}"
    words = f"{why}; after {plural(playback.frames, 'frame')} {kept}"
    print(f"codsl run: {escape(words)}", file=sys.stderr)
    return INTERRUPTED if interrupted else WRONG_USE


def too_short(playback: "Playback") -> int:
    """Say that there were too few frames, and give the exit status."""
    least, path = playback.net.graph.shortest
    found = "1 frame is" if playback.frames == 1 else f"{playback.frames} frames are"
    words = f"{found} too few: `{path}` asks for {least}"
    print(f"codsl run: {escape(words)}", file=sys.stderr)
    return MISTAKE


def verified(playback: "Playback") -> int:
    """Compare the stream with the clip at once, say what is found, and give the exit status."""
    found, bound = playback.difference(), playback.tolerance
    if found is None:
        _say("verify", "FAILED: stream and clip differ in how many outputs they have")
        return MISTAKE
    apart, largest = found
    figures = f"{apart:.2g} of max(1, |clip|) apart at most, {bound:g} allowed"
    figures += f"; the clip's largest output is {largest:.2g}"
    if not apart <= bound:
        _say("verify", f"FAILED: stream and clip are {figures}")
        return MISTAKE
    if playback.misplaced:
        _say("verify", "FAILED: the first output came at another frame than declared")
        return MISTAKE
    _say("verify", f"stream = clip: {figures}")
    return 0


def _say(what: str, words: str) -> None:
    print(f"{what:<12}  {escape(words)}", flush=True)
