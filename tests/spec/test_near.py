"""A word that is no layer finds the one that was meant."""

import pytest

import codsl
from codsl.layers.table import table
from codsl.mending import edited
from codsl.syntax.words import RESERVED_KEYS
from goldens import mistakes

ROWS = table()


def offered(word: str, space: str = "", body: str = "{}") -> list[str]:
    """What is offered for a word, as a layer over time and this space."""
    text = f"codsl 1\nnetwork n {{\n  input (4, T{space})\n  {body.format(word)}\n}}\n"
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(text)
    found, *_ = caught.value.diagnostics
    assert found.code == "E0302"
    for help_ in found.helps:
        if help_.edits:
            assert f"there is no layer `{word}`" not in _said(edited(text, help_.edits))
    return [help_.edits[0].replacement for help_ in found.helps if help_.edits] or [
        help_.text for help_ in found.helps
    ]


def _said(text: str) -> str:
    try:
        codsl.check(text)
    except codsl.SpecError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("word", "layer"),
    [
        ("swish", "silu"),
        ("fc", "linear"),
        ("dense", "linear"),
        ("Linear", "linear"),
        ("lrn", "local_response_norm"),
        ("LocalResponseNorm", "local_response_norm"),
        ("relu_6", "relu6"),
        ("hard_swish", "hardswish"),
        ("lstm_cell", "lstm"),
        ("chomp", "crop"),
        ("attention", "multihead_attention"),
        ("interpolate", "upsample"),
        ("transpose", "permute"),
        ("lineer", "linear"),
    ],
)
def test_other_spellings_find_their_layer(word: str, layer: str) -> None:
    assert offered(word) == [layer]


@pytest.mark.parametrize(
    ("word", "layer"),
    [
        ("conv", "conv{}d"),
        ("convolution", "conv{}d"),
        ("conv4d", "conv{}d"),
        ("conv1x1", "conv{}d"),
        ("depthwise_conv2d", "conv{}d"),
        ("deconv", "conv_transpose{}d"),
        ("maxpool", "max_pool{}d"),
        ("avgpool", "avg_pool{}d"),
        ("gap", "adaptive_avg_pool{}d"),
        ("GlobalMaxPooling", "adaptive_max_pool{}d"),
        ("batchnorm", "batch_norm{}d"),
        ("bn", "batch_norm{}d"),
    ],
)
def test_a_family_is_offered_with_the_number_of_dimensions(word: str, layer: str) -> None:
    for number, space in ((1, ""), (2, ", 6"), (3, ", 6, 6")):
        assert offered(word, space) == [layer.format(number)]
    assert offered(word, ", 6, 6", "per_frame {{ {} }}") == [layer.format(2)]


def test_a_name_of_another_number_is_taken_at_its_word() -> None:
    assert offered("conv_3d") == ["conv3d"]
    assert offered("Conv2D", ", 6, 6") == ["conv2d"]


def test_what_several_layers_are_called_offers_several() -> None:
    assert offered("pool", ", 6") == ["avg_pool2d", "max_pool2d"]
    assert offered("norm") == ["batch_norm1d", "layer_norm"]


@pytest.mark.parametrize(
    ("word", "how"),
    [("cat", "concat"), ("concat", "concat"), ("sum", "sum"), ("plus", "sum"), ("mean", "mean")],
)
def test_what_joins_values_is_a_join(word: str, how: str) -> None:
    (help_,) = offered(word)
    assert f'`join("{how}") from a, b`' in help_
    assert f"`join: {{aggregation: {how}, from: [a, b]}}`" in help_


@pytest.mark.parametrize(
    ("word", "row"), [(word, name) for name, row in ROWS.items() for word in row.also]
)
def test_no_other_name_is_a_layer_or_a_word_and_all_are_offered(word: str, row: str) -> None:
    assert word not in ROWS
    assert word not in RESERVED_KEYS
    rank = ROWS[row].rank
    assert row in offered(word, {2: ", 6", 3: ", 6, 6"}.get(rank, ""))


@pytest.mark.parametrize(
    "layers",
    [
        "conv1d(widht, 3) conv1d(widhts, 3)",
        "conv1d(widht, 3) when 1 > 2 { conv1d(widhts, 3) }",
        "conv1d(widht, 3) $widhts",
        'conv1d(widht, 3) conv1d("widht", 3)',
        "conv1d(widht, 3) conv1d(3 if 1 > 2 else widht, 3) conv1d(3 if 1 > 2 else widhts, 3)",
    ],
)
def test_a_name_that_is_missing_is_never_meant(layers: str) -> None:
    found = mistakes(f"codsl 1\nnetwork n {{\n  input (3, T)\n  {layers}\n}}\n", "n.codsl")
    edits = [edit.replacement for each in found for one in each.helps for edit in one.edits]
    assert not [each for each in edits if each in ("widht", "$widht")]


def test_a_name_that_is_missing_is_told_once() -> None:
    layers = "conv1d(widht, 3) conv1d(3 if 1 > 2 else widht, 3) when 1 > 2 { conv1d(widht, 3) }"
    found = mistakes(f"codsl 1\nnetwork n {{\n  input (3, T)\n  {layers}\n}}\n", "n.codsl")
    assert [each.code for each in found if each.severity == "error"] == ["E0301"]


@pytest.mark.parametrize(
    ("layer", "code", "help_"),
    [
        ("conv1d(x, 4, 3)", "E0301", "what a layer reads stands behind it: `from x`"),
        ("linear(input)", "E0301", "what a layer reads stands behind it: `from input`"),
        ("concat(x, input)", "E0302", 'values are joined by `join("concat") from a, b`'),
    ],
)
def test_what_flows_is_no_argument(layer: str, code: str, help_: str) -> None:
    text = f"codsl 1\nnetwork n {{\n  input (4, T)\n  x = relu\n  y = {layer}\n}}\n"
    (found,) = mistakes(text, "n.codsl")
    assert found.code == code
    assert found.helps[0].text.startswith(help_)


@pytest.mark.parametrize("word", ["template", "variant"])
def test_what_belongs_to_the_file_is_told_so(word: str) -> None:
    text = f"codsl 1\nnetwork n {{\n  input (4, T)\n  {word} part {{ relu }}\n}}\n"
    first, *_ = mistakes(text, "n.codsl")
    assert first.message == f"`{word}` belongs to the file, not into a network"
