"""Every network of `networks/`: one meaning in both surfaces, and a stream that equals the clip."""

import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from math import isinf
from pathlib import Path
from typing import Any

import pytest
import torch
from shipped import FOLDER, SMALL, variants
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

import codsl
from codsl.diagnostics import Findings
from codsl.layers.row import arguments
from codsl.layers.table import table
from codsl.network import Network
from codsl.pipeline import inspect
from codsl.source import Source, Span
from codsl.syntax import tree
from codsl.syntax.read import read
from codsl.syntax.structure import structure
from codsl.syntax.validator import Validator
from codsl.syntax.words import POSITIONAL

ENDLESS = 9
"""Frames that stand for a receptive field without end."""
TOLERANCE = {torch.float32: 5e-6, torch.float64: 1e-10}
CASES = [(name, variant) for name in SMALL for variant in (None, *variants(name))]


def files() -> list[Path]:
    return sorted(path for path in FOLDER.iterdir() if path.suffix in (".yaml", ".codsl"))


def parsed(path: Path) -> tree.Document:
    findings = Findings()
    validator = Validator(structure())
    document = read(Source.load(path), findings, validator)
    findings.settle()
    assert document is not None
    return document


def by_name(node: Any) -> Any:
    """The tree with every positional argument of a known layer or construct under its name."""
    if isinstance(node, tuple):
        return tuple(map(by_name, node))
    if not is_dataclass(node) or isinstance(node, Span | Source):
        return node
    made = replace(node, **{f.name: by_name(getattr(node, f.name)) for f in fields(node)})
    order = positions(made)
    if not order:
        return made
    names = iter(order)
    return replace(
        made,
        arguments=tuple(
            each if each.name else replace(each, name=tree.Name(next(names), each.value.span))
            for each in made.arguments
        ),
    )


def positions(node: Any) -> tuple[str, ...]:
    if isinstance(node, tree.Layer) and not node.local:
        row = table()[node.type.text]
        return tuple(each.name for each in arguments(row) if each.positional)
    words = {tree.Residual: "residual", tree.Parallel: "parallel", tree.Join: "join"}
    return POSITIONAL.get(words.get(type(node), ""), ())


def with_lets_together(node: Any) -> Any:
    """The tree with neighbouring `let` statements as one: YAML may write them either way."""
    if isinstance(node, tuple):
        items: list[Any] = []
        for each in map(with_lets_together, node):
            if isinstance(each, tree.Let) and items and isinstance(items[-1], tree.Let):
                items[-1] = replace(items[-1], bindings=items[-1].bindings + each.bindings)
            else:
                items.append(each)
        return tuple(items)
    if not is_dataclass(node) or isinstance(node, Span | Source):
        return node
    return replace(
        node, **{f.name: with_lets_together(getattr(node, f.name)) for f in fields(node)}
    )


def net_of(name: str, dtype: torch.dtype, seed: int = 0) -> Network:
    """A small one for which no layer is the identity: all that starts constant is drawn, and the
    statistics are those of a clip, put out of tune. Gains above one would make the deep one
    amplify float32's own rounding beyond the tolerance, in the clip as in the stream."""
    torch.manual_seed(seed)
    net = codsl.build(FOLDER / f"{name}.yaml", params=SMALL[name], dtype=dtype)
    norms = [module for module in net.modules() if isinstance(module, _BatchNorm)]
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.dim() > 1:
                nn.init.kaiming_normal_(parameter)
            else:
                parameter.normal_(0, 0.3)
        for norm in norms:
            norm.weight.uniform_(0.3, 1.0)
            norm.momentum = 1.0
        net.train()(clip_of(net, lengths(net)[-1], dtype))
        for norm in norms:
            norm.running_mean += 0.2 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
            norm.running_var.clamp_(min=0.1)
            norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.7, 1.4)
    return net.eval()


def clip_of(net: Network, frames: int, dtype: torch.dtype) -> Tensor:
    torch.manual_seed(frames)
    frame = net.graph.input
    batch = 2 if frame.size < 100_000 else 1
    return torch.randn(batch, frame.channels, frames, *frame.space, dtype=dtype)


