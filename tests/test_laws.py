"""The laws of the house: which way imports go, what loads torch, and that a layer is one row."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import pytest
import torch
from jsonschema import Draft202012Validator
from torch import Tensor

import codsl
import laws
from codsl.algebra.extent import Window
from codsl.algebra.shape import Frame
from codsl.algebra.time import IDENTITY, Time, sees
from codsl.layers.arguments import Count, Real
from codsl.layers.recipe import Call, Recipe, Windowed
from codsl.layers.row import ANY_RANK, Layer
from codsl.layers.table import registrations, table
from codsl.spec.manual import manual
from codsl.spec.published import published
from codsl.spec.schema import schema
from harness.contract import contract

SOURCES = laws.sources()
CHECKERS = [
    laws.wrong_ways,
    laws.wrong_ways_within,
    laws.cycles,
    laws.torch_out_of_place,
    laws.asserts,
    laws.prints,
    laws.type_questions,
]


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker.__name__)
def test_the_sources_keep_the_law(checker: Any) -> None:
    assert len(SOURCES) > 40
    assert checker(SOURCES) == []


PLANTED = [
    (laws.wrong_ways, "codsl.layers.planted", "from codsl.source import Span"),
    (laws.wrong_ways, "codsl.layers.planted", "from codsl.diagnostics import Findings"),
    (laws.wrong_ways, "codsl.algebra.planted", "import codsl.layers.row"),
    (laws.wrong_ways, "codsl.graph.planted", "from codsl.syntax import tree"),
    (laws.wrong_ways, "codsl.graph.planted", "def f():\n    from codsl.report import table"),
    (laws.wrong_ways, "codsl.nn.planted", "from codsl.syntax.read import read"),
    (laws.wrong_ways, "codsl.weights.planted", "from codsl.pretrained import from_pretrained"),
    (laws.wrong_ways, "codsl.nn.planted", "from codsl import spec"),
    (laws.wrong_ways, "codsl.spec.planted", "from codsl.graph.graph import Graph"),
    (
        laws.wrong_ways,
        "codsl.syntax.planted",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from codsl.spec import spec",
    ),
    (laws.wrong_ways, "codsl.utils.planted", ""),
    (laws.wrong_ways_within, "codsl.nn.running.planted", "from codsl.nn.tracing import tracing"),
    (laws.wrong_ways_within, "codsl.nn.functions.planted", "import codsl.nn.running.state"),
    (laws.wrong_ways_within, "codsl.nn.kitchen.planted", ""),
    (laws.torch_out_of_place, "codsl.layers.planted", "import torch"),
    (laws.torch_out_of_place, "codsl.graph.planted", "from torch.nn import functional"),
    (laws.torch_out_of_place, "codsl.report.planted", "from codsl.nn.running.state import State"),
    (laws.torch_out_of_place, "codsl.graph.planted", "def f():\n    import torch"),
    (laws.torch_out_of_place, "codsl.media.planted", "def f():\n    from codsl import network"),
    (laws.torch_out_of_place, "codsl.pipeline", "import torch"),
    (laws.torch_out_of_place, "codsl.cli.main", "from codsl.cli import playback"),
    (laws.asserts, "codsl.spec.planted", "def f(x):\n    assert x"),
    (laws.prints, "codsl.nn.planted", "def f(x):\n    print(x)"),
    (laws.prints, "codsl.nn.planted", "def f(x):\n    sys.stderr.write(x)"),
    (laws.type_questions, "codsl.graph.planted", "if node.type == 'conv3d': pass"),
    (laws.type_questions, "codsl.graph.planted", "x = node.type in ('relu', 'silu')"),
    (laws.type_questions, "codsl.graph.planted", "x = node.type.startswith('conv')"),
    (laws.type_questions, "codsl.graph.planted", "x = TABLE[node.type]"),
    (laws.type_questions, "codsl.graph.planted", "match node.type:\n    case 'relu': pass"),
]


@pytest.mark.parametrize(
    ("checker", "module", "text"),
    PLANTED,
    ids=[f"{c.__name__}-{i}" for i, (c, *_) in enumerate(PLANTED)],
)
def test_a_planted_breach_is_found(checker: Any, module: str, text: str) -> None:
    """A law that cannot fail is none."""
    found = checker({**SOURCES, module: text})
    assert any(entry.startswith(module) or "front door" in entry for entry in found)


def test_a_planted_circle_is_found() -> None:
    one, two = "codsl.nn.one", "codsl.nn.two"
    planted = {**SOURCES, one: f"import {two}", two: f"def f():\n    from {one} import f"}
    assert laws.cycles(planted) == [f"{one} -> {two} -> {one}"]


def run(program: str) -> str:
    """What a program of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


TEXT = "codsl 1\\nnetwork n {\\n input (3, T, 8)\\n a = conv2d(4, 3)\\n residual { relu }\\n}\\n"
ASK = f"import sys, codsl; g = codsl.check('{TEXT}'); str(g.report()); g.report().to_json(); "


def test_checking_and_reporting_load_no_torch() -> None:
    heavy = ("torch", "numpy", "av", "rich")
    loaded = json.loads(run(f"{ASK} import json; print(json.dumps(sorted(sys.modules)))"))
    assert "codsl.graph.graph" in loaded
    assert not set(heavy) & set(loaded)


