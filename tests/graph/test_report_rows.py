"""A row of the report says what its layer reads, sees and gives."""

import json
from pathlib import Path

import pytest

import codsl
from codsl.graph.report import Row, amount

NETWORKS = Path(__file__).parents[2] / "networks"

SPEC = """codsl 1
network rows {
  inputs rgb (3, T), sound (3, T)
  outputs fast, late
  fast = conv1d(4, 3, padding=1) from rgb
  slow = conv1d(4, 5, padding="causal") from sound
  idle = conv1d(4, 3)
  join("sum") from fast, slow
  wait = delay(2)
  late = lstm(4)
}
"""


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    return {row.path: row for row in codsl.check(SPEC).report().nodes}


def test_a_row_names_what_it_reads_and_is(rows: dict[str, Row]) -> None:
    assert rows["fast"].inputs == ("rgb",)
    assert rows["slow"].inputs == ("sound",)
    assert rows["sum"].inputs == ("fast", "slow")
    assert {path: row.outputs for path, row in rows.items() if row.outputs} == {
        "fast": ("fast",),
        "late": ("late",),
    }
    assert [path for path, row in rows.items() if not row.live] == ["idle"]


def test_an_only_input_and_output_have_no_name_of_their_own() -> None:
    (row,) = codsl.check("codsl 1\nnetwork n { input (1, T)\n relu\n}\n").report().nodes
    assert (row.inputs, row.outputs) == (("input",), ("output",))


def test_a_row_says_how_far_it_sees_and_when_it_fires(rows: dict[str, Row]) -> None:
    windows = {path: (row.past, row.ahead, row.delay, row.fires) for path, row in rows.items()}
    assert windows["fast"] == (1, 1, 1, 1)
    assert windows["slow"] == (4, 0, 0, 1)
    assert windows["sum"] == (4, 1, 1, 1)
    assert windows["wait"] == (4, 1, 3, 3)
    assert rows["late"].past == float("inf")
    assert rows["slow"].holds == (1,)  # its input is smaller than what it gives
    assert rows["sum"].holds == (0, 0)


def test_a_layer_that_is_made_to_wait_fires_later_than_it_could() -> None:
    report = codsl.check(NETWORKS / "two_rate.codsl").report()
    late = [row for row in report.nodes if row.fires > row.delay]
    assert [row.path for row in late if any(row.holds)] == [
        "mixed.short.conv", "mixed.pool.max_pool1d", "down.project",
    ]  # fmt: skip
    assert all(row.fires >= row.delay for row in report.nodes)


def test_json_has_an_endless_past_as_null(rows: dict[str, Row]) -> None:
    nodes = json.loads(codsl.check(SPEC).report().to_json())["nodes"]
    assert nodes[-1]["past"] is None
    assert nodes[0]["inputs"] == ["rgb"]
    assert nodes[0]["live"] is True


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "-"), (999, "999 B"), (999_400, "999 kB"), (999_600, "1 MB"), (1e9 - 1, "1 GB")],
)
def test_a_figure_that_rounds_up_to_a_thousand_is_one_of_the_next(value: float, said: str) -> None:
    assert amount(value, "B") == said


def test_an_output_of_bias_alone_sees_no_frame() -> None:
    spec = """codsl 1
network n {
  input (4, T)
  conv1d(3, 3, padding=1)
  conv_transpose1d(3, 1, stride=2, padding=((1, 0),))
  subsample(2)
  lstm(2)
}
"""
    report = codsl.check(spec).report()
    sees = [(row.past, row.ahead, row.receptive_field) for row in report.nodes]
    assert sees == [(1, 1, 3), (0, 2, 3), (-1, 0, 0), (-1, 0, 0)]
    assert "receptive field  0 frames" in str(report)
    assert "Sees no frame. Comes 2 frames late" in codsl.report.html(report)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ("conv1d(2, 3)\n u = conv_transpose1d(2, 2, stride=2)", "1.0x a frame streamed"),
        ("conv_transpose1d(2, 3, stride=3)\n u = conv1d(2, 2, stride=2)", "2.0x a frame streamed"),
        ("conv1d(2, 3)\n u = conv1d(2, 2, stride=2)", "1.0x an output streamed"),
        ("conv1d(2, 3)\n u = conv1d(2, 2)", "1.6x an output streamed"),
    ],
)
def test_a_clip_is_held_against_the_frame_that_gives_several_outputs(
    layers: str, said: str
) -> None:
    """Counted by hand: a clip of all that one sees, and what comes with a frame of a stream."""
    report = codsl.check(f"codsl 1\nnetwork n {{\n input (2, T)\n {layers}\n}}\n").report()
    assert dict(report.summary())["MACs"].endswith(said)
