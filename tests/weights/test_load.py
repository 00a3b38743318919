"""Loading by name: all or nothing, what is reported, and what is refused with which remedy."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from loading import SPEC, alike, network, refused, said, tensors, values
from torch import nn

import codsl
from codsl.weights import WeightsError
from codsl.weights.layouts import LAYOUTS


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
    path.write_bytes(b"\xef\xbb\xbf" + b"model.{rest} -> {rest}\r\n")
    codsl.load_weights(net, given, rename=path)
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


def test_counters_that_were_made_floats_are_left_out() -> None:
    """As where all of a `state_dict` is halved."""
    net, counter = network(), "stem.bn.num_batches_tracked"
    report = codsl.load_weights(net, {name: each.half() for name, each in tensors().items()})
    assert report.kept == report.skipped == (counter,)


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


def test_what_a_rule_took_away_is_said() -> None:
    found = refused(tensors(), rename="head.{x} -> tail.{x}")
    assert "`head.weight` is there, and renamed by `head.{x} -> tail.{x}`" in said(found)


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


@pytest.mark.parametrize("name", ["stem.conv.weight", "stem.bn.running_var", "head.bias"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_number_is_another_shape(name: str, layout: str) -> None:
    found = refused({**tensors(), name: torch.tensor(1.0)}, layout=layout)
    assert f"`{name}` is (), and `{name}` takes" in said(found)
    assert "E0609" in {each.code for each in found}


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


def test_numbers_that_are_too_large_are_said_once() -> None:
    large = {name: each.double() + 1e300 for name, each in tensors().items() if each.dim()}
    found = refused({**tensors(), **large})
    assert [each.code for each in found] == ["E0610"]
    assert "so it is with " in said(found)


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