def test_what_loads_torch_would_be_seen() -> None:
    loaded = run(f"{ASK} codsl.build(g); print('torch' in sys.modules)")
    assert loaded.strip() == "True"


NAMES = set(table())


def test_the_grammar_names_no_layer() -> None:
    grammar = (laws.PACKAGE / "syntax" / "grammar.lark").read_text()
    assert laws.layers_in_grammar(grammar, NAMES) == set()
    assert laws.layers_in_grammar(grammar + '\nfast: "conv3d" arguments\n', NAMES) == {"conv3d"}


def test_the_front_ends_name_no_layer() -> None:
    assert laws.layers_in_strings(SOURCES, "syntax", NAMES) == []
    planted = {**SOURCES, "codsl.syntax.planted": "KNOWN = {'silu': 1}"}
    assert laws.layers_in_strings(planted, "syntax", NAMES) == ["codsl.syntax.planted:1: 'silu'"]


def spread(x: Tensor, taps: int, gain: float) -> Tensor:
    """The largest less the smallest of `taps` items."""
    window = x.unfold(2, taps, 1)
    return gain * (window.amax(-1) - window.amin(-1))


@final
@dataclass(frozen=True)
class MovingSpread(Layer):
    """The largest less the smallest of the last `taps` items, times `gain`."""

    rank: ClassVar[int] = ANY_RANK
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = ({"taps": 3}, {"taps": 2, "gain": 0.5})
    taps: Count
    gain: Real = 1.0

    def shape(self, x: Frame) -> Frame:
        return x

    def _over(self) -> Window:
        return Window(self.taps, before=self.taps - 1)

    def time(self) -> Time:
        return sees(self._over())

    def weights(self, x: Frame) -> Mapping[str, tuple[int, ...]]:
        return {}

    def macs(self, x: Frame, y: Frame) -> int:
        return 0

    def space(self, x: Frame) -> tuple[Time, ...]:
        return (IDENTITY,) * len(x.space)

    def recipe(self, x: Frame) -> Recipe:
        what = Call("spread", {"taps": self.taps, "gain": self.gain})
        return Windowed("Identity", {}, self._over(), what)


@pytest.fixture
def registered() -> Iterator[None]:
    """The row above in the table, for as long as a test takes."""
    with registrations():
        assert codsl.register(MovingSpread, spread) is MovingSpread
        yield


BOTH = (
    "codsl 1\nnetwork n {\n input (2, T, 3)\n"
    " residual { s = moving_spread(3, gain=0.5)\n conv2d(2, 3, padding=1) }\n}\n",
    "codsl: 1\nname: n\ninput: [2, T, 3]\nlayers:\n  - residual:\n      layers:\n"
    "        - moving_spread: {name: s, taps: 3, gain: 0.5}\n"
    "        - conv2d: {out_channels: 2, kernel_size: 3, padding: 1}\n",
)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("text", BOTH, ids=["text", "yaml"])
def test_a_row_of_a_test_is_a_layer(text: str) -> None:
    """Parsed, checked, built and streamed, without a line elsewhere."""
    graph = codsl.check(text)
    assert [node.path for node in graph.nodes] == ["s", "conv2d", "sum"]
    assert (graph.receptive_field, graph.delay) == (5, 1)
    net = codsl.build(graph, dtype=torch.float64).eval()
    contract(net)
    x = torch.randn(1, 2, 6, 3, dtype=torch.float64)
    padded = torch.cat([torch.zeros_like(x[:, :, :2]), x], 2)
    assert torch.equal(net.get_submodule("s")(x), spread(padded, 3, 0.5))


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("example", MovingSpread.examples)
@pytest.mark.parametrize("space", [[], [3], [3, 2]])
def test_its_examples_keep_the_contract(example: dict[str, Any], space: list[int]) -> None:
    spec = {"codsl": 1, "input": [2, "T", *space], "layers": [{"moving_spread": example}]}
    contract(codsl.build(spec, dtype=torch.float64).eval())


@pytest.mark.usefixtures("registered")
def test_it_is_in_the_schema_with_its_manual() -> None:
    assert "moving_spread" in published(table())
    assert "The largest less the smallest" in published(table())
    assert "The largest less the smallest" in manual(table())
    validator = Draft202012Validator(schema(table()))
    good = {"codsl": 1, "input": [2, "T"], "layers": [{"moving_spread": {"taps": 3}}]}
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "layers": [{"moving_spread": {"taps": 0}}]})
    assert not validator.is_valid({**good, "layers": [{"moving_spread": {"taps": 3, "tap": 3}}]})


@pytest.mark.usefixtures("registered")
def test_its_mistakes_are_diagnostics() -> None:
    with pytest.raises(codsl.SpecError) as error:
        codsl.check(BOTH[0].replace("(3, gain", "(0, gain"))
    (found,) = error.value.diagnostics
    assert found.span.text == "0"
    with pytest.raises(ValueError, match="layer already"):
        codsl.register(type("Conv3d", (MovingSpread,), {}))


@pytest.mark.parametrize("text", BOTH, ids=["text", "yaml"])
def test_it_is_gone_with_its_test(text: str) -> None:
    assert "moving_spread" not in table()
    with pytest.raises(codsl.SpecError, match="moving_spread"):
        codsl.check(text)
