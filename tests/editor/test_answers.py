"""Completion, hover, hints and remedies, in both surfaces and on broken documents."""

import random
from pathlib import Path

import pytest

import codsl
from codsl.editor.completion import Offer, offers
from codsl.editor.hints import hints
from codsl.editor.hover import hover
from codsl.editor.reading import Reading, understand
from codsl.editor.remedies import mended, remedies
from codsl.editor.variants import choices
from codsl.layers.table import table
from codsl.source import Source
from codsl.syntax.words import CONSTRUCTS

NETWORKS = Path(__file__).parents[2] / "networks"
TEXT = """codsl 1
template unit(out: int, act: layer = "relu") {
  let inner = 2 * out
  conv = conv1d(inner, 3, padding=1)
  act
}
network n(width = 4, deep = true) {
  input (3, T)
  first = unit(out=width)
  u[i in 1..2] = unit(out=width * i)
  tail = linear(10)
}
"""
YAML = codsl.convert(TEXT, to="yaml")


def reading(text: str, name: str = "<text>") -> Reading:
    return understand(Source(name, text))


def offered(text: str, before: str) -> dict[str, Offer]:
    """What is offered at `|` in a text, once `before` was read."""
    offset = text.index("|")
    known = reading(before)
    now = understand(Source("<text>", text.replace("|", "", 1)), known)
    return {each.label: each for each in offers(now, offset).offers}


def test_layers_are_offered_with_what_they_need() -> None:
    found = offered(TEXT.replace("  tail", "  con|\n  tail"), TEXT)
    assert set(table()) < found.keys()
    assert found["conv1d"].insert == "conv1d(${1:out_channels}, ${2:kernel_size})"
    assert found["relu"].insert == "relu"
    assert found["unit"].insert == "unit(out=${1:out})"
    assert "Convolution over time" in found["conv1d"].about
    assert {"residual", "when", "let"} < found.keys()
    assert "act" not in found
    assert "act" in offered(TEXT.replace("  conv =", "  |\n  conv ="), TEXT)


def test_layers_are_offered_in_yaml() -> None:
    found = offered(YAML.replace("  - linear", "  - |\n  - linear"), YAML)
    assert (
        found["conv1d"].insert == "conv1d: {out_channels: ${1:out_channels}, "
        "kernel_size: ${2:kernel_size}}"
    )
    assert found["$unit"].insert == "\\$unit: {out: ${1:out}}"
    assert found.keys() >= CONSTRUCTS


@pytest.mark.parametrize("sign", ["=", ": "])
def test_arguments_are_those_of_the_layer_that_are_not_given(sign: str) -> None:
    text = sign == "="
    start = "conv1d(4, stride=2, |)" if text else "conv1d: {out_channels: 4, stride: 2, |}"
    whole = TEXT if text else YAML
    line = f"  {start}\n  tail" if text else f"  - {start}\n  - linear"
    found = offered(whole.replace(line.split("\n")[1], line), whole)
    assert found["dilation"].insert == f"dilation{sign}$0"
    assert "left out: `1`" in found["dilation"].about
    assert "stride" not in found
    assert ("name" in found) is not text


def test_arguments_of_templates_and_constructs() -> None:
    found = offered(TEXT.replace("unit(out=width)", "unit(|)"), TEXT)
    assert found["act"].detail == 'act: layer = "relu"'
    found = offered(YAML.replace("  - linear", "  - residual: {|}\n  - linear"), YAML)
    assert found.keys() == {"layers", "shortcut", "shrink", "aggregation", "name", "from"}


def test_values_are_words_truths_and_names() -> None:
    found = offered(TEXT.replace("padding=1", "padding=|"), TEXT)
    assert found["same"].insert == '"same"'
    assert {"out", "inner", "in_channels", "round_to"} < found.keys()
    assert "width" not in found
    assert {"true", "false"} < offered(TEXT.replace("padding=1", "bias=|"), TEXT).keys()
    found = offered(TEXT.replace("padding=1", 'padding="|"'), TEXT)
    assert {each: offer.insert for each, offer in found.items()} == {
        "same": "same",
        "causal": "causal",
    }
    found = offered(YAML.replace("out_features: 10", "out_features: |"), YAML)
    assert found["$width"].insert == "\\$width"


def test_joins_and_sources() -> None:
    found = offered(TEXT.replace("  tail", "  join(|) from first\n  tail"), TEXT)
    assert found.keys() == {"aggregation", "shrink"} - {"shrink"}
    found = offered(TEXT.replace("  tail", '  join("|") from first\n  tail'), TEXT)
    assert found["concat"].insert == "concat"
    found = offered(TEXT.replace("linear(10)", "linear(10) from |"), TEXT)
    assert found.keys() == {"input", "first", "u", "tail"}


def test_sections_and_types() -> None:
    assert "network" in offered("codsl 1\n|", "")
    found = offered("codsl: 1\nlayers: []\n|", "")
    assert "input" in found
    assert "layers" not in found
    assert "layer" in offered("codsl 1\ntemplate a(b: |) {}\n", "")


def told(text: str, word: str) -> str:
    found = hover(reading(text), text.index(word) + 1)
    return found[1] if found else ""


