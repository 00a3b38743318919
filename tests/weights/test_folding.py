"""Norms of a checkpoint in the layer before them, and a network's norms that change nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import codsl
from codsl.cli.main import main
from codsl.network import Network
from codsl.weights import WeightsError
from codsl.weights.layouts import LAYOUTS, forms
from codsl.weights.places import places_of
from harness.contract import randomise

LAYERS = {
    "plain": "conv = conv2d(6, (3, 2), bias={})",
    "grouped": "conv = conv2d(6, (3, 2), groups=2, bias={})",
    "depthwise": "conv = conv2d(12, (2, 3), groups=4, bias={})",
    "transposed": "conv = conv_transpose2d(6, (3, 2), stride=(2, 1), bias={})",
    "grouped_transposed": "conv = conv_transpose2d(6, (3, 2), groups=2, bias={})",
    "dense": "flatten\n conv = linear(5, bias={})",
}
FOLD = {"{p:path}.conv": "fold {p}.bn"}


def spec(layer: str, bias: bool, norm: str | None) -> str:
    rank = 1 if "flatten" in layer else 2
    behind = "" if norm is None else f"bn = batch_norm{rank}d({norm})"
    body = f"one = {{ {layer.format(str(bias).lower())} {behind} }} relu"
    return f"codsl 1\nnetwork n {{ input (4, T, 5)\n {body} }}"


def network(text: str, dtype: torch.dtype = torch.float64) -> Network:
    net = codsl.build(text, dtype=dtype).eval()
    randomise(net, 5)
    return net


def saved(net: nn.Module, layout: str) -> dict[str, Any]:
    """The tensors of a network in a layout, under the layout's own names."""
    tensors = {}
    for place in places_of(net).values():
        if not place.counter:
            form = forms(place, layout)[0]
            array = net.state_dict()[place.name].numpy()
            tensors[f"{place.layer}.{form.leaf}"] = form.from_torch(array)
    return tensors