def chunks(x: Tensor, seed: int) -> Iterator[Tensor]:
    rest = list(range(x.shape[2]))
    draw = random.Random(seed)
    while rest:
        size = draw.choice((1, 1, 2, 3, 5, 8, 13))
        yield x[:, :, rest[0] : rest[0] + size]
        rest = rest[size:]


def joined(parts: list[Tensor | None]) -> Tensor | None:
    due = [part for part in parts if part is not None]
    return torch.cat(due, 2) if due else None


def off(found: Tensor | None, wanted: Tensor) -> float:
    """The largest difference, relative to max(1, |wanted|)."""
    assert found is not None
    assert found.shape == wanted.shape
    return ((found - wanted).abs() / wanted.abs().clamp(min=1)).max().item()


def by_steps(net: Network, x: Tensor) -> Tensor | None:
    """Frames one by one, then the end; each output is due at its own frame."""
    net.reset()
    parts: list[Tensor | None] = []
    for t in range(x.shape[2]):
        y = net.forward_step(x[:, :, t])
        due = t >= net.delay and (t - net.delay) % net.graph.stride == 0
        assert (y is not None) == due, f"frame {t}"
        parts.append(None if y is None else y.unsqueeze(2))
    return joined([*parts, net.flush()])


def by_chunks(net: Network, x: Tensor, seed: int) -> Tensor | None:
    net.reset()
    pieces = list(chunks(x, seed))
    last = len(pieces) - 1
    return joined([net.forward_steps(piece, pad_end=i == last) for i, piece in enumerate(pieces)])


def lengths(net: Network) -> list[int]:
    """Clips as short as can be, shorter than the receptive field, and longer."""
    stride, least = net.graph.stride, net.graph.min_frames
    field = ENDLESS if isinf(net.receptive_field) else int(net.receptive_field)
    return sorted({least, max(least, field - 1), field + 2 * stride + 1})


def test_what_is_in_both_surfaces_is_tested_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(SMALL)
    assert {path.stem for path in FOLDER.glob("*.codsl")} >= set(SMALL)
    assert {path.name for path in FOLDER.iterdir()} == {*(p.name for p in files()), "README.md"}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.codsl")), ids=lambda path: path.name)
def test_every_network_is_tested(path: Path) -> None:
    own = Path(__file__).with_name(f"test_{path.stem}.py")
    assert path.stem in SMALL or own.is_file()


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_checks_without_a_word(path: Path) -> None:
    for variant in (None, *variants(path.stem)):
        graph, warnings = inspect(path, variant=variant)
        assert (graph.name, [*warnings]) == (path.stem, [])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.name)
