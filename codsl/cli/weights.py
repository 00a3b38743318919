"""`codsl weights`: what is in a checkpoint, whether it fits a spec, its way into another file."""

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codsl.cli.misuse import MISTAKE, Misuse
from codsl.cli.sparing import check_output, spare_inputs
from codsl.cli.spec import declare_spec, read, tell
from codsl.cli.use import declare_use
from codsl.diagnostics import SpecError, escape, plural
from codsl.syntax.words import LAYOUTS

if TYPE_CHECKING:
    from codsl.network import Network
    from codsl.weights.tensors import Tensors

WORDS = "look at a checkpoint, match it with a spec, convert it"

ONLY_FORWARD = ("envelope", "allow_missing", "allow_unexpected", "adapt")
"""What is said of a checkpoint that is read, and means nothing for one that is written."""

Act = Callable[[Namespace], int]


def declare(parser: ArgumentParser) -> None:
    """The commands of this command."""
    parts = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    for name, words, arguments, act in (
        ("inspect", "list the tensors of a checkpoint", _inspects, _inspect),
        ("match", "say what of a checkpoint goes where in a spec", _matches, _match),
        ("convert", "write a checkpoint anew, by a spec", _converts, _convert),
    ):
        part = parts.add_parser(name, help=words, description=words[0].upper() + words[1:])
        arguments(part)
        part.set_defaults(act=act)
    parser.set_defaults(use=None)


def command(options: Namespace) -> int:
    """Run one of them; 1 where the checkpoint or the spec is refused."""
    act: Act = options.act
    try:
        return act(options)
    except SpecError as error:
        tell(error.diagnostics)
        return MISTAKE


def _inspects(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a checkpoint")
    _declare_envelope(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _matches(parser: ArgumentParser) -> None:
    declare_spec(parser)
    declare_use(parser)
    parser.add_argument("file", metavar="FILE", help="a checkpoint")
    _declare_terms(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")


def _converts(parser: ArgumentParser) -> None:
    declare_spec(parser)
    declare_use(parser)
    parser.add_argument("file", metavar="FILE", help="a checkpoint that fits the spec")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        required=True,
        type=Path,
        help="a .safetensors file, with the spec inside unless --reverse; or .npz, .pt",
    )
    _declare_terms(parser)
    parser.add_argument(
        "--reverse",
        action="store_true",
        help="FILE has the spec's names: write it under those of --known, --rename, --layout",
    )
    parser.add_argument("--force", action="store_true", help="write over a file that is there")


def _declare_terms(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--rename", metavar="RULES", help="a file of rules `source -> target`, or one such rule")
    add("--layout", choices=LAYOUTS, help="of the checkpoint; torch if not given")
    add("--known", metavar="NAME", help="a checkpoint that the spec knows, instead of the two")
    _declare_envelope(parser)
    for word, what in (("missing", "the spec's tensors"), ("unexpected", "the file's tensors")):
        add(
            f"--allow-{word}",
            metavar="PATTERN",
            action="append",
            default=[],
            help=f"{what} that may be left out; repeatable",
        )
    add(
        "--adapt",
        metavar="PATTERN=HOW",
        action="append",
        default=[],
        type=_adapted,
        help="what may be done to other shapes, as in stem.weight=inflate_last; repeatable",
    )


def _declare_envelope(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--envelope", metavar="KEY", help="where a nested file has the weights: model_ema"
    )


def _adapted(text: str) -> tuple[str, str]:
    pattern, sign, how = text.partition("=")
    if not (pattern and sign and how):
        raise ArgumentTypeError(f"`{escape(text)}` is not PATTERN=HOW")
    return pattern, how


def _inspect(options: Namespace) -> int:
    """The tensors with shape and dtype, one a line."""
    from codsl.weights.numbers import nonfinite
    from codsl.weights.tensors import read as read_tensors

    tensors = read_tensors(options.file, envelope=options.envelope)
    if options.format == "json":
        print(json.dumps(_plain(tensors), indent=2))
        return 0
    width = max(map(len, tensors.entries))
    numbers = 0
    for name, entry in tensors.entries.items():
        numbers += prod(entry.shape)
        shape = " x ".join(map(str, entry.shape)) or "one number"
        strange = nonfinite(entry.read())
        told = f"  {strange:,} NaN or infinite" if strange else ""
        print(f"{escape(name):<{width}}  {entry.dtype!s:<8}  {shape}{told}")
    taken = (*(f"{key}." for key in tensors.opened), *tensors.stripped)
    told = f", {', '.join(taken)} taken off the names" if taken else ""
    print(f"{plural(len(tensors), 'tensor')}, {numbers:,} numbers, {tensors.format}{escape(told)}")
    return 0


def _plain(tensors: "Tensors") -> dict[str, Any]:
    listed = [
        {"name": name, "shape": list(entry.shape), "dtype": str(entry.dtype)}
        for name, entry in tensors.entries.items()
    ]
    return {
        "format": tensors.format,
        "opened": list(tensors.opened),
        "stripped": list(tensors.stripped),
        "tensors": listed,
    }


def _network(options: Namespace) -> "Network | None":
    """The network of the spec, None where the spec has mistakes."""
    graph, diagnostics = read(options)
    if graph is None:
        tell(diagnostics)
        return None
    from codsl.pipeline import build

    return build(graph)


def _terms(options: Namespace) -> dict[str, Any]:
    """What is said of the checkpoint, as `load_weights` takes it."""
    if options.known is not None and (options.rename is not None or options.layout is not None):
        raise Misuse("--known has its rules and its layout in the spec")
    return {
        "rename": options.rename,
        "layout": options.layout,
        "known": options.known,
        "envelope": options.envelope,
        "allow_missing": options.allow_missing,
        "allow_unexpected": options.allow_unexpected,
        "adapt": dict(options.adapt),
    }


def _match(options: Namespace) -> int:
    """What would become of every tensor; nothing is written."""
    from codsl.weights.load import load_weights

    net = _network(options)
    if net is None:
        return MISTAKE
    report = load_weights(net, options.file, **_terms(options), dry_run=True)
    print(json.dumps(report.to_json(), indent=2) if options.format == "json" else report)
    return 0


def _convert(options: Namespace) -> int:
    """Load and write; with --reverse the other way round."""
    from codsl.weights.load import load_weights
    from codsl.weights.save import save_weights

    terms = _terms(options)
    idle = [word for word in ONLY_FORWARD if terms[word]]
    if options.reverse and idle:
        raise Misuse(f"--{idle[0].replace('_', '-')} is nothing that --reverse undoes")
    check_output(options.output, options.force)
    spare_inputs(options.output, options)
    net = _network(options)
    if net is None:
        return MISTAKE
    try:
        if options.reverse:
            load_weights(net, options.file, rename={})
            named = {word: terms[word] for word in ("rename", "layout", "known")}
            save_weights(net, options.output, **named)
        else:
            print(load_weights(net, options.file, **terms))
            save_weights(net, options.output)
    except OSError as error:
        raise Misuse(f"`{options.output}` cannot be written: {error.strerror or error}") from None
    except ValueError as error:
        raise Misuse(str(error)) from None
    print(f"written to {escape(str(options.output))}")
    return 0