def answers(net: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        answer: torch.Tensor = net(
            torch.randn(2, 4, 9, 5, generator=torch.Generator().manual_seed(1)).to(
                next(net.parameters()).dtype
            )
        )
    return answer


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("bias", [True, False])
def test_folded_is_unfolded(kind: str, layout: str, bias: bool) -> None:
    if kind == "grouped_transposed" and not forms_of_grouped(layout):
        with pytest.raises(IndexError):
            saved(network(spec(LAYERS[kind], bias, "eps=0.001")), layout)
        return
    theirs = network(spec(LAYERS[kind], bias, "eps=0.001"))
    ours = network(spec(LAYERS[kind], True, None))
    word = "fold {p}.bn" if layout in ("keras", "tensorflow") else "fold {p}.bn eps=1e-3"
    terms: dict[str, Any] = {"layout": layout, "adapt": {"{p:path}.conv": word}}
    report = codsl.load_weights(ours, saved(theirs, layout), **terms)
    assert torch.allclose(answers(ours), answers(theirs), rtol=1e-12, atol=1e-12)
    assert [each.name for each in report.loaded] == ["one.conv.weight", "one.conv.bias"]
    assert {each.adapter for each in report.loaded} == {"folded with `one.bn`"}
    assert "folded with `one.bn`" in str(report)


def forms_of_grouped(layout: str) -> bool:
    return not layout.startswith(("keras", "tensorflow", "flax", "haiku"))


def test_eps_is_that_of_the_layout_or_said() -> None:
    ours = network(spec(LAYERS["plain"], True, None))
    for eps, given in (("1e-05", FOLD), ("0.25", {"{p:path}.conv": "fold {p}.bn eps=0.25"})):
        theirs = network(spec(LAYERS["plain"], False, f"eps={eps}"))
        codsl.load_weights(ours, theirs.state_dict(), adapt=given)
        assert torch.allclose(answers(ours), answers(theirs), rtol=1e-12, atol=1e-12)


def test_floats_are_folded_in_float64_and_rounded_once() -> None:
    theirs = network(spec(LAYERS["grouped"], True, "affine=true"), torch.float32)
    ours, wide = (network(spec(LAYERS["grouped"], True, None), dtype) for dtype in SHORT_AND_LONG)
    codsl.load_weights(ours, theirs.state_dict(), adapt=FOLD)
    codsl.load_weights(wide, theirs.state_dict(), adapt=FOLD)
    for name, tensor in ours.state_dict().items():
        assert torch.equal(tensor, wide.state_dict()[name].float())


SHORT_AND_LONG = (torch.float32, torch.float64)


def test_a_norm_without_factor_and_summand_is_folded_where_one_says_so() -> None:
    theirs = network(spec(LAYERS["plain"], False, "affine=false"))
    ours = network(spec(LAYERS["plain"], True, None))
    with pytest.raises(WeightsError, match=r"one\.bn\.\{?weight"):
        codsl.load_weights(ours, theirs.state_dict(), adapt=FOLD)
    allowed = ["{p:path}.bn.weight", "{p:path}.bn.bias"]
    codsl.load_weights(ours, theirs.state_dict(), adapt=FOLD, allow_missing=allowed)
    assert torch.allclose(answers(ours), answers(theirs), rtol=1e-12, atol=1e-12)


def test_names_are_those_after_the_rules_and_other_adapters_come_first() -> None:
    net = codsl.build(
        "codsl 1\nnetwork n { input (3, T, 6, 6)\n"
        ' one = { conv = conv3d(4, (2, 3, 3), padding=("causal", 1, 1)) } }',
        dtype=torch.float64,
    )
    flat = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)).double().eval()
    randomise(flat, 2)
    rules = {"0.{leaf}": "one.conv.{leaf}", "1.{leaf}": "one.bn.{leaf}"}
    adapt = {**FOLD, "one.conv.weight": "inflate_last"}
    report = codsl.load_weights(net, flat.state_dict(), rename=rules, adapt=adapt)
    assert "inflate_last, folded with `one.bn`" in {each.adapter for each in report.loaded}
    x = torch.randn(1, 3, 5, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        frames = torch.stack([flat(frame) for frame in x.unbind(2)], 2)
        assert torch.allclose(net(x), frames, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("eps", ["1e-05", "0.001", "0.7"])
@pytest.mark.parametrize("dtype", SHORT_AND_LONG)
@pytest.mark.parametrize("kind", LAYERS)
def test_an_unfolded_norm_changes_nothing(kind: str, dtype: torch.dtype, eps: str) -> None:
    theirs = network(spec(LAYERS[kind], True, None), dtype)
    for bias, affine in ((True, "true"), (False, "true"), (True, "false")):
        ours = network(spec(LAYERS[kind], bias, f"eps={eps}, affine={affine}"), dtype)
        adapt = {"{p:path}.conv": "unfold {p}.bn"}
        report = codsl.load_weights(ours, theirs.state_dict(), adapt=adapt)
        assert "made to change nothing" in str(report)
        if bias:
            assert torch.equal(answers(ours), answers(theirs))
        else:
            near = 1e-6 if dtype == torch.float32 else 1e-14
            assert torch.allclose(answers(ours), answers(theirs), rtol=near, atol=near)


def refusals(net: nn.Module, given: Any, adapt: Any = FOLD, **terms: Any) -> str:
    before = {name: each.clone() for name, each in net.state_dict().items()}
    with pytest.raises(WeightsError) as error:
        codsl.load_weights(net, given, adapt=adapt, **terms)
    assert all(torch.equal(each, before[name]) for name, each in net.state_dict().items())
    return str(error.value)


def test_what_cannot_be_folded() -> None:
    theirs = network(spec(LAYERS["plain"], True, "eps=0.1")).state_dict()
    ours = network(spec(LAYERS["plain"], True, None))
    assert "no bias in the network" in refusals(network(spec(LAYERS["plain"], False, None)), theirs)
    group = {name: each for name, each in theirs.items() if "running" not in name}
    assert "`one.bn` has no `running_mean`" in refusals(ours, group)
    before = {name: torch.ones(4) if ".bn." in name else each for name, each in theirs.items()}
    assert "a norm before a layer cannot be folded" in refusals(ours, before)
    del theirs["one.bn.weight"]
    assert "one.bn.weight" in refusals(ours, theirs)
    assert "nothing is to be folded" in refusals(ours, ours.state_dict())
    whole = {**theirs, "one.bn.weight": torch.ones(6, dtype=torch.int8)}
    assert "holds int8" in refusals(ours, whole)
    assert "is (3,)" in refusals(ours, {**theirs, "one.bn.weight": torch.ones(3)})


def test_what_is_folded_is_there_whole() -> None:
    """Whatever may be missing, or left out."""
    theirs = network(spec(LAYERS["plain"], True, "eps=0.1")).state_dict()
    ours = network(spec(LAYERS["plain"], True, None))
    every: dict[str, Any] = {"allow_missing": ["{:path}"], "allow_unexpected": ["{:path}"]}
    alone = {name: each for name, each in theirs.items() if name != "one.conv.weight"}
    said = refusals(ours, alone, **every)
    assert "E0612" in said
    assert "`one.conv` has no weight in the checkpoint to fold `one.bn` into" in said
    assert said.count("error[") == 1
    for name in ("conv.weight", "conv.bias", "bn.weight", "bn.bias", "bn.running_mean"):
        wrong = torch.ones(7, *theirs[f"one.{name}"].shape[1:])
        said = refusals(ours, {**theirs, f"one.{name}": wrong}, **every)
        assert "E0609" in said
        assert "to leave it as it is" not in said


def test_a_bias_that_a_norm_takes_over_is_not_left_out() -> None:
    bare = network(spec(LAYERS["plain"], True, None)).state_dict()
    ours = network(spec(LAYERS["plain"], False, "eps=0.1"))
    every: dict[str, Any] = {"allow_missing": ["{:path}"], "allow_unexpected": ["{:path}"]}
    given = {**bare, "one.conv.bias": torch.ones(7)}
    assert "E0609" in refusals(ours, given, {"{p:path}.conv": "unfold {p}.bn"}, **every)


def test_no_message_follows_from_another() -> None:
    theirs = network(spec(LAYERS["plain"], False, "eps=0.1")).state_dict()
    before = {name: torch.ones(4) if ".bn." in name else each for name, each in theirs.items()}
    ours = network(spec(LAYERS["plain"], True, None))
    assert refusals(ours, before).count("error[") == 1
    bare = network(spec(LAYERS["plain"], False, None))
    assert refusals(bare, theirs).count("error[") == 1


def test_what_cannot_be_unfolded() -> None:
    unfold = {"{p:path}.conv": "unfold {p}.bn"}
    bare = network(spec(LAYERS["plain"], True, None)).state_dict()
    plain = network(spec(LAYERS["plain"], False, "affine=false"))
    assert "one.conv.bias" in refusals(plain, bare, unfold)
    body = "one = { bn = batch_norm2d conv = conv2d(4, (3, 2), bias=false) }"
    ahead = network(f"codsl 1\nnetwork n {{ input (4, T, 5)\n {body} }}")
    theirs = {"one.conv.weight": torch.ones(4, 4, 3, 2), "one.conv.bias": torch.ones(4)}
    assert "does not stand behind" in refusals(ahead, theirs, unfold)
    whole = network(spec(LAYERS["plain"], True, "eps=1"))
    assert "`eps` of 1 or more" in refusals(whole, bare, unfold)
    assert "nothing is to be folded" in refusals(whole, whole.state_dict(), unfold)


def test_two_layers_have_not_one_norm() -> None:
    body = "one = { conv = conv2d(4, 1) } two = { conv = conv2d(4, 1) }"
    net = network(f"codsl 1\nnetwork n {{ input (4, T, 5)\n {body} }}")
    norm = {f"bn.{name}": each for name, each in nn.BatchNorm2d(4).state_dict().items()}
    said = refusals(
        net, {**net.state_dict(), **norm}, {"one.conv": "fold bn", "two.conv": "fold bn"}
    )
    assert "`bn` is the norm of `one.conv` already" in said


@pytest.mark.parametrize(
    ("layer", "word", "said"),
    [
        ("{p:path}.conv", "fold {q}.bn", "stands on the left only"),
        ("{p:path}.conv", "unfold {p}.bn eps=0.1", "the network's own"),
        ("{p:path}.conv", "fold {p}.bn eps=-1", "there is no adapter"),
        ("{:path}.conv", "fold bn", "has a name"),
    ],
)
def test_words_that_cannot_be(layer: str, word: str, said: str) -> None:
    net = network(spec(LAYERS["plain"], True, None))
    assert said in refusals(net, net.state_dict(), {layer: word})


def test_a_spec_says_so_in_both_surfaces() -> None:
    text = spec(LAYERS["plain"], True, None)
    theirs = network(spec(LAYERS["plain"], False, "eps=0.001")).state_dict()
    known = 'weights "hub" { "{p:path}.conv" = "fold {p}.bn eps=0.001" }'
    net = codsl.build(f"{text}\n{known}", dtype=torch.float64, weights=theirs)
    layers = [{"conv2d": {"name": "conv", "out_channels": 6, "kernel_size": [3, 2]}}]
    tree = {
        "codsl": 1,
        "input": [4, "T", 5],
        "weights": {"hub": {"adapt": {"{p:path}.conv": "fold {p}.bn eps=0.001"}}},
        "layers": [{"sequential": {"name": "one", "layers": layers}}],
    }
    other = codsl.build(tree, dtype=torch.float64, weights=theirs)
    assert torch.equal(net.one.conv.weight, other.one.conv.weight)
    with pytest.raises(codsl.SpecError, match="stands on the left only"):
        codsl.check(f"{text}\n{known.replace('{p}.bn', '{q}.bn')}")


def test_what_was_folded_is_not_written_back(tmp_path: Any) -> None:
    theirs = network(spec(LAYERS["plain"], False, "eps=0.001")).state_dict()
    known = 'weights "hub" { "{p:path}.conv" = "fold {p}.bn" }'
    net = codsl.build(f"{spec(LAYERS['plain'], True, None)}\n{known}", dtype=torch.float64)
    with pytest.raises(WeightsError, match="cannot be undone"):
        codsl.save_weights(net, tmp_path / "n.npz", known="hub", like=theirs)
    assert not list(tmp_path.iterdir())
    assert np.isfinite(net.one.conv.weight.detach().numpy()).all()


def test_the_command_line_says_so(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    text, path = tmp_path / "n.codsl", tmp_path / "t.safetensors"
    text.write_text(spec(LAYERS["plain"], True, None))
    theirs = network(spec(LAYERS["plain"], False, "eps=0.001"))
    codsl.save_weights(theirs, path)
    adapt = "{p:path}.conv=fold {p}.bn eps=1e-3"
    assert main(["weights", "match", str(text), str(path), "--adapt", adapt]) == 0
    assert "folded with `one.bn`" in capsys.readouterr().out
