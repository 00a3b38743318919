"""Expressions in scalars of YAML that are not written as they read: places, and what mends them."""

from __future__ import annotations

import pytest

import codsl
from codsl.diagnostics import Applicability, Diagnostic, Edit, Help, Label
from codsl.mending import mend
from codsl.pipeline import inspect
from codsl.source import Source, Span

WAYS = [
    r'"$(4 if mode == \"same\" else widht)"',
    r'"$(4 if mode == \x22same\x22 else widht)"',
    '"$(4 if mode ==\n\n        \\"same\\" else\n        widht)"',
    '"$(4 if mode == \\"sa\\\n        me\\" else widht)"',
    "'$(4 if mode == \"same\" else\n        widht)'",
    '$(4 if mode == "same" else\n        widht)',
    '>-\n        $(4 if mode == "same"\n        else widht)',
    '>- # $(4 if mode\n        $(4 if mode == "same" else widht)',
    '|-\n        $(4 if mode ==\n        "same" else widht)',
    '&some "$(4 if mode == \\"same\\" else widht)"',
]


def spec(value: str) -> str:
    """A network of a layer with this argument, which `relu` follows."""
    start = "codsl: 1\nparams: {width: 8, mode: none}\ninput: [3, T]\nlayers:\n"
    return f"{start}  - linear:\n      out_features: {value}\n  - relu\n"


def find(source: Source) -> tuple[Diagnostic, ...]:
    try:
        return inspect(source)[1]
    except codsl.SpecError as error:
        return error.diagnostics


def culprit(text: str) -> Span:
    span = find(Source("n.yaml", text))[0].span
    assert span is not None
    return span


@pytest.mark.parametrize("value", WAYS)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_name_is_found_and_mended_where_it_stands(value: str, ends: str) -> None:
    text = spec(value).replace("\n", ends)
    at = culprit(text)
    assert (at.text, at.start) == ("widht", text.rfind("widht"))
    mended = mend(Source("n.yaml", text), find, (Applicability.SURE,))
    assert mended.source.text == text.replace("widht", "width")
    assert not mended.left


def test_doubled_quotes_are_one() -> None:
    text = spec("'$(4 if mode == \"it''s\" else widht)'")
    assert (culprit(text).text, culprit(text).start) == ("widht", text.rfind("widht"))


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (r'"$(4 if mode == \"same\" else (2 +))"', "+))"),
        ('"$(4 if\n        mode == else 3)"', "3)"),
        (">-\n        $(4 if\n        mode == else 3)", "3)"),
    ],
)
def test_what_breaks_an_expression_is_found(value: str, place: str) -> None:
    text = spec(value)
    assert abs(culprit(text).start - text.index(place)) <= 1


def test_no_remedy_puts_quotes_into_the_same_quotes() -> None:
    text = spec("\"$(4 if mode == 'same' else width)\"")
    (found,) = find(Source("n.yaml", text))
    assert [(each.text, each.edits) for each in found.helps] == [
        ("texts stand in double quotes", ())
    ]
    sure = (Applicability.SURE, Applicability.LIKELY)
    assert mend(Source("n.yaml", text), find, sure).source.text == text


def test_where_places_are_not_known_nothing_is_edited() -> None:
    text = spec(r'"$(4 if mode == \"\a\" else widht)"')
    (found,) = find(Source("n.yaml", text))
    assert found.span is not None
    assert found.span.text == r'"$(4 if mode == \"\a\" else widht)"'
    assert [(each.text, each.edits) for each in found.helps] == [("did you mean `width`?", ())]


def test_no_remedy_reaches_beyond_a_block() -> None:
    text = spec("|-\n        ${width}")
    mended = mend(Source("n.yaml", text), find, (Applicability.SURE,))
    assert mended.source.text == spec("$width")


def test_edits_that_break_the_text_are_left_out() -> None:
    """One mistake of meaning is never made into one of syntax, though there is still only one."""

    def offered(source: Source) -> tuple[Diagnostic, ...]:
        at = source.span(0, 1)
        code = "E0301" if source.text == "a" else "E0101"
        helps = (Help("worse", (Edit(at, "("),), Applicability.SURE),)
        return (Diagnostic(code, "no", (Label(at),), (), helps),)

    mended = mend(Source("n", "a"), offered, (Applicability.SURE,))
    assert (mended.source.text, mended.remedies, mended.refused) == ("a", 0, 1)
