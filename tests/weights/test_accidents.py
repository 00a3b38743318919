"""What one is told in the accidents that happen: what to do, in less than a screen."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import torch

import codsl
from codsl.spec.renaming import Renaming
from codsl.weights import WeightsError, read
from codsl.weights.complaints import complaints
from codsl.weights.entry import Entry
from codsl.weights.grouping import grouped, listed
from codsl.weights.layouts import forms
from codsl.weights.matching import match
from codsl.weights.places import Place, places_of
from codsl.weights.terms import agree, terms_of
from effort import ENDLESS, calls

SPEC = """codsl 1
network n {
  input (3, T, 8)
  stem = { conv = conv2d(8, 3, bias=false) bn = batch_norm2d relu }
  block[i in 1..9] = {
    a = { conv = conv2d(16, 1, bias=false) bn = batch_norm2d }
    b = { conv = conv2d(8, 3, padding=1, groups=8, bias=false) bn = batch_norm2d }
  }
  adaptive_avg_pool2d(1, kernel_size=4)
  flatten
  head = linear(10)
}
"""
LINES = 24


def network() -> codsl.Network:
    torch.manual_seed(0)
    return codsl.build(SPEC)


NET = network()
OURS = NET.state_dict()


def laid_out(layout: str) -> dict[str, Any]:
    found = {}
    for place in places_of(NET).values():
        if not place.counter:
            form = forms(place, layout)[0]
            found[f"{place.layer}.{form.leaf}"] = form.from_torch(OURS[place.name].numpy())
    return found


def under(prefix: str) -> dict[str, Any]:
    return {f"{prefix}.{name}": each for name, each in OURS.items()}


STATE = {at: {"exp_avg": torch.ones(3), "step": torch.tensor(3.0)} for at in range(40)}
ACCIDENTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "another prefix": (under("backbone"), ("a rule: backbone.{rest} -> {rest}",)),
    "no head": (
        {name: each for name, each in OURS.items() if "head" not in name},
        ('say so by `allow_missing=["head.{}"]` if that is meant',),
    ),
    "other classes": (
        {**OURS, "head.weight": torch.ones(400, 8), "head.bias": torch.ones(400)},
        (
            "so it is with `head.bias`",
            "the file has 400 outputs, and the network 10; `rows[:10]` adapts it",
            "give its name to both `allow_missing` and `allow_unexpected`",
        ),
    ),
    "of MegEngine": (
        laid_out("megengine"),
        ("so it is with `block{2..9}.b.conv.weight`", "it would fit in layout megengine"),
    ),
    "of Keras": (laid_out("keras"), ("most of them are there in layout `keras` or `tensorflow`",)),
    "averaged weights": ({"model_ema": OURS, "epoch": 3}, ('or envelope="model_ema"',)),
    "of an optimizer": ({"optimizer": {"state": STATE}}, ("holds what an optimizer keeps",)),
    "an optimizer's own": ({"state": STATE}, ("holds what an optimizer keeps, and no weights",)),
    "quantised": (
        {name: (each * 10).to(torch.int8) for name, each in OURS.items()},
        ("holds int8", "and 8 more", "quantised numbers lack their scale here", "= help: load"),
    ),
    "two networks": (
        {"student": OURS, "teacher": OURS},
        ('student.{rest} -> {rest}; or envelope="student"', "teacher.{rest} -> {rest}; or"),
    ),
    "another network": (
        {f"layer{i}.{j}.weight": torch.ones(i + 1, j + 1) for i in range(9) for j in range(99)},
        ("rename them by rules",),
    ),
    "a name for terminals": (
        {**OURS, "evil\x1b[31m\nname": torch.ones(2)},
        (r"`evil\x1b[31m\nname`", "`allow_unexpected`"),
    ),
    "each with its own shape": (
        {name: torch.ones(1, 1, 1, 1, 1, at + 3) for at, name in enumerate(OURS)},
        ("takes", "in layout torch"),
    ),
}


@pytest.mark.parametrize("name", ACCIDENTS)
def test_one_is_told_what_to_do(name: str) -> None:
    given, words = ACCIDENTS[name]
    net = network()
    with pytest.raises(WeightsError) as error:
        codsl.load_weights(net, given)
    said = str(error.value)
    assert all(each in said for each in words), said
    assert len(said.splitlines()) <= LINES
    assert max(map(len, said.splitlines())) < 400
    assert all(char.isprintable() for char in said.replace("\n", ""))
    for key, each in net.state_dict().items():
        assert torch.equal(each, OURS[key])


def test_shorter_floats_are_no_accident() -> None:
    report = codsl.load_weights(
        network(),
        {n: each.half() for n, each in OURS.items() if "." in n and each.is_floating_point()},
    )
    assert "float16 to float32" in str(report)


def test_a_head_of_another_size_is_left_where_both_sides_are_allowed() -> None:
    given = {**OURS, "head.weight": torch.ones(400, 8), "head.bias": torch.ones(400)}
    net = network()
    words = ["head.{}"]
    with pytest.raises(WeightsError, match="E0609"):
        codsl.load_weights(net, given, allow_missing=words)
    report = codsl.load_weights(net, given, allow_missing=words, allow_unexpected=words)
    assert report.kept[-2:] == report.skipped == ("head.weight", "head.bias")
    assert torch.equal(net.state_dict()["head.weight"], OURS["head.weight"])


def test_of_two_for_one_place_one_may_be_left_out() -> None:
    given = {**OURS, "old.bias": torch.ones(10)}
    rules = {"old.{rest}": "head.{rest}"}
    net = network()
    with pytest.raises(WeightsError, match="leave out all but one by `allow_unexpected`"):
        codsl.load_weights(net, given, rename=rules)
    report = codsl.load_weights(net, given, rename=rules, allow_unexpected=["head.bias"])
    assert report.skipped == ("head.bias",)
    assert torch.equal(net.state_dict()["head.bias"], given["old.bias"])


def effort(count: int) -> int:
    """The work of matching so many tensors that all go elsewhere, and of saying so."""
    zeros = np.zeros(3, np.float32)
    entries = {f"layers.{at}.attn.w{at % 7}": Entry.of(zeros) for at in range(count)}
    tensors = read(dict.fromkeys(entries, zeros))
    places = {
        f"layer{at}.w": Place(f"layer{at}", "w", "other", (3,), torch.float32)
        for at in range(count)
    }
    terms = terms_of(agree({"layers.{i}.attn.{w}": "other{i}.{w}"}))

    def work() -> None:
        found = complaints(match(places, entries, terms), tensors, terms)
        assert len("\n".join(map(str, found))) < 2000

    return calls(work)


def test_work_grows_with_the_tensors_and_not_with_their_square() -> None:
    effort(10)
    assert effort(2400) < 5 * effort(600)


@pytest.mark.parametrize(
    "names",
    [
        [f"l{at}.w{at % 7}" for at in range(20_000)],
        [".".join(f"{at:017b}") for at in range(0, 100_000, 7)],
        ["1." * 400 + str(at) for at in range(300)],
    ],
)
def test_no_names_make_grouping_endless(names: list[str]) -> None:
    start = time.process_time()
    assert grouped(names)
    assert len(listed(names)) < 8 * 900
    assert time.process_time() - start < ENDLESS


@pytest.mark.parametrize(
    "pattern",
    [
        "{p:path}.b.{i:int}x",
        "{a}.{b}.{c}.{d}.{e}.{p:path}.zz",
        "{i:int}a{j:int}a{k:int}a{x}a{m:int}q",
    ],
)
def test_no_name_makes_a_rule_endless(pattern: str) -> None:
    renaming = Renaming.parse([(pattern, f"q.{pattern}")])
    start = time.process_time()
    for name in ("a." * 499 + "b", "1a" * 500, "a" * 1000, "1" * 1000, "a1b2" * 250, "x" * 100_000):
        for _ in range(20):
            assert renaming.rename(name) == (name, None)
    assert time.process_time() - start < ENDLESS


def lines_of(given: Any) -> dict[str, list[tuple[str, str]]]:
    """By the code of each complaint the words of the spec that it points at, and what it says."""
    with pytest.raises(WeightsError) as error:
        codsl.load_weights(network(), given)
    return {
        each.code: [
            (label.span.source.text[label.span.start : label.span.end], label.text)
            for label in each.labels
        ]
        for each in error.value.diagnostics
    }


def test_complaints_point_at_the_layers_of_the_spec() -> None:
    half = {name: each for name, each in OURS.items() if "stem.bn" not in name}
    assert lines_of({**half, "head.weight": torch.ones(3, 3)}) == {
        "E0609": [("linear", "this layer")],
        "E0607": [("batch_norm2d", "`weight`, `bias`, `running_mean`, `running_var`")],
    }
    assert lines_of({**OURS, "head.weight": torch.ones(10, 8).int()}) == {
        "E0610": [("linear", "this layer")]
    }
    huge = torch.full((10, 8), 1e300, dtype=torch.float64)
    assert lines_of({**OURS, "head.weight": huge}) == {"E0610": [("linear", "this layer")]}


def test_a_network_without_a_spec_has_no_lines() -> None:
    with pytest.raises(WeightsError) as error:
        codsl.load_weights(torch.nn.Linear(2, 3), {"weight": torch.ones(3, 2)})
    assert [each.labels for each in error.value.diagnostics] == [()]