def test_hover_tells_the_manual_and_what_happens_here() -> None:
    assert "`tail`: 10 x T, field 7, delay 3" in told(TEXT, "linear")
    assert "affine map" in told(TEXT, "linear")
    conv = told(TEXT, "conv1d")
    assert "`first.conv`: 8 x T, field 3, delay 1" in conv
    assert "`u2.conv`: 16 x T, field 7, delay 3" in conv
    assert "what stands around" in told(TEXT, "padding")
    assert told(TEXT, "unit(out=width)") == 'template `unit(out: int, act: layer = "relu")`'
    assert told(TEXT, "width)") == "parameter `width = 4`"
    assert "`tail`: 10 x T" in told(YAML, "linear")
    assert "what stands around" in told(YAML, "padding:")
    assert "several inputs" not in told(YAML, "input:")
    assert "channels, T, space" in told(YAML, "input:")
    assert told(TEXT, "3, T") == ""


def test_hints_stand_behind_every_line_with_a_layer() -> None:
    found = {TEXT[: each.offset].rpartition("\n")[2].strip(): each for each in hints(reading(TEXT))}
    uses = "8 x T, field 3, delay 1 … 16 x T, field 7, delay 3"
    assert {line: each.text for line, each in found.items()} == {
        "conv = conv1d(inner, 3, padding=1)": uses,
        "act": uses,
        "first = unit(out=width)": "8 x T, field 3, delay 1",
        "u[i in 1..2] = unit(out=width * i)": "8 x T, field 5, delay 2 … 16 x T, field 7, delay 3",
        "tail = linear(10)": "10 x T, field 7, delay 3",
    }
    assert "`u1.conv`: 8 x T, field 5, delay 2" in found["conv = conv1d(inner, 3, padding=1)"].about
    assert sorted(each.text for each in hints(reading(YAML))) == sorted(
        each.text for each in found.values()
    )
    assert hints(reading(TEXT.replace("linear", "linaer"))) == []


def test_hints_of_nested_blocks() -> None:
    text = """codsl 1
network n(deep = true) {
  input (3, T)
  head = {
    a = { relu }
    when deep { b = { conv1d(4, 3) relu } }
    residual(shrink="lagging") { c = { conv1d(4, 3) } }
    per = per_frame { linear(2) }
  }
}
"""
    lines = {text.count("\n", 0, each.offset): each.text for each in hints(reading(text))}
    assert lines == {
        3: "2 x T, field 5, delay 4",
        4: "3 x T, field 1, delay 0",
        5: "4 x T, field 3, delay 2",
        6: "4 x T, field 5, delay 4",
        7: "2 x T, field 5, delay 4",
    }


def test_remedies_are_those_of_the_place() -> None:
    text = TEXT.replace("linear(10)", "linaer(10)").replace("padding=1", "pading=1")
    now = reading(text)
    at = text.index("linaer")
    (one,) = remedies(now, at, at)
    assert (one.title, one.sure) == ("did you mean `linear`?", True)
    assert not list(remedies(now, 0, 1))
    assert mended(now) == TEXT
    assert mended(reading(TEXT)) is None


FILES = sorted(each for each in NETWORKS.iterdir() if each.suffix in (".yaml", ".codsl"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_document_that_is_being_typed_never_raises(path: Path) -> None:
    """Cut off, or with a stretch of it gone: there is an answer to every question."""
    text = path.read_text()
    chance = random.Random(path.name)
    whole = understand(Source(str(path), text))
    assert whole.graph is not None
    assert hints(whole)
    first, last = sorted(chance.randrange(len(text)) for _ in range(2))
    for broken in (text[:first], text[:first] + text[last:]):
        now = understand(Source(str(path), broken), whole)
        offers(now, first)
        hover(now, first)
        hints(now)
        list(remedies(now, 0, first))
        assert now.document is not None


VARIED = TEXT + "variant wide { width = 32 }\n"


@pytest.mark.parametrize("text", [VARIED, codsl.convert(VARIED, to="yaml")], ids=["text", "yaml"])
def test_figures_follow_the_variant_that_is_chosen(text: str) -> None:
    name, first = text.index("wide"), "32 x T"
    plain = reading(text)
    (choice,) = choices(plain, name, name)
    assert (choice.variant, choices(plain, 0, 0)) == ("wide", [])
    assert "64" not in " ".join(each.text for each in hints(plain))
    wide = understand(Source("<text>", text), plain, choice.variant)
    assert wide.variant == "wide"
    shown = {each.text for each in hints(wide)}
    assert "shown" in shown
    assert any(each.startswith(("64", first)) for each in shown)
    (back,) = choices(wide, name, name)
    assert back.variant == ""
    gone = understand(Source("<text>", text.replace("wide", "large")), wide, "wide")
    assert (gone.variant, gone.diagnostics) == ("", ())


@pytest.mark.parametrize("text", [VARIED, codsl.convert(VARIED, to="yaml")], ids=["text", "yaml"])
def test_a_variant_says_what_it_changes(text: str) -> None:
    found = hover(reading(text), text.index("wide"))
    assert found is not None
    assert found[1] == "variant `wide`  \n`width` is `32`, otherwise `4`"
    at = text.index("width = 4" if "codsl 1" in text else "width: 4")
    found = hover(reading(text), at)
    assert found is not None
    assert "`32` in `wide`" in found[1]


def test_a_variant_is_offered_the_parameters_it_lacks() -> None:
    found = offered(VARIED.replace("32 }", "32 | }"), VARIED)
    assert found.keys() == {"deep"}
    assert found["deep"].insert == "deep = $0"
    text = codsl.convert(VARIED, to="yaml").replace("wide: {width: 32}", "wide: {|}")
    assert {"deep", "width"} == offered(text, codsl.convert(VARIED, to="yaml")).keys()
