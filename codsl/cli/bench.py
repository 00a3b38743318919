"""`codsl bench`: how fast networks run here, by which backend, and what the machine allows."""

import json
import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from codsl.cli.arguments import count, seconds, seed
from codsl.cli.checkpoint import declare_weights, network
from codsl.cli.doing import Doing
from codsl.cli.memory import check_network
from codsl.cli.misuse import MISTAKE, Misuse
from codsl.cli.sparing import check_results
from codsl.cli.spec import declare_spec, tell, told
from codsl.cli.texts import STDIN
from codsl.cli.use import declare_use
from codsl.diagnostics import SpecError, escape, plural
from codsl.graph.graph import Graph
from codsl.report.save import write

if TYPE_CHECKING:
    from codsl.bench.measure import Watch, Wish
    from codsl.bench.result import Case, Results, Series

CHUNK = 16
"""Frames of a chunk, if nothing else is said."""

WORDS = "measure how fast a network runs here, by each backend, side by side"


def declare(parser: ArgumentParser) -> None:
    """The arguments."""
    declare_spec(parser, optional=True)
    declare_use(parser)
    declare_weights(parser)
    add = parser.add_argument
    add("--only", metavar="X,X", type=names, help="without SPEC: of the networks that come along")
    add("--backends", metavar="B,B", type=names, help="of compile_step; all if not given")
    add("--bfloat16", action="store_true", help="also the backends in bfloat16, where they have it")
    add("--streams", metavar="N,N", type=counts, help="in one batch; 1, and 16 without SPEC")
    add("--chunk", metavar="N", type=chunk, help="also chunks of so many frames; 16, 0 for none")
    add("--window", metavar="N", type=count, help="the clip to run again; what an output sees")
    add("--peer", action="store_true", help="also continual-inference; always without SPEC")
    add("--steps", metavar="N", type=count, default=200, help="of each contender; 200")
    add("--seconds", metavar="S", type=seconds, default=2.0, help="for each contender at most; 2")
    add("--threads", metavar="N", type=count, default=1, help="1 if not given")
    add("--json", metavar="FILE", type=Path, help="write the results as JSON")
    add("--svg", metavar="FILE", type=Path, help="draw the results")
    add("--seed", metavar="N", type=seed, default=0, help="of fresh weights and the frames")


def names(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    found = tuple(each.strip() for each in text.split(","))
    if not all(found):
        raise ArgumentTypeError(f"`{escape(text)}` is not NAME,NAME")
    return found


def counts(text: str) -> tuple[int, ...]:
    """Numbers with commas between, each from 1 on, and each once."""
    return tuple(dict.fromkeys(count(each.strip()) for each in text.split(",")))


def chunk(text: str) -> int:
    """A number of frames, or 0 for none."""
    return 0 if text == "0" else count(text)


def command(options: Namespace) -> int:
    """Tables on stdout, each when it is measured, and at a terminal what is being done; 1 where the
    spec has mistakes or the weights do not fit, 2 where what is asked for is not there or a file
    cannot be written."""
    _check(options)
    graph: Graph | None = None
    if options.spec is not None:
        graph = told(options)
        if graph is None:
            return MISTAKE
        chunk = CHUNK if options.chunk is None else options.chunk
        check_network(graph, max(1, chunk), max(options.streams or (1,)))
        check_network(graph, options.window or 1)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        _bench(graph, options)
    except SpecError as error:
        tell(error.diagnostics)
        return MISTAKE
    return 0


def _check(options: Namespace) -> None:
    """Refuse what does not go together, and files that cannot be written, before anything is
    measured."""
    whole = [("--weights", options.weights), ("--variant", options.variant), ("-p", options.params)]
    given = [option for option, value in whole if value]
    if options.spec is None and given:
        raise Misuse(f"{given[0]} is for a SPEC, and none is given")
    if options.spec is not None and options.only:
        raise Misuse("--only chooses among the networks that come along, and a SPEC is given")
    cores = os.cpu_count() or 1
    if options.threads > cores:
        raise Misuse(f"--threads {options.threads} is more than the {plural(cores, 'core')} here")
    if STDIN in (str(options.json), str(options.svg)):
        raise Misuse("--json and --svg write files: standard output has the tables")
    check_results(options, "json", "svg")


def _bench(graph: Graph | None, options: Namespace) -> None:
    """Measure one thing after the other, and tell what there is as it comes."""
    from codsl.bench.machine import here, threads
    from codsl.bench.measure import Watch
    from codsl.bench.result import Case, Results
    from codsl.bench.table import text, work

    shown = Doing()

    def told(case: Case) -> None:
        if len(case.outcomes) == 1:
            shown.say(f"\n{escape(case.name)}")
        shown.say(f"\n{work(case, case.outcomes[-1])}")
        _write(results.plus(case), options)

    with threads(options.threads), shown:
        results = Results(here())
        shown.say(escape(str(results.machine)))
        for found in _measured(graph, options, Watch(shown.now, told)):
            results = results.plus(found)
            if not isinstance(found, Case):
                shown.say(f"\n{text(found)}")
                _write(results, options)


def _measured(graph: Graph | None, options: Namespace, watch: "Watch") -> "Iterator[Case | Series]":
    """What is asked for, in order. Raises `Misuse` for what is not there."""
    from codsl.bench.measure import measure
    from codsl.bench.suite import chosen, run

    wish = _wish(options)
    if graph is not None:
        net, _ = network(graph, options)
        try:
            yield measure(net, wish, watch=watch)
        except ValueError as error:
            raise Misuse(f"{graph.name} refuses random frames: {error}") from error
        return
    try:
        listed = chosen(options.only)
    except ValueError as error:
        raise Misuse(str(error)) from error
    for name in listed:
        yield run(name, wish, watch)


def _wish(options: Namespace) -> "Wish":
    """What is to be measured. Raises `Misuse` for a backend that is none or lacks what is asked."""
    from codsl.bench.clock import Effort
    from codsl.bench.measure import Wish
    from codsl.bench.pick import picked

    try:
        picks = picked(options.backends, options.bfloat16) if options.backends else None
    except ValueError as error:
        raise Misuse(str(error)) from error
    alone = options.spec is not None
    frames = CHUNK if options.chunk is None else options.chunk
    return Wish(
        picks,
        options.streams or ((1,) if alone else (1, 16)),
        (0, frames) if frames else (0,),
        Effort(options.steps, options.seconds),
        options.window,
        options.peer or not alone,
        options.seed,
        options.bfloat16,
    )


def _write(results: "Results", options: Namespace) -> None:
    """The results so far, as JSON and as a picture, where these are asked for."""
    from codsl.bench.picture import svg

    made: list[tuple[Path | None, Callable[[], str]]] = [
        (options.json, lambda: json.dumps(results.to_dict(), indent=2) + "\n"),
        (options.svg, lambda: svg(results)),
    ]
    for path, content in made:
        if path is None:
            continue
        try:
            write(content(), path)
        except OSError as error:
            raise Misuse(f"`{path}` cannot be written: {error.strerror or error}") from error
