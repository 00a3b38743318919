"""`codsl export`: a network as files that run without codsl."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from codsl.cli.arguments import count, seed
from codsl.cli.checkpoint import declare_weights, network
from codsl.cli.memory import check_network
from codsl.cli.misuse import MISTAKE, Misuse
from codsl.cli.sparing import spare_inputs
from codsl.cli.spec import declare_spec, tell, told
from codsl.cli.texts import STDIN
from codsl.cli.use import declare_use
from codsl.diagnostics import SpecError, escape
from codsl.graph.graph import Graph

if TYPE_CHECKING:
    from codsl.network import Network

WORDS = "write a network for other runtimes, and verify what was written"
TARGETS = ("onnx", "pt2", "aoti", "openvino", "cpp")
DTYPES = ("float32", "float64")


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_spec(parser)
    declare_use(parser)
    declare_weights(parser)
    add = parser.add_argument
    add("--to", required=True, choices=TARGETS, help="the format")
    folder = "where to write; NAME-FORMAT if not given"
    add("-o", "--output", metavar="FOLDER", type=Path, help=folder)
    add("--force", action="store_true", help="write over an export that is there")
    frames = "frames of a step; as many as the strides take to come round if not given"
    add("--frames", metavar="N", type=count, help=frames)
    rows = "rows of a step: a number, or `dynamic`, any number, if not given; 1 in `cpp`"
    add("--batch", metavar="N", type=_batch, default=None, help=rows)
    add("--dtype", choices=DTYPES, help="of numbers; the spec's, or float32 if not given")
    add("--seed", metavar="N", type=seed, default=0, help="of the fresh weights; 0 if not given")


def command(options: Namespace) -> int:
    """Write the files and say how they were verified.

    1 where the spec has mistakes, the weights do not fit, the network cannot be written so, or
    what was written does something else; 2 for a folder that is there, and for missing packages.
    """
    if str(options.output) == STDIN:
        raise Misuse("`-` is no folder to write to")
    graph = told(options)
    if graph is None:
        return MISTAKE
    check_network(graph)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    folder = _folder(options, graph)
    dtype = getattr(torch, options.dtype) if options.dtype else None
    try:
        net, weights = network(graph, options, dtype)
        return _export(net, weights, options, folder)
    except SpecError as error:
        tell(error.diagnostics)
        return MISTAKE


def _folder(options: Namespace, graph: Graph) -> Path:
    """Where to write. Raises `Misuse` for a folder that is there, and for one of the files that an
    export takes the place of where it is read."""
    from codsl.export.export import NAMES, check_place

    folder = options.output or Path(f"{graph.name}-{options.to}")
    try:
        check_place(folder, options.force)
    except FileExistsError as error:
        remedy = "" if options.force else "; use --force, or another -o"
        raise Misuse(f"{error}{remedy}") from None
    except OSError as error:
        raise Misuse(f"`{folder}` cannot be written: {error.strerror or error}") from None
    for name in sorted(NAMES):
        spare_inputs(folder / name, options)
    return folder


def _export(net: "Network", weights: str, options: Namespace, folder: Path) -> int:
    from codsl.export.export import ExportError
    from codsl.export.formats.table import FORMATS

    if options.batch == 0 and FORMATS[options.to].most == 1:
        raise Misuse(f"the batch of `{options.to}` is fixed: give a number of rows")
    try:
        done = net.export(
            folder,
            options.to,
            frames=options.frames,
            batch=options.batch or None,
            force=options.force,
        )
    except ExportError as error:
        print(f"codsl export: FAILED: {escape(str(error))}", file=sys.stderr)
        return MISTAKE
    except OSError as error:
        raise Misuse(f"`{folder}` cannot be written: {error.strerror or error}") from None
    except (ImportError, ValueError) as error:
        raise Misuse(str(error)) from None
    print(f"network   {escape(net.graph.name)}")
    print(f"weights   {escape(weights)}")
    print(f"model     {escape(str(done.model))}")
    print(f"verified  {done.proof}")
    return 0


def _batch(text: str) -> int:
    """A number of rows; 0 for any."""
    if text == "dynamic":
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > 6 or int(text) == 0:
        raise ArgumentTypeError(f"`{escape(text)}` is neither a number of rows nor `dynamic`")
    return int(text)
