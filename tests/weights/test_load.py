"""Loading by name: all or nothing, what is reported, and what is refused with which remedy."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import codsl
from codsl.weights import WeightsError, read
from harness.contract import randomise

SPEC = """codsl 1
network n {
  input (3, T, 8)
  stem = { conv = conv2d(4, (3, 3), padding=(1, 1)) bn = batch_norm2d }
  stage[i in 1..3] = residual { conv = conv2d(4, (3, 1), padding=(1, 0)) }
  flatten
  head = linear(5)
}
"""


def network(seed: int = 0, dtype: torch.dtype = torch.float32) -> codsl.Network:
    torch.manual_seed(seed)
    net = codsl.build(SPEC, dtype=dtype)
    randomise(net, seed)
    return net


def tensors(seed: int = 1) -> dict[str, torch.Tensor]:
    return {name: each.clone() for name, each in network(seed).state_dict().items()}


def values(net: nn.Module) -> dict[str, torch.Tensor]:
    return {name: each.clone() for name, each in net.state_dict().items()}


def alike(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return list(left) == list(right) and all(torch.equal(left[name], right[name]) for name in left)


def refused(given: Any, **terms: Any) -> list[Any]:
    """What is wrong; nothing of the network may have changed."""
    net = network()
    before = values(net)
    with pytest.raises(WeightsError) as error:
        codsl.load_weights(net, given, **terms)
    assert alike(values(net), before)
    assert str(error.value)
    return list(error.value.diagnostics)


def said(found: list[Any]) -> str:
    return "\n".join(map(str, found))


def test_by_the_same_names() -> None:
    net, given = network(), tensors()
    report = codsl.load_weights(net, given)
    assert alike(values(net), given)
    assert [each.name for each in report.loaded] == list(given)
    assert not report.renamed
    assert not report.converted
    assert not report.cast
    assert "loaded     15 tensors" in str(report)


def test_by_rules() -> None:
    net, given = network(), tensors()
    theirs = {
        name.replace("stage", "blocks.").replace("stem", "blocks.0"): each
        for name, each in given.items()
    }
    rules = {"blocks.0.{rest}": "stem.{rest}", "blocks.{i}.{rest}": "stage{i}.{rest}"}
    report = codsl.load_weights(net, theirs, rename=rules)
    assert alike(values(net), given)
    assert len(report.renamed) == 13
    assert "stage{1..3}.conv.weight" in str(report)
    assert codsl.load_weights(net, theirs, rename=[" -> ".join(pair) for pair in rules.items()])


def test_rules_from_a_file(tmp_path: Any) -> None:
    path = tmp_path / "rules.txt"
    path.write_text("# of the trainer\n\nmodel.{rest} -> {rest}   # off\n")
    given = {f"model.{name}": each for name, each in tensors().items()}
    net = network()
    codsl.load_weights(net, given, rename=path)
    assert alike(values(net), tensors())
    codsl.load_weights(net, given, rename=str(path))
    codsl.load_weights(net, given, rename="model.{rest} -> {rest}")
    path.write_text("model.{rest} = {rest}\n")
    assert "is no rule" in said(refused(given, rename=path))
    assert "cannot be read" in said(refused(given, rename=tmp_path / "none.txt"))
    assert "is written `source -> target`" in said(refused(given, rename="a.{x} - {x}"))


def test_counters_may_be_missing() -> None:
    given = tensors()
    del given["stem.bn.num_batches_tracked"]
    net = network()
    report = codsl.load_weights(net, given)
    assert report.kept == ("stem.bn.num_batches_tracked",)
    other = {**tensors(), "head.num_batches_tracked": torch.tensor(3)}
    assert codsl.load_weights(net, other).skipped == ("head.num_batches_tracked",)


def test_missing_and_unexpected() -> None:
    given = tensors()
    given["fc.weight"] = given.pop("head.weight")
    found = refused(given)
    assert [each.code for each in found] == ["E0607", "E0608"]
    assert "for `head.weight`, did you mean `fc.weight` of the same shape?" in said(
        refused({**tensors(), "heads.weight": given["fc.weight"], "head.weight": torch.ones(1)})
    ) or "fc.weight" in said(found)
    net = network()
    before = values(net)
    report = codsl.load_weights(net, given, allow_missing=["head.{x}"], allow_unexpected=["fc.{x}"])
    assert report.kept == ("head.weight",)
    assert report.skipped == ("fc.weight",)
    assert torch.equal(net.state_dict()["head.weight"], before["head.weight"])


def test_one_prefix_is_seen() -> None:
    found = refused({f"model.{name}": each for name, each in tensors().items()})
    assert "a rule: model.{rest} -> {rest}" in said(found)
    inner = codsl.build(SPEC.replace("input (3, T, 8)", "input (3, T, 8)\n  net = {") + "}")
    with pytest.raises(WeightsError, match=r"a rule: \{rest\} -> net\.\{rest\}"):
        codsl.load_weights(inner, tensors())


def test_nothing_in_common_is_an_error_even_where_all_may_be_missing() -> None:
    found = refused({"x": torch.ones(2)}, allow_missing=["{:path}"], allow_unexpected=["x"])
    assert [each.code for each in found] == ["E0607"]


def test_idle_and_hidden_rules() -> None:
    found = refused(tensors(), rename={"blocks.{i}.{rest}": "stage{i}.{rest}"})
    assert "renames nothing" in said(found)
    given = {f"m.{name}": each for name, each in tensors().items()}
    found = refused(given, rename={"m.{rest}": "{rest}", "m.head.{rest}": "head.{rest}"})
    assert "which stands before" in said(found)
    assert [each.code for each in found] == ["E0605"]


def test_two_for_one_place() -> None:
    given = {**tensors(), "old.weight": torch.ones(5, 32)}
    found = refused(given, rename={"old.{rest}": "head.{rest}"})
    assert [each.code for each in found] == ["E0606"]
    assert "for `head.weight` there are `head.weight`, `old.weight`" in said(found)
    found = refused({**tensors(), "head.kernel": torch.ones(32, 5)}, layout="keras")
    assert "E0606" in {each.code for each in found}


def test_another_shape_and_what_would_fit() -> None:
    given = tensors()
    given["stem.conv.weight"] = given["stem.conv.weight"].permute(2, 3, 1, 0)
    found = refused(given)
    assert "it would fit in layout keras or tensorflow or flax" in said(found)
    given["stem.conv.weight"] = torch.ones(4, 3, 3)
    assert "inflate_last" in said(refused(given))
    given["stem.conv.weight"] = torch.ones(4, 1, 3, 3)
    assert "input_channels" in said(refused(given))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (torch.full((5,), 1e300, dtype=torch.float64), "too large for float32"),
        (torch.ones(5, dtype=torch.complex64), "complex64"),
        (torch.ones(5, dtype=torch.int8), "lack their scale"),
        (torch.ones(5, dtype=torch.bool), "bool"),
    ],
)
def test_numbers_that_would_be_lost(value: torch.Tensor, words: str) -> None:
    found = refused({**tensors(), "head.bias": value})
    assert [each.code for each in found] == ["E0610"]
    assert words in said(found)


def test_floats_of_other_sizes_are_cast_and_said() -> None:
    net = network()
    given = {**tensors(), "head.bias": tensors()["head.bias"].to(torch.bfloat16)}
    given["stem.bn.bias"] = given["stem.bn.bias"].double()
    report = codsl.load_weights(net, given)
    assert {each.cast for each in report.cast} == {"bfloat16 to float32", "float64 to float32"}
    assert torch.equal(net.state_dict()["head.bias"], given["head.bias"].float())
    small = network(dtype=torch.bfloat16)
    codsl.load_weights(small, tensors())
    assert torch.equal(small.state_dict()["head.bias"], tensors()["head.bias"].bfloat16())


def test_nan_is_loaded_and_said() -> None:
    given = tensors()
    given["head.bias"][2] = torch.nan
    report = codsl.load_weights(network(), given)
    assert [(each.name, each.nonfinite) for each in report.nonfinite] == [("head.bias", 1)]
    assert "NaN" in str(report)


def test_a_dry_run_copies_nothing() -> None:
    net = network()
    before = values(net)
    report = codsl.load_weights(net, tensors(), dry_run=True)
    assert len(report.loaded) == 15
    assert alike(values(net), before)


def test_any_module_is_a_network() -> None:
    net = nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3))
    given = {
        name: each.numpy()
        for name, each in nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3)).state_dict().items()
    }
    assert len(codsl.load_weights(net, given).loaded) == 7


def test_the_stream_of_what_was_loaded_is_its_clip() -> None:
    net = network().eval()
    codsl.load_weights(net, tensors())
    x = torch.randn(1, 3, 20, 8)
    with torch.no_grad():
        clip = net(x)
        stream = net.forward_steps(x, pad_end=True)
    assert torch.allclose(clip, stream, atol=1e-6)


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
