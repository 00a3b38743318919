"""A state belongs to one network: another refuses it, and says how it differs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from states import SPEC, after, bare, built, on_file, same

import codsl
from codsl.graph.fingerprint import written

OTHERS = {
    "kernel": ("conv2d(4, 3, p", "conv2d(4, 5, p", "`input:items` is 3 x 2 x 4, here 3 x 4 x 4"),
    "width": ("conv = conv2d(4", "conv = conv2d(1", "`body.conv:items` is 4 x 0 x 4, here 1 x"),
    "names": ("head = linear", "tail = linear", "`head` is not here; `tail` is new here"),
    "depth": (
        ", padding=(1, 0))\n  flatten",
        ")\n  delay(2)\n  flatten",
        "it lacks `delay:items`",
    ),
    "an activation": ("act = tanh", "act = relu", "`body.act` is another here"),
    "fill": ('temporal_fill="replicate"', "bias=true", "`body.conv` is another here"),
    "input": ("input (3", "input (2", "`input:items` is 3 x 2 x 4, here 2 x 2 x 4"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_state_of_another_network_is_refused_with_the_difference(
    what: str, tmp_path: Path
) -> None:
    old, new, words = OTHERS[what]
    assert old in SPEC
    net, other = built(), built(SPEC.replace(old, new))
    assert net.graph.fingerprint != other.graph.fingerprint
    state = after(net, 7)
    state.save(tmp_path / "state")
    with pytest.raises(ValueError, match=f"of another network: .*{words}"):
        other.load_state(tmp_path / "state")
    with pytest.raises(ValueError, match=f"of another network: .*{words}"):
        other.set_state(state)
    assert other.get_state() is None


def test_differences_of_states_by_hand(tmp_path: Path) -> None:
    network = codsl.check(SPEC).fingerprint
    state = bare(1, 2, names=("a", "b"))
    assert state.difference(("a", "b"), ((1,), (2,)), network) == ""
    assert state.difference(("a", "c"), [(1,), (2,)], network) == ""
    with pytest.raises(ValueError, match="zip"):
        state.difference(("a", "b", "c"), ((1,), (3,)), network)
    assert bare(2).difference(("a",), ((3,),), network) == "it lacks `a`"
    assert state.difference(("b", "a"), ((2,), (1,)), network) == (
        "it keeps [(1,), (2,)], here it is [(2,), (1,)]"
    )
    assert state.difference(("a",), ((1,),), network) == "it keeps `b`, which is not kept here"
    assert state.difference(("a", "b"), ((1,), ()), network) == "`b` is 2, here one number"
    three = bare(1, 2, 3, names=("a", "b", "c")).difference((), (), network)
    assert three == "; ".join(f"it keeps `{name}`, which is not kept here" for name in "abc")
    with pytest.raises(ValueError, match="zip"):
        bare(1, 2, names=("a",)).save(tmp_path / "state")
    assert same(on_file(bare(1, 2), tmp_path), bare(1, 2, names=("0", "1")))


def test_three_differences_are_named() -> None:
    layers = [{"conv1d": {"name": f"c{i}", "out_channels": 2, "kernel_size": 3}} for i in range(6)]
    wide = [{"conv1d": {**each["conv1d"], "kernel_size": 5}} for each in layers]
    one, other = (built({"codsl": 1, "input": [2, "T"], "layers": x}) for x in (layers, wide))
    with pytest.raises(ValueError, match="another network") as caught:
        other.set_state(one.init_state())
    assert str(caught.value).count("here") == 3
    assert str(caught.value).endswith(", and 3 more")


def test_weights_do_not_make_another_network(tmp_path: Path) -> None:
    net = built()
    state = after(net, 7)
    torch.manual_seed(99)
    codsl.build(SPEC).set_state(on_file(state, tmp_path))
    assert codsl.check(SPEC).fingerprint == net.graph.fingerprint


PINNED = {
    "layers": [
        {"conv1d": {"name": "a", "out_channels": 4, "kernel_size": 3, "padding": 1}},
        "relu",
        {"avg_pool1d": {"kernel_size": 2}},
    ],
    "digest": "1ed428db9aac112c7d70014347e2814aa2b2b1272ae66a53ea5c1771f8afc14b",
}

PRINT = f"""
import codsl
spec = {{"codsl": 1, "input": [3, "T"], "layers": {PINNED["layers"]!r}}}
print(codsl.check(spec).fingerprint.digest)
"""


@pytest.mark.parametrize("seed", ["0", "1"])
def test_a_fingerprint_is_the_same_in_every_process(seed: str) -> None:
    """Also in years: states on file are told apart by it."""
    done = subprocess.run(
        [sys.executable, "-c", PRINT],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == PINNED["digest"]


def test_values_are_written_without_what_changes_between_processes() -> None:
    assert written({"b": 1, "a": (1.5, None, True)}) == "{a:(1.5,None,True),b:1}"
    assert written({3, 1, 2}) == "{1,2,3}"
    assert written(torch.nn.functional.relu) == "torch.nn.functional.relu"
    assert written(object()) == "object"
    assert written([float("inf")]) == "(inf)"
