"""What is shown of a block while it is folded: what leaves it, and what all its layers cost."""

from dataclasses import replace

from drawn import made_up, report_of, row

from codsl.report.tree import tree
from codsl.report.view import Views, Window
from codsl.report.words import note, pace, seen


def test_a_folded_block_shows_what_leaves_it() -> None:
    """Not what its last layer sees, which nobody outside reads."""
    leaves = replace(row("b.x"), past=4, ahead=1, fires=2, shape=(7, "T"))
    inside = replace(row("b.y", inputs=("b.x",)), past=9, shape=(8, "T"))
    views = Views(made_up("n", leaves, inside, row("z", inputs=("b.x",))))
    view = views.view(tree(views.report.nodes)[0])
    assert (view.window, view.shape) == (Window(4, 1, 2), (7, "T"))
    assert (view.params, view.macs, view.state_bytes, view.layers) == (4, 8.0, 16, 2)
    assert view.inputs == ("input",)


def test_of_several_values_that_leave_the_widest_window_counts() -> None:
    one = replace(row("b.x"), past=4, ahead=1)
    two = replace(row("b.y"), past=1, ahead=6, outputs=("output",))
    views = Views(made_up("n", one, two, row("z", inputs=("b.x",))))
    assert views.view(tree(views.report.nodes)[0]).window == Window(4, 6, 0)


def test_a_block_is_measured_against_what_enters_it() -> None:
    report = report_of("small")
    views = Views(report)
    stem, block, halve, delay = (views.view(entry) for entry in tree(report.nodes))
    assert block.before == stem.window == Window(1, 1, 1)
    assert halve.before == block.window
    assert (delay.window.ahead, delay.window.fires) == (3, 9)
    assert [note(each) for each in (stem, block, halve, delay)] == ["", "", "1 in 2 frames", ""]


def test_words() -> None:
    assert [pace(each) for each in (1, 4)] == ["1 a frame", "1 in 4 frames"]
    assert seen(Window()) == "Sees its own frame"
    assert seen(Window(float("inf"), 2)) == "Sees every frame up to its own, and 2 frames after it"
    assert seen(Window(-1, 0)) == "Sees no frame"
    assert seen(Window(-2, 2)) == "Sees frame 2 after its own"
    assert seen(Window(3, -2)) == "Sees frames 2 to 3 before its own"
