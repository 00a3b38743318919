"""The weights on the command line: a checkpoint, or none, and what is said of it."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from codsl.diagnostics import plural
from codsl.graph.graph import Graph
from codsl.pipeline import weights_in

if TYPE_CHECKING:
    import torch

    from codsl.network import Network
    from codsl.weights.report import LoadReport


def declare_weights(parser: ArgumentParser) -> None:
    """A checkpoint that fits the spec by its names or by one of its `weights` sections."""
    what = "a checkpoint, by the spec's names or as one that the spec knows; fresh if not given"
    parser.add_argument("--weights", metavar="FILE", help=what)


def checkpoint_of(options: Namespace) -> str | Path | None:
    """The checkpoint that is given, or the file of weights that the spec itself is in."""
    given: str | None = options.weights
    return given if given is not None else weights_in(options.spec)


def network(
    graph: Graph, options: Namespace, dtype: "torch.dtype | None" = None
) -> tuple["Network", str]:
    """The network with its weights, and whence these are, in words.

    Raises `WeightsError` where the checkpoint does not fit or cannot be read.
    """
    import torch

    from codsl.pipeline import build
    from codsl.weights.load import load_weights

    torch.manual_seed(options.seed)
    net = build(graph, dtype=dtype).eval()
    checkpoint = checkpoint_of(options)
    if checkpoint is None:
        return net, f"fresh, seed {options.seed}"
    return net, _words(load_weights(net, checkpoint), options.seed)


def _words(report: "LoadReport", seed: int) -> str:
    known = f", known as {report.checkpoint}" if report.checkpoint else ""
    loaded = plural(len(report.loaded), "tensor")
    words = f"{report.origin}: {loaded}, {report.format}, layout {report.layout}{known}"
    fresh = [name for name in report.kept if not name.endswith("num_batches_tracked")]
    if fresh:
        words += f"; {plural(len(fresh), 'tensor')} fresh, seed {seed}"
    if report.skipped:
        words += f"; {len(report.skipped)} left out"
    if report.nonfinite:
        words += f"; NaN or infinity in {len(report.nonfinite)}"
    return words
