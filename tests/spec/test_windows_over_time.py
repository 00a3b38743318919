"""A pool over all of a clip is refused however it is written, and both ways out are edits."""

from __future__ import annotations

import pytest

import codsl
from codsl.graph.graph import Graph
from codsl.mending import edited
from goldens import mistakes

TEXT = """codsl 1
template unit {
  residual%s {
    conv = conv3d(4, 1)
    residual("mul") {
      %s
      fc = conv3d(4, 1)
      sigmoid
    }
  }
}
network n {
  input (4, T, 6, 6)
  unit[i in 1..2] = unit
}
"""
POOLS = [
    "adaptive_avg_pool3d(1)",
    "adaptive_avg_pool3d((1, 1, 1))",
    "adaptive_max_pool3d(output_size=(1, 1, 1),)",
    "adaptive_avg_pool3d(1, kernel_size=none)",
    "pool = adaptive_avg_pool3d(\n        1 # of each\n      )",
]
YAML = """codsl: 1
input: [4, T, 6, 6]
layers:
  - residual:  # around
      # the gate
      layers:
        - residual:
            aggregation: mul
            layers:
%s
              - conv3d: {out_channels: 4, kernel_size: 1}
"""
YAML_POOLS = [
    "              - adaptive_avg_pool3d: {output_size: 1}",
    "              - adaptive_avg_pool3d:\n                  output_size: [1, 1, 1]  # of each",
    "              - adaptive_avg_pool3d: {kernel_size: null, output_size: 1}",
    "              - adaptive_avg_pool3d: {output_size: 1, kernel_size: ~}",
]
FLOW = """codsl: 1
input: [4, T, 6, 6]
layers:
  - residual: {layers: [{residual: {aggregation: mul, layers: [{adaptive_avg_pool3d: %s}]}}]}
"""


def both(text: str) -> tuple[Graph, Graph]:
    """What the check says of a text after each of the two edits."""
    (found,) = mistakes(text, "n")
    assert found.code == "E0408"
    assert found.notes == (
        "over a whole clip, a head or a gate (squeeze-and-excitation) waits for the last frame, "
        "and a stream has none",
    )
    frame, window = found.helps
    assert "`kernel_size=1`" in frame.text
    assert "`kernel_size=N`" in window.text
    return tuple(codsl.check(edited(text, each.edits)) for each in (frame, window))


@pytest.mark.parametrize(
    "text",
    [
        *(TEXT % (words, pool) for pool in POOLS for words in ("", '("sum")')),
        *(YAML % pool for pool in YAML_POOLS),
        FLOW % "{output_size: 1}",
    ],
)
def test_both_edits_of_a_gate_check(text: str) -> None:
    """The window costs each gate 15 frames, which the residuals around it crop."""
    frame, window = both(text)
    gates = text.count("unit[i in 1..2]") + 1
    assert (frame.delay, frame.receptive_field) == (0, 1)
    assert (window.delay, window.receptive_field) == (15 * gates, 15 * gates + 1)
    assert window.parameters == frame.parameters


def test_a_head_is_mended_without_residuals() -> None:
    text = "codsl 1\nnetwork n {\n  input (4, T, 6, 6)\n  adaptive_avg_pool3d(1)\n}\n"
    assert "shrink" not in str(mistakes(text, "n")[0])
    assert [each.delay for each in both(text)] == [0, 15]


def test_what_shrinks_already_is_left_alone() -> None:
    text = TEXT % ('(shrink="lagging")', POOLS[0])
    (found,) = mistakes(text, "n")
    assert [edit.replacement for edit in found.helps[1].edits] == [
        ", kernel_size=16",
        ', shrink="centered"',
    ]


def test_a_pool_that_came_as_a_value_has_words_alone() -> None:
    text = (TEXT % ("", "pool")).replace("unit {", "unit(pool: layer = adaptive_avg_pool3d(1)) {")
    (found,) = mistakes(text, "n")
    assert found.code == "E0408"
    assert [each.edits for each in found.helps] == [(), ()]


def test_a_shorter_body_is_offered_a_crop() -> None:
    text = "codsl: 1\ninput: [4, T]\nlayers:\n  - residual:\n      layers:\n"
    text += "        - conv1d: {out_channels: 4, kernel_size: 3}\n"
    (found,) = mistakes(text, "n")
    assert found.code == "E0407"
    after = edited(text, found.helps[0].edits)
    assert "  - residual:\n      shrink: centered\n      layers:\n" in after
    assert codsl.check(after).delay == 2


def test_a_window_of_the_whole_clip_is_no_number() -> None:
    """The residual around a window of 16 is then offered what it lacks."""
    text = TEXT % ("", "avg_pool3d((T, 6, 6), stride=1)")
    (found,) = mistakes(text, "n")
    assert (found.code, found.message) == ("E0301", "`T` is no number")
    assert found.notes == ("it is how many frames a clip has, and a stream has no last one",)
    frame, window = (edited(text, each.edits) for each in found.helps)
    assert codsl.check(frame).receptive_field == 1
    for _ in range(2):
        (found,) = mistakes(window, "n")
        window = edited(window, found.helps[0].edits)
    assert codsl.check(window).receptive_field == 31
