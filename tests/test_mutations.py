"""Random small mutations of the networks give a graph or located diagnostics, nothing else."""

import random
import re
import time
from functools import cache
from pathlib import Path

import pytest
import torch

import codsl
from codsl.layers.activation import ReLU
from effort import ENDLESS

FOLDER = Path(__file__).parents[1] / "networks"
NETWORKS = sorted(path for path in FOLDER.glob("*.*") if path.suffix in (".yaml", ".codsl"))
PORTS = [
    """codsl 1
network two(width = 4, classes = 3) {
  inputs rgb (3, T, 12, 12) rate 30, flow (2, T, 12, 12)
  outputs head, near.norm, tap[*].out
  near = {
    conv = conv3d(width, 3, padding=1) from rgb
    norm = batch_norm3d
  }
  far = conv3d(width, (5, 1, 1), padding="causal") from flow
  tap[i in 1..2] = { out = conv3d(i, 1) } from far
  join("sum") from near, far
  head = conv3d(classes, (1, 3, 3))
}
""",
    """codsl: 1
name: two
inputs: {rgb: [3, T, 12, 12], flow: {shape: [2, T, 12, 12], rate: 30}}
outputs: [head, near.norm, "tap[*].out"]
layers:
  - sequential:
      name: near
      layers:
        - conv3d: {name: conv, from: rgb, out_channels: 4, kernel_size: 3, padding: 1}
        - batch_norm3d: {name: norm}
  - conv3d: {name: far, from: flow, out_channels: 4, kernel_size: [5, 1, 1], padding: causal}
  - repeat:
      name: tap
      index: i
      range: [1, 2]
      layer:
        sequential:
          layers: [{conv3d: {name: out, out_channels: $i, kernel_size: 1}}]
  - join: {aggregation: sum, from: [near, far]}
  - conv3d: {name: head, out_channels: 3, kernel_size: [1, 3, 3]}
""",
]
"""Networks of several inputs and outputs."""
ROUNDS = 5000
SMALL = 20_000
"""Parameters of a mutant that is also built, at most."""
CHARACTERS = [
    *"()[]{}:,=$*#\"'-+/<>. \n\t\\&!|%@`~^?;_0123456789abTx",
    *("é", "漢", "\u202e", "$(", "**", "..", "true", "null", "1e-5", "- ", "99999999", "<<: "),
]
TOKENS = re.compile(r"\w+|\s+|[^\w\s]")


def mutant(chance: random.Random, text: str) -> str:
    """The text with one or two characters, or one token, put in, left out or exchanged."""
    if chance.random() < 0.5:
        for _ in range(chance.choice((1, 1, 2))):
            at = chance.randrange(len(text))
            way = chance.randrange(3)
            new = chance.choice(CHARACTERS) if way else ""
            text = text[:at] + new + text[at + (way != 1) :]
        return text
    tokens = TOKENS.findall(text)
    words = [at for at, token in enumerate(tokens) if not token.isspace()]
    one, other = chance.sample(words, 2)
    match chance.randrange(4):
        case 0:
            tokens[one] = ""
        case 1:
            tokens[one] += f" {tokens[one]}"
        case 2:
            tokens[one], tokens[other] = tokens[other], tokens[one]
        case _:
            tokens[one] = tokens[other]
    return "".join(tokens)


def outcome(text: str) -> codsl.Graph | codsl.SpecError:
    """What `check` makes of a text, in time."""
    began = time.process_time()
    found = _found(text)
    assert time.process_time() - began < ENDLESS
    if isinstance(found, codsl.SpecError):
        assert any(each.span is not None for each in found.diagnostics), str(found)
        assert str(found).startswith("error[E")
    return found


def _found(text: str) -> codsl.Graph | codsl.SpecError:
    try:
        return codsl.check(text, root=FOLDER)
    except codsl.SpecError as error:
        return error


@cache
def originals() -> tuple[list[str], list[float]]:
    """What is mutated, and how often: a long text takes long and breaks no other way than a short
    one."""
    texts = [*(path.read_text("utf-8") for path in NETWORKS), *PORTS]
    return texts, [len(text) ** -1.5 for text in texts]


def mutants(rounds: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [mutant(chance, text) for text in chance.choices(*originals(), k=rounds)]


@pytest.mark.first
@pytest.mark.parametrize("seed", range(5))
def test_mutants_give_graphs_or_diagnostics(seed: int) -> None:
    graphs = 0
    for text in mutants(ROUNDS // 5, seed):
        try:
            graphs += isinstance(outcome(text), codsl.Graph)
        except Exception as error:
            error.add_note(text)
            raise
    assert 0.05 < graphs / (ROUNDS // 5) < 0.95


def test_small_mutants_are_built_and_run() -> None:
    built = 0
    for text in mutants(400, 99):
        graph = outcome(text)
        if not isinstance(graph, codsl.Graph) or graph.parameters > SMALL or built == 12:
            continue
        if graph.input.size * graph.min_frames > 50_000:
            continue
        net = codsl.build(graph).eval()
        built += 1
        with torch.no_grad():
            xs = {
                inlet.name: torch.zeros(
                    1, inlet.frame.channels, graph.min_frames, *inlet.frame.space
                )
                for inlet in graph.inputs
            }
            ys = net(xs) if graph.inputs[0].name else net(xs[""])
            ys = ys if graph.outputs[0].name else {"": ys}
            for outlet in graph.outputs:
                assert ys[outlet.name].shape[1] == graph.frames[outlet.value].channels
    assert built


def test_a_row_that_breaks_is_no_diagnostic(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(self: ReLU, x: object) -> object:
        raise TypeError("a mistake of the programmer")

    monkeypatch.setattr(ReLU, "fit", breaks)
    with pytest.raises(TypeError, match="of the programmer"):
        list(map(outcome, mutants(50, 0)))
