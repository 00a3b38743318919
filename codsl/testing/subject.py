"""What can be verified, and the modules that it comes to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from codsl.algebra.shape import Frame
from codsl.diagnostics import SpecError
from codsl.graph.graph import Graph
from codsl.layers.row import Layer as Row
from codsl.layers.row import settings, type_name
from codsl.layers.table import table
from codsl.nn.block import Block
from codsl.nn.classes import settle
from codsl.nn.layer import create, layer_class
from codsl.nn.module import CoModule
from codsl.nn.nest import leaves
from codsl.nn.running.streaming import Streaming
from codsl.pipeline import build, check
from codsl.source import Source as Text

CHANNELS, SPACE = 4, (6, 6)
"""The frame on which the examples of rows are tried."""
PRECISIONS = (torch.float64, torch.float32)


@dataclass(frozen=True)
class Subject:
    """A module, and examples of what goes in: of their frames, where `drawn`, or of their shape."""

    name: str
    net: CoModule
    like: Any
    drawn: bool = False


def subjects(given: Any, seed: int, input: Any) -> Iterator[Subject]:
    """The modules that are to be tried for what was given.

    Raises `TypeError` for what is none of these, `ValueError` where it is not known what goes in.
    """
    if isinstance(given, type) and issubclass(given, Row):
        yield from _examples(given, seed, input)
    elif isinstance(given, Row):
        yield from _row(given, seed, input)
    elif isinstance(given, CoModule):
        yield _module(given, input)
    elif isinstance(given, str | Path | dict | Text | Graph):
        graph = given if isinstance(given, Graph) else check(given)
        torch.manual_seed(seed)
        dtype = None if graph.dtype else torch.float64
        yield _module(build(graph, dtype=dtype), input, graph.name)
    else:
        raise TypeError(
            "what is verified is a network, a module of codsl.nn, a row of the table or a spec, "
            f"not of type {type(given).__name__}"
        )


def _module(net: CoModule, input: Any, name: str = "") -> Subject:
    name = name or (net.graph.name if isinstance(net, Block) else type(net).__name__)
    if input is not None:
        return Subject(name, net, *_like(input))
    laid = net._settled() if isinstance(net, Streaming) else None
    if laid is None or (len(laid.program.graph.inputs) > 1 and not isinstance(net, Block)):
        raise ValueError(
            f"what goes into `{name}` is not known: give `input`, the shape of a frame (C, *S) or "
            "an example clip (B, C, T, *S)"
        )
    frames = {each.name: each.frame for each in laid.program.graph.inputs}
    like = {each: _shape((x.channels, *x.space)) for each, x in frames.items()}
    return Subject(name, net, like.get("", like))


def _examples(row: type[Row], seed: int, input: Any) -> Iterator[Subject]:
    """A network of one layer for each example of a row, for every rank that it can have."""
    name = type_name(row)
    if table().get(name) is not row:
        raise ValueError(f"`{name}` is not in the table: register it, then verify it")
    if not row.examples:
        raise ValueError(f"`{name}` has no examples: it states at least one, or give a row")
    for example in row.examples:
        refused: SpecError | None = None
        fits = False
        for like, drawn in _inputs(row, input):
            spec = {
                "codsl": 1,
                "input": [like.shape[1], "T", *like.shape[3:]],
                "layers": [{name: {"name": "layer", **_written(example)}}],
            }
            try:
                graph = check(spec)
            except SpecError as error:
                refused = error
                continue
            fits = True
            for dtype in PRECISIONS:
                torch.manual_seed(seed)
                yield Subject(_call(name, example), build(graph, dtype=dtype), like, drawn)
        if refused is not None and not fits:
            why = refused.diagnostics[0].message
            raise ValueError(
                f"`{_call(name, example)}` takes none of the frames tried: {why}; give `input`, "
                "the shape of a frame (C, *S) that it takes"
            )


def _row(row: Row, seed: int, input: Any) -> Iterator[Subject]:
    """A layer with its arguments as a module used by hand."""
    name = _call(type_name(type(row)), settings(row))
    for (like, drawn), dtype in product(_inputs(type(row), input), PRECISIONS):
        x = Frame(like.shape[1], tuple(like.shape[3:]))
        try:
            row.shape(x)
            recipe = row.recipe(x)
        except ValueError as error:
            raise ValueError(f"`{name}` does not take the frames tried: {error}") from None
        torch.manual_seed(seed)
        net = create(layer_class(recipe.module), recipe, None, dtype)
        settle(net, row)
        yield Subject(name, net, like, drawn)


def _inputs(row: type[Row], input: Any) -> list[tuple[Tensor, bool]]:
    """What goes into a layer: as it is given, or frames of every rank that it can have."""
    if input is not None:
        like, drawn = _like(input)
        if not isinstance(like, Tensor):
            raise ValueError("a layer has one input: the shape of a frame, or an example clip")
        return [(like, drawn)]
    ranks = (row.rank,) if row.rank else (1, 2, 3)
    return [(_shape((CHANNELS, *SPACE[: rank - 1])), False) for rank in ranks]


def _like(input: Any) -> tuple[Any, bool]:
    """Example clips, or clips that only have their shape, and whether they are examples."""
    if isinstance(input, Tensor):
        if input.dim() < 3 or not input.numel():
            raise ValueError(f"an example clip is (B, C, T, *S), got {tuple(input.shape)}")
        return input, True
    if isinstance(input, tuple | list) and input and all(isinstance(n, int) for n in input):
        if min(input) < 1:
            raise ValueError(f"the shape of a frame is (C, *S), got {tuple(input)}")
        return _shape(tuple(input)), False
    if isinstance(input, Mapping) and input:
        parts = {str(name): _like(each) for name, each in input.items()}
        return {name: like for name, (like, _) in parts.items()}, _alike(parts.values())
    if isinstance(input, tuple | list) and input:
        several = [_like(each) for each in input]
        return [like for like, _ in several], _alike(several)
    raise TypeError("`input` is the shape of a frame, an example clip, or a dict or list of such")


def _alike(parts: Any) -> bool:
    kinds = {drawn for _, drawn in parts}
    if len(kinds) > 1:
        raise ValueError("`input` has shapes of frames, or example clips, not some of each")
    return True in kinds


def _shape(frame: tuple[int, ...]) -> Tensor:
    channels, *space = frame
    return torch.empty((1, channels, 1, *space))


def _call(name: str, given: Mapping[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})"


def _written(value: Any) -> Any:
    """Arguments as the YAML form has them."""
    if isinstance(value, Mapping):
        return {key: _written(each) for key, each in value.items()}
    return [_written(each) for each in value] if isinstance(value, tuple | list) else value


def devices_of(given: Any) -> list[int]:
    """The accelerators whose random numbers a trial may draw."""
    tensors = leaves(list(given.parameters())) if isinstance(given, torch.nn.Module) else ()
    return sorted({each.device.index or 0 for each in tensors if each.device.type == "cuda"})
