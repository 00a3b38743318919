"""Remedies that are carried out: which ones, how far, and what is left."""

import pytest

import codsl
from codsl.diagnostics import (
    Applicability,
    Diagnostic,
    Edit,
    Findings,
    Help,
    Label,
    did_you_mean,
    slips,
)
from codsl.mending import edited, errors, mend
from codsl.pipeline import inspect
from codsl.source import Source

SURE = (Applicability.SURE,)
ALL = (Applicability.SURE, Applicability.LIKELY)


def find(source: Source) -> tuple[Diagnostic, ...]:
    try:
        return inspect(source)[1]
    except codsl.SpecError as error:
        return error.diagnostics


def spec(layers: str) -> Source:
    return Source("n.yaml", f"codsl: 1\ninput: [3, T, 8, 8]\nlayers:\n{layers}")


def test_what_is_sure_is_mended_and_the_rest_is_left() -> None:
    source = spec("  - Conv3d: {out_channels: 3, kernal_size: (1, 1, 1)}\n  - conv4d: {a: 1}\n")
    mended = mend(source, find, SURE)
    assert mended.source.text == (
        "codsl: 1\ninput: [3, T, 8, 8]\nlayers:\n"
        "  - conv3d: {out_channels: 3, kernel_size: [1, 1, 1]}\n  - conv4d: {a: 1}\n"
    )
    assert (mended.remedies, mended.refused) == (3, None)
    assert [each.message for each in mended.left] == ["there is no layer `conv4d`"]


def test_what_is_likely_is_mended_only_when_asked() -> None:
    source = spec("  - reluu\n")
    assert mend(source, find, SURE).source is source
    assert mend(source, find, ALL).source.text.endswith("- relu\n")


def test_nothing_is_left_with_more_errors_than_before() -> None:
    """A tab hides three mistakes that nobody can mend; so it stays, and it is said why."""
    source = spec("\t- convolve\n  - convolute\n  - convulse\n")
    mended = mend(source, find, SURE)
    assert errors(find(source)) == 1
    assert mended.source is source
    assert (mended.remedies, mended.refused) == (0, 3)


def test_mending_ends_where_it_goes_in_circles() -> None:
    def circular(source: Source) -> tuple[Diagnostic, ...]:
        other = "b" if source.text == "a" else "a"
        at = source.span(0, 1)
        help_ = Help("the other", (Edit(at, other),), Applicability.SURE)
        return (Diagnostic("E0302", "no", (Label(at),), (), (help_,)),)

    assert mend(Source("n", "a"), circular, SURE).source.text in ("a", "b")


def test_edits_that_touch_wait_for_the_next_round() -> None:
    source = Source("n", "abc")

    def offered(given: Source) -> tuple[Diagnostic, ...]:
        findings = Findings()
        for at, letter in enumerate(given.text):
            if letter.islower():
                edits = (Edit(given.span(at, at + 1), letter.upper()),)
                help_ = Help("louder", edits, Applicability.SURE)
                findings.add("E0302", letter, given.span(at, at + 1), helps=(help_,))
        return tuple(findings.diagnostics)

    assert mend(source, offered, SURE).source.text == "ABC"


def test_edits_of_other_files_are_left() -> None:
    source, other = Source("n", "a"), Source("m", "a")
    help_ = Help("b", (Edit(other.span(0, 1), "b"),), Applicability.SURE)
    found = (Diagnostic("E0302", "no", (Label(other.span(0, 1)),), (), (help_,)),)
    assert mend(source, lambda _: found, SURE).source is source


def test_edits_are_carried_out_from_the_end_and_once() -> None:
    source = Source("n", "abcdef")
    edits = [Edit(source.span(1, 2), "12345"), Edit(source.span(4, 4), "x")]
    assert edited(source.text, [*edits, edits[0]]) == "a12345cdxef"


@pytest.mark.parametrize(
    ("written", "meant", "apart"),
    [
        ("conv3d", "Conv_3D", 0),
        ("kernal", "kernel", 1),
        ("krenel", "kernel", 1),
        ("kernl", "kernel", 1),
        ("kernnel", "kernel", 1),
        ("kenrle", "kernel", 2),
        ("krnl", "kernel", 2),
        ("same", "mesa", 2),
    ],
)
def test_a_slip_is_one_letter(written: str, meant: str, apart: int) -> None:
    assert slips(written, meant) == slips(meant, written) == apart


def test_one_of_several_as_near_is_not_sure() -> None:
    at = Source("n", "conv4d").span(0, 6)
    (help_,) = did_you_mean("conv4d", ["conv2d", "conv3d", "relu"], at)
    assert help_.applicability is Applicability.LIKELY
    (help_,) = did_you_mean("Conv3d", ["conv2d", "conv3d", "relu"], at)
    assert help_.applicability is Applicability.SURE
    assert did_you_mean("nothing", ["conv2d", "conv3d", "relu"], at) == []
