"""`codsl bench`: how fast a network runs here, by which backend, and what the machine allows."""

import json
import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from codsl.cli.arguments import count, seed
from codsl.cli.checkpoint import declare_weights, network
from codsl.cli.memory import check_network
from codsl.cli.misuse import MISTAKE, Misuse
from codsl.cli.spec import declare_spec, read, tell
from codsl.cli.use import declare_use
from codsl.diagnostics import SpecError, escape
from codsl.graph.graph import Graph
from codsl.writing import in_place

WORDS = "measure how fast a network runs here, by each backend, side by side"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_spec(parser)
    declare_use(parser)
    declare_weights(parser)
    add = parser.add_argument
    add("--backends", metavar="B,B", type=names, help="of compile_step; all if not given")
    add("--streams", metavar="N,N", type=counts, default=(1,), help="in one batch; 1 if not given")
    add("--chunk", metavar="N", type=count, help="also measure chunks of so many frames")
    add("--window", metavar="N", type=count, help="the clip to run again, in frames")
    add("--peer", action="store_true", help="also measure continual-inference, where installed")
    add("--steps", metavar="N", type=count, default=200, help="of each contender; 200")
    add("--seconds", metavar="S", type=count, default=5, help="for each contender at most; 5")
    add("--threads", metavar="N", type=count, default=1, help="1 if not given")
    add("--json", metavar="FILE", type=Path, help="write the results as JSON")
    add("--seed", metavar="N", type=seed, default=0, help="of fresh weights and the frames")


def names(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    found = tuple(each.strip() for each in text.split(","))
    if not all(found):
        raise ArgumentTypeError(f"`{escape(text)}` is not NAME,NAME")
    return found


def counts(text: str) -> tuple[int, ...]:
    """Numbers with commas between, each from 1 on."""
    return tuple(count(each.strip()) for each in text.split(","))


def command(options: Namespace) -> int:
    """The table on stdout; 1 where the spec has mistakes or the weights do not fit."""
    graph, diagnostics = read(options)
    tell(diagnostics)
    if graph is None:
        return MISTAKE
    check_network(graph)
    try:
        _bench(graph, options)
    except SpecError as error:
        tell(error.diagnostics)
        return MISTAKE
    return 0


def _bench(graph: Graph, options: Namespace) -> None:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from codsl.bench.clock import Effort
    from codsl.bench.contender import backends
    from codsl.bench.limit import matrix
    from codsl.bench.machine import here, threads
    from codsl.bench.measure import Wish, measure
    from codsl.bench.result import Results
    from codsl.bench.table import text

    try:
        chosen = backends(options.backends)
    except ValueError as error:
        raise Misuse(str(error)) from error
    chunks = (0, options.chunk) if options.chunk else (0,)
    effort = Effort(options.steps, options.seconds)
    wish = Wish(chosen, options.streams, chunks, effort, options.window, options.peer, options.seed)
    with threads(options.threads):
        net, _ = network(graph, options)
        results = Results(here(), matrix(), (measure(net, wish),))
    if options.json:
        with in_place(options.json) as part:
            part.write_text(json.dumps(results.to_dict(), indent=2) + "\n", "utf-8")
    print(text(results))
