"""What is given to load: envelopes, terms of the caller or of the spec, what is no checkpoint."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from loading import SPEC, alike, network, refused, said, tensors, values
from torch import nn

import codsl
from codsl.weights import WeightsError, read


@pytest.mark.parametrize(
    "tree",
    [
        lambda flat: {"epoch": 3, "state_dict": flat, "optimizer": {"state": {0: flat}}},
        lambda flat: {"model_state": flat, "cfg": "text", "best": torch.tensor(0.5)},
        lambda flat: {"model": {"state_dict": flat}},
        lambda flat: {f"module.{name}": each for name, each in flat.items()},
        lambda flat: {f"_orig_mod.{name}": each for name, each in flat.items()},
        lambda flat: {"state_dict": {f"module._orig_mod.{n}": each for n, each in flat.items()}},
        lambda flat: {name.replace(".", "/"): each for name, each in flat.items()},
        lambda flat: {"net": {n.split(".")[0]: 0 for n in flat} | flat},
    ],
)
def test_envelopes_are_opened(tree: Any) -> None:
    given = tree(tensors())
    found = read(given)
    assert sorted(found) == sorted(tensors())
    net = network()
    codsl.load_weights(net, given)
    assert alike(values(net), tensors())


def test_an_envelope_may_be_chosen() -> None:
    given = {"model": tensors(1), "model_ema": tensors(2)}
    net = network()
    codsl.load_weights(net, given)
    assert alike(values(net), tensors(1))
    codsl.load_weights(net, given, envelope="model_ema")
    assert alike(values(net), tensors(2))
    assert "there is `model`, `model_ema`" in said(refused(given, envelope="ema"))


def test_a_part_of_a_larger_network_may_be_chosen() -> None:
    """By what its names begin with, on its own or below a key."""
    flat = {f"encoder.{name}": each for name, each in tensors().items()}
    whole = {**flat, "decoder.conv.weight": torch.zeros(3), "encoders.bias": torch.zeros(2)}
    for tree, envelope in ((whole, "encoder"), ({"ema": whole}, "ema.encoder")):
        net = network()
        report = codsl.load_weights(net, tree, envelope=envelope)
        assert report.opened == tuple(envelope.split("."))
        assert all(map(torch.equal, net.state_dict().values(), tensors().values()))
    assert "has no `coder` to open" in said(refused(whole, envelope="coder"))


def test_an_envelope_may_be_chosen_of_what_is_read_already() -> None:
    given = {"train": {"ema": tensors(2)}, "state": tensors(1)}
    for found in (read(given), read(given, envelope="train"), read(given, envelope="train.ema")):
        net = network()
        report = codsl.load_weights(net, found, envelope="train.ema")
        assert report.opened == ("train", "ema")
        assert alike(values(net), tensors(2))
    net = network()
    only = read({"model": tensors(1), "model_ema": tensors(2)})
    assert "has no `model_ema` to open" in said(refused(only, envelope="model_ema"))
    codsl.load_weights(net, only, envelope="model")
    assert alike(values(net), tensors(1))


def test_what_looks_like_an_envelope_beside_weights_is_none() -> None:
    given = {"model": {"w": torch.ones(2)}, "head": {"w": torch.ones(3)}}
    assert list(read(given)) == ["model.w", "head.w"]


def test_a_flax_tree() -> None:
    given = {
        "params": {"bn": {"scale": np.ones(3), "bias": np.zeros(3)}},
        "batch_stats": {"bn": {"mean": np.zeros(3), "var": np.ones(3)}},
    }
    assert list(read(given)) == ["bn.scale", "bn.bias", "bn.mean", "bn.var"]
    net = codsl.build("codsl 1\nnetwork n { input (3, T)\n bn = batch_norm1d }")
    assert len(codsl.load_weights(net, given, layout="flax").loaded) == 4


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"layout": "kera"}, "did you mean `keras`"),
        ({"rename": {"a{": "b"}}, "brace"),
        ({"rename": {"a": 3}}, "no pair of patterns"),
        ({"adapt": {"head.weight": "inflat"}}, "there is no adapter"),
        ({"known": "hub"}, "knows no checkpoint"),
        ({"allow_missing": ["a..b"]}, "without a name"),
        ({"allow_unexpected": [3]}, "`3` is no pattern"),
        ({"adapt": {3: "pointwise"}}, "`3` is no pattern"),
        ({"adapt": {"head.weight": None}}, "with the name of an adapter"),
        ({"rename": "a\0b"}, "null byte"),
        ({"layout": ""}, "there is no layout"),
    ],
)
def test_terms_that_cannot_be(terms: Any, words: str) -> None:
    assert words in said(refused(tensors(), **terms))


def test_wrong_use_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="list of patterns"):
        codsl.load_weights(network(), tensors(), allow_missing="head")
    with pytest.raises(TypeError, match="has its rules"):
        codsl.load_weights(network(), tensors(), known="a", layout="keras")


KNOWN = """
weights "hub" { layout = "keras"  "m.{rest}" -> "{rest}" }
weights "raw" { "r.{rest}" -> "{rest}" }
"""


def test_checkpoints_that_the_spec_knows() -> None:
    net = codsl.build(SPEC + KNOWN)
    given = {f"r.{name}": each for name, each in tensors().items()}
    report = codsl.load_weights(net, given)
    assert report.checkpoint == "raw"
    assert alike(values(net), tensors())
    assert codsl.load_weights(net, given, known="raw").checkpoint == "raw"
    assert codsl.load_weights(net, tensors()).checkpoint is None
    with pytest.raises(WeightsError, match="renames nothing"):
        codsl.load_weights(net, given, known="hub")
    with pytest.raises(WeightsError, match="none of the checkpoints that the spec knows"):
        codsl.load_weights(net, {"x": torch.ones(1)})
    built = codsl.build(SPEC + KNOWN, weights=given)
    assert alike(values(built), tensors())
    short = {name: each for name, each in given.items() if name != "r.head.bias"}
    with pytest.raises(WeightsError, match="nearest to `raw`") as error:
        codsl.load_weights(net, short)
    assert "`head.bias`" in str(error.value)
    twice = codsl.build(SPEC + KNOWN + 'weights "too" { "r.{rest}" -> "{rest}" }')
    with pytest.raises(WeightsError, match="`raw` or `too`"):
        codsl.load_weights(twice, given)


@pytest.mark.parametrize(
    ("word", "value", "words"),
    [
        ("layout", ["keras"], "layout is a text, not list"),
        ("known", 3, "known is a text, not int"),
        ("envelope", ("a", "b"), "envelope is a text, not tuple"),
        ("adapt", ["head.weight"], "adapt is a mapping of patterns to adapters, not list"),
        ("rename", 3, "rename is a mapping, a list of rules, or the path of a file, not int"),
        ("rename", [("a", "b")], "a rule is a text `source -> target`, not tuple"),
        ("allow_missing", b"a", "a list of patterns, not bytes"),
    ],
)
def test_what_is_of_another_type(word: str, value: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        codsl.load_weights(network(), tensors(), **{word: value})


def test_what_is_no_network(tmp_path: Any) -> None:
    for given, kind in (({}, "dict"), (None, "NoneType")):
        with pytest.raises(TypeError, match=f"a network is a module of torch, not {kind}"):
            codsl.load_weights(given, tensors())
        with pytest.raises(TypeError, match=f"a network is a module of torch, not {kind}"):
            codsl.save_weights(given, tmp_path / "n.npz")
    with pytest.raises(TypeError, match="known is a text, not list"):
        codsl.save_weights(network(), tmp_path / "n.npz", known=["hub"])
    with pytest.raises(TypeError, match="envelope is a text, not int"):
        read(tensors(), envelope=3)


def test_what_is_no_checkpoint_and_no_list() -> None:
    with pytest.raises(TypeError, match=r"as of `state_dict\(\)`, not Linear"):
        codsl.load_weights(network(), nn.Linear(2, 2))
    for given, kind in (("head.{}", "str"), (True, "bool")):
        with pytest.raises(TypeError, match=f"a list of patterns, not {kind}"):
            codsl.load_weights(network(), tensors(), allow_missing=given)
    assert "`*` in `head.*` is no hole" in said(refused(tensors(), allow_missing=["head.*"]))


def test_a_rule_of_a_spec_may_be_for_another_variant() -> None:
    rules = 'weights "other" { "h.{rest}" -> "head.{rest}"  "p.{rest}" -> "pool.{rest}" }\n'
    given = {name.replace("head.", "h."): each for name, each in tensors().items()}
    net = codsl.build(SPEC + rules)
    assert codsl.load_weights(net, given).checkpoint == "other"
    assert codsl.load_weights(net, given, known="other").checkpoint == "other"
    idle = rules.replace('"pool.', '"stem.')
    with pytest.raises(WeightsError, match=r"`p\.\{rest\} -> stem\.\{rest\}` renames nothing"):
        codsl.load_weights(codsl.build(SPEC + idle), given, known="other")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (torch.zeros(3, device="meta"), "E0610"),
        (torch.zeros(3).to_sparse(), "E0610"),
        (np.zeros(3, "i4,f4"), "E0610"),
        (np.zeros(3, np.longdouble), "E0610"),
        (functools.reduce(lambda inner, _: {"x": inner}, range(5000), np.zeros(1)), "E0603"),
    ],
)
def test_what_is_no_array_in_memory(given: Any, code: str) -> None:
    with pytest.raises(WeightsError, match=code):
        read({"head.weight": given})


def test_what_a_list_holds_is_told_by_its_place(tmp_path: Path) -> None:
    """As where a program saves a network and its optimizer, or two networks, side by side."""
    path, both = tmp_path / "both.pt", [tensors(1), tensors(2)]
    for given in (both, tuple(both)):
        torch.save(given, path)
        assert list(read(path)) == [f"{at}.{name}" for at in (0, 1) for name in tensors()]
        net = network()
        codsl.load_weights(net, path, envelope="1")
        assert alike(values(net), tensors(2))
    assert list(read({"params": both}, envelope="params.0")) == list(tensors())
