"""Dots follow the keys: what an unnamed block holds is reached through the name around it."""

import pytest

import codsl

LEVELS = """codsl 1
template level(dilation: int) {
  residual {
    conv = conv1d(4, 3, dilation=dilation, padding="causal")
    skip = conv1d(4, 1)
  }
}
network n {
  input (4, T)
  u[i in 1..3] = level(2 ** i)
  skips = join("sum") from u[*].skip
}
"""


def test_skips_inside_an_unnamed_residual_are_reached_by_their_keys() -> None:
    graph = codsl.check(LEVELS)
    join = graph.nodes[-1]
    sources = [graph.nodes[edge.source - 1].path for edge in join.edges]
    assert sources == ["u1.skip", "u2.skip", "u3.skip"]


def test_names_inside_an_unnamed_block_still_end_with_it() -> None:
    with pytest.raises(codsl.SpecError, match="no value named `a` stands before this"):
        codsl.check("codsl 1\nnetwork n {\n input (2, T)\n { a = relu }\n silu from a\n}\n")


def test_a_template_that_is_not_used_is_told_of_only_where_all_else_is_fine() -> None:
    from codsl.pipeline import inspect

    head = "codsl 1\ntemplate t { relu }\nnetwork n {\n input (2, T)\n"
    _, warnings = inspect(head + " silu\n}\n")
    assert [each.code for each in warnings] == ["W0702"]
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(head + " sillu\n}\n")
    assert [each.code for each in caught.value.diagnostics] == ["E0302"]


@pytest.mark.parametrize(
    "written",
    [
        "{out_channels: 4, kernel_size: (3, 1, 1)}",
        "\n      kernel_size: (3, 1, 1)\n      out_channels: 4",
    ],
)
def test_a_tuple_in_round_brackets_is_one_mistake_with_an_edit(written: str) -> None:
    listed = "[3, 1, 1]"
    text = f"codsl: 1\ninput: [3, T, 8, 8]\nlayers:\n  - conv3d: {written}\n"
    with pytest.raises(codsl.SpecError) as caught:
        codsl.check(text)
    (found,) = caught.value.diagnostics
    (edit,) = found.helps[0].edits
    assert (found.code, edit.replacement) == ("E0204", listed)
    codsl.check(text[: edit.span.start] + listed + text[edit.span.end :])


def test_a_graph_shows_itself_in_a_line() -> None:
    assert repr(codsl.check(LEVELS)) == "Graph(n: 10 layers, receptive field 29, delay 0, stride 1)"