def test_yaml_names_its_schema(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    modeline = "# yaml-language-server: $schema="
    assert first.startswith(modeline)
    assert (path.parent / first.removeprefix(modeline)).is_file()


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_lines_are_short_and_tell_the_paper(path: Path) -> None:
    text = path.read_text()
    assert max(map(len, text.splitlines())) <= 100
    doc = parsed(path).doc
    assert doc is not None
    assert any(f"{year})" in doc for year in range(2010, 2030))


@pytest.mark.parametrize("name", SMALL)
def test_both_surfaces_give_one_tree(name: str) -> None:
    yaml, text = (
        with_lets_together(by_name(parsed(FOLDER / f"{name}{suffix}")))
        for suffix in (".yaml", ".codsl")
    )
    assert yaml == text


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_both_surfaces_give_one_graph(name: str, variant: str | None) -> None:
    yaml, text = (
        codsl.check(FOLDER / f"{name}{suffix}", variant=variant) for suffix in (".yaml", ".codsl")
    )
    assert yaml.report().to_dict() == text.report().to_dict()
    assert yaml.times == text.times
    nowhere = Span(Source("", ""), 0, 0)
    assert [replace(node, span=nowhere) for node in yaml.nodes] == [
        replace(node, span=nowhere) for node in text.nodes
    ]
    assert yaml.blocks == text.blocks


def rounding(net: Network, dtype: torch.dtype) -> float:
    """How far two orders of summation may be apart: as the root of the products in a sum, which
    `inception` has 2,592 of, times the most that a norm makes of a difference."""
    products = max(node.macs / node.frame.size for node in net.graph.nodes)
    norms = [each for each in net.modules() if isinstance(each, _BatchNorm)]
    factors = (
        (norm.weight.abs() / (norm.running_var + norm.eps).sqrt()).max().item() for norm in norms
    )
    factor = max(factors, default=1.0)
    return max(TOLERANCE[dtype], torch.finfo(dtype).eps * float(products) ** 0.5 * factor)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_stream_equals_clip(name: str, dtype: torch.dtype) -> None:
    net = net_of(name, dtype)
    tolerance = rounding(net, dtype)
    for frames in lengths(net):
        x = clip_of(net, frames, dtype)
        wanted = net(x)
        assert off(by_steps(net, x), wanted) <= tolerance
        assert off(by_chunks(net, x, frames), wanted) <= tolerance


@pytest.mark.parametrize("name", ["squeeze_excitation", "two_rate", "x3d"])
@torch.no_grad()
def test_a_clip_too_short_has_no_output(name: str) -> None:
    net = net_of(name, torch.float32)
    x = clip_of(net, net.graph.min_frames - 1, torch.float32)
    assert by_steps(net, x) is None
    with pytest.raises(ValueError, match=f"{net.graph.min_frames}"):
        net(x)


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_outputs_move(name: str) -> None:
    """Equal streams say nothing of a network that gives the same whatever it sees."""
    net = net_of(name, torch.float64)
    x = clip_of(net, lengths(net)[-1], torch.float64)
    y = net(x)
    assert y.std() > 0.05
    assert (y - net(-x)).abs().max() > 0.05
    assert (y[:, :, 1:] - y[:, :, :-1]).abs().max() > 0.01


@pytest.mark.parametrize("name", SMALL)
@torch.no_grad()
def test_going_on_after_the_end(name: str) -> None:
    """A flush looks at the end without making it so."""
    net = net_of(name, torch.float64)
    x = clip_of(net, lengths(net)[-1], torch.float64)
    half = x.shape[2] // 2
    first = net.forward_steps(x[:, :, :half], pad_end=True, update_state=False)
    assert net.get_state() is None
    start = net.forward_steps(x[:, :, :half])
    ended = joined([start, net.flush()])
    assert (ended is None) == (first is None)
    assert ended is None or torch.equal(ended, first)
    rest = net.forward_steps(x[:, :, half:], pad_end=True)
    assert off(joined([start, rest]), net(x)) <= TOLERANCE[torch.float64]


@pytest.mark.parametrize(
    ("variant", "millions", "reach", "window"),
    [("xs", 3.79, 28, 4), ("s", 3.79, 28, 13), ("m", 3.79, 28, 16), ("l", 6.15, 57, 16)],
)
def test_x3d_is_the_published_network(
    variant: str, millions: float, reach: int, window: int
) -> None:
    """Parameters as its reference implementation counts them; before the pool, output `o` sees
    frames `o - reach` to `o + reach`."""
    graph = codsl.check(FOLDER / "x3d.yaml", variant=variant)
    assert round(graph.parameters / 1e6, 2) == millions
    rows = {row.path: row for row in graph.report().nodes}
    assert rows["head.expand"].delay == reach
    assert rows["head.expand"].receptive_field == 2 * reach + 1
    assert graph.delay == reach + window - 1
    assert graph.stride == 1


def test_keys_are_the_names_written() -> None:
    keys = set(net_of("x3d", torch.float32).state_dict())
    assert {"stem.conv_s.weight", "stage2.block1.conv_b.weight", "head.classify.bias"} <= keys
    assert {"stage3.block3.se.down.weight", "stage2.block1.project_norm.running_var"} <= keys
    assert "stage3.block2.se.down.weight" not in keys
    assert "stage1.block1.project_norm.weight" not in keys


def test_the_images_of_cnn_lstm_see_resnet_18() -> None:
    """Parameters as torchvision counts those of its ResNet-18, without the last layer."""
    graph = codsl.check(FOLDER / "cnn_lstm.yaml")
    backbone = graph.block("backbone")
    assert backbone.parameters == 11_689_512 - 1000 * 513
    assert (backbone.receptive_field, graph.receptive_field, graph.delay) == (1, float("inf"), 0)
    keys = {f"{node.path}.{name}" for node in graph.nodes for name in node.weights}
    assert {"backbone.layer2.block1.downsample.conv.weight", "lstm.weight_hh_l0"} <= keys
