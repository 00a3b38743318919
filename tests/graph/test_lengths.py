"""What is said of values whose lengths over time differ, and that the edits mend it."""

from pathlib import Path

import pytest

import codsl
from codsl.diagnostics import Diagnostic
from codsl.mending import edited

TEXT = "codsl 1\nnetwork n {{\n  input (3, T{})\n  {}\n}}\n"


def wrong(text: str | Path) -> Diagnostic:
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(text)
    (found,) = caught.value.diagnostics
    assert found.code == "E0407"
    return found


LONGER = [
    "residual { c = conv1d(3, 3, padding=2) relu }",
    "residual { c = conv1d(3, 3, 1, 4, 2) relu d = conv1d(3, 3, padding=1) }",
    "parallel { a { c = conv1d(3, 3, padding=2) } b { max_pool1d(3, 1, 1) } }",
]


@pytest.mark.parametrize("body", LONGER)
def test_what_is_too_long_is_padded_less(body: str) -> None:
    text = TEXT.format("", body)
    found = wrong(text)
    assert [(each.span.text, each.text[:5]) for each in found.labels[1:]] == [("conv1d", "adds ")]
    graphs = [codsl.check(edited(text, help_.edits)) for help_ in found.helps if help_.edits]
    assert [graph.nodes[0].path for graph in graphs] == [graphs[0].nodes[0].path] * 2
    assert graphs[0].nodes[0].edges[0].reach.phases[0].newest == 0
    assert graphs[0].receptive_field >= graphs[1].receptive_field
    assert "`back` is" in found.helps[2].text
    crop = f" crop(back={found.helps[2].text.split()[-1]}) "
    assert codsl.check(TEXT.format("", body.replace(" relu", crop).replace(" } b", f"{crop}}} b")))


def test_where_several_layers_are_meant_words_must_do() -> None:
    body = "residual { c = conv1d(3, 3, padding=2) d = conv1d(3, 3, padding=2) }"
    found = wrong(TEXT.format("", body))
    assert not any(help_.edits for help_ in found.helps)
    assert "causal" in found.helps[0].text


def test_the_padding_of_space_stays_as_it_is() -> None:
    found = wrong(TEXT.format(", 4", "residual { c = conv2d(3, 3, padding=(2, 1)) }"))
    edits = [edit.replacement for help_ in found.helps for edit in help_.edits]
    assert edits == ['("causal", 1)', '("same", 1)']


def test_a_shortcut_that_loses_items_is_the_culprit() -> None:
    found = wrong(TEXT.format("", "residual { c = conv1d(3, 3, padding=1) } shortcut { crop(1) }"))
    assert [each.text for each in found.labels[1:]] == ["loses 1 item"]
    assert found.helps[0].text == "pad the shortcut over time, or make the body as much shorter"


def test_layers_at_one_place_in_two_files_are_two_culprits(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("codsl 1\ntemplate unit() { conv = conv1d(3, 3) }\n")
    head = 'codsl 1\nimport "a" as a\nimport "b" as b\n'
    (tmp_path / "n").write_text(
        f"{head}network n {{ input (3, T) residual {{ u = a.unit() v = b.unit() }} }}"
    )
    found = wrong(tmp_path / "n")
    assert [each.text for each in found.labels[1:]] == ["loses 2 items"] * 2
    assert found.helps[0].edits
