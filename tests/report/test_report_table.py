"""The table in a terminal: everything where there is room, the essence where there is not."""

import io

import pytest
from drawn import made_up, row
from rich.console import Console

import codsl
from codsl.graph.report import COLUMNS, Report
from codsl.report.table import outline, show

NESTED = """codsl 1
network nested {
  input (3, T, 32, 32) rate 15
  stem = conv3d(8, 3, stride=(1, 2, 2), padding=1)
  stage1 = {
    block[i in 1..2] = residual {
      conv_a = conv3d(16, 3, padding="same", bias=false)
      batch_norm3d
      relu
      conv_b = conv3d(8, 3, padding="same")
    }
    relu
  }
  adaptive_avg_pool3d(1, kernel_size=4)
  flatten
  fc = linear(10)
}
"""


def shown(report: Report, width: int, terminal: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=terminal, legacy_windows=False
    )
    show(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_where_there_is_room_every_figure_stands() -> None:
    report = codsl.check(NESTED).report()
    text = shown(report, 200)
    assert text.split("\n")[2].split() == list(COLUMNS)
    for cells in report.cells():
        name, rest = cells[0].rpartition(".")[2], [cell for cell in cells[1:] if cell]
        lines = [line for line in text.splitlines() if line.split()[:1] == [name]]
        assert any(all(cell in line for cell in rest) for line in lines), cells
    for word, figure in report.summary():
        assert word in text
        assert figure in text
    assert "no room" not in text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_name_is_cut(width: int) -> None:
    report = codsl.check(NESTED).report()
    text = shown(report, width)
    assert max(map(len, text.splitlines())) <= width
    assert "\u2026" not in text
    names = [part for each in report.nodes for part in each.path.split(".")]
    assert all(any(line.split()[:1] == [name] for line in text.splitlines()) for name in names)


def test_what_is_left_out_is_named() -> None:
    text = shown(codsl.check(NESTED).report(), 60)
    header = text.split("\n")[2].split()
    (words,) = [line for line in text.splitlines() if "no room here for" in line]
    assert header[:1] == ["path"]
    assert {"delay", "field"} <= set(header)
    assert "params" in words
    assert "params" not in header
    assert "conv_a conv3d" in text


def test_blocks_stand_above_their_layers_with_their_sums() -> None:
    report = codsl.check(NESTED).report()
    lines = list(outline(report))
    heads = [(line.depth, line.name) for line in lines if line.block]
    assert heads == [(0, "stage1"), (1, "block1"), (1, "block2")]
    assert sum(1 for line in lines if not line.block) == len(report.nodes)
    inside = [each for each in report.nodes if each.path.startswith("stage1.block1.")]
    block = next(line for line in lines if line.name == "block1")
    assert sum(each.params for each in inside) == 16 * 8 * 27 + 32 + 8 * 16 * 27 + 8
    assert block.cells["params"] == "6.95 k"
    assert set(block.cells) == {"params", "MACs", "state"}


def test_a_block_that_comes_again_is_named_again() -> None:
    lines = list(outline(made_up("n", row("a.b.x"), row("a.c.x"), row("y"), row("a.b.z"))))
    assert [(line.depth, line.name) for line in lines] == [
        (0, "a"), (1, "b"), (2, "x"), (1, "c"), (2, "x"), (0, "y"), (0, "a"), (1, "b"), (2, "z"),
    ]  # fmt: skip


@pytest.mark.parametrize("width", [60, 200])
def test_names_are_shown_as_they_are_written(width: int) -> None:
    report = made_up("[bold]n[/bold]\x1b[2J", row("[red]a[/red].x\x1b[31m\u202e", "t\x07[/]"))
    plain = shown(report, width)
    for text in ("[bold]n[/bold]\\x1b[2J", "[red]a[/red]", "x\\x1b[31m\\u202e", "t\\x07[/]"):
        assert text in plain
    colourful = shown(report, width, terminal=True)
    assert "\x1b[31m" not in colourful
    assert "\x1b[2J" not in colourful
    assert "\u202e" not in colourful


def test_a_very_deep_layer_still_has_a_name() -> None:
    path = ".".join(f"b{depth}" for depth in range(60)) + ".deepest"
    text = shown(made_up("n", row(path)), 80)
    assert "deepest" in text
    assert max(map(len, text.splitlines())) <= 80
