"""What a user is told about a mistake: a code, a place, a reason and a remedy."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from typing import Any

from codsl.source import Source, Span

WIDEST = 160
"""Characters of a source line that are shown at most."""
LONGEST = 400
"""Characters of a sentence at most; a name in it may be of any length."""
CONSIDERED = 200
"""Words at most among which one is looked for that was meant."""
SYNONYMS = {
    **{"integer": "int", "string": "str", "boolean": "bool", "double": "float", "number": "float"},
    **{"list": "tuple", "module": "layer", "add": "sum", "plus": "sum", "multiply": "mul"},
    **{"product": "mul", "prod": "mul", "cat": "concat", "concatenate": "concat", "avg": "mean"},
    **{"average": "mean", "maximum": "max", "description": "doc", "title": "name"},
    **{"parameters": "params", "imports": "import"},
}
"""Words of other tools, and those of the language."""
MOST = 100
"""Mistakes at most that are collected before reading stops."""


@dataclass(frozen=True)
class Label:
    """A place and what is to be said of it; the first of a diagnostic is the culprit."""

    span: Span
    text: str = ""


@dataclass(frozen=True)
class Edit:
    """A replacement of a stretch of the source."""

    span: Span
    replacement: str


class Applicability(StrEnum):
    """How well it is known that an edit is what was meant."""

    SURE = "sure"
    """It is: a tool may carry it out unasked."""
    LIKELY = "likely"
    """Probably; someone should look."""
    CHOICE = "choice"
    """It is one of several ways out, or holds a number that only its author knows."""


@dataclass(frozen=True)
class Help:
    """A remedy in words, with the edits that carry it out where there are such."""

    text: str
    edits: tuple[Edit, ...] = ()
    applicability: Applicability = Applicability.LIKELY


@dataclass(frozen=True)
class Diagnostic:
    """One mistake. Codes by stage: E01 syntax, E02 structure, E03 names and values,
    E04 layers, shapes and time, E05 imports, E06 weights, W07 lint."""

    code: str
    message: str
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    helps: tuple[Help, ...] = ()

    @property
    def severity(self) -> str:
        """`error` or `warning`."""
        return "warning" if self.code.startswith("W") else "error"

    @property
    def span(self) -> Span | None:
        """Where the culprit stands, if it stands anywhere."""
        return self.labels[0].span if self.labels else None

    def to_json(self) -> dict[str, Any]:
        """The diagnostic as plain data; lines and columns from 1, the end exclusive."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "labels": [{**_place(label.span), "text": label.text} for label in self.labels],
            "notes": list(self.notes),
            "helps": [
                {
                    "text": entry.text,
                    "applicability": entry.applicability if entry.edits else None,
                    "edits": [
                        {**_place(edit.span), "replacement": edit.replacement}
                        for edit in entry.edits
                    ],
                }
                for entry in self.helps
            ],
        }

    def __str__(self) -> str:
        return render(self)


class SpecError(Exception):
    """Everything that is wrong with a spec, in `diagnostics`."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        return "\n\n".join(render(each) for each in self.diagnostics)


class Findings:
    """The mistakes found so far; a stage adds to it and goes on with what is left whole."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._said: set[object] = set()

    def add(
        self,
        code: str,
        message: str,
        *labels: Label | Span | None,
        notes: Sequence[str] = (),
        helps: Sequence[Help | str] = (),
    ) -> None:
        """Note a mistake; of one culprit one thing is said, whichever use of a template shows it.

        Raises `SpecError` where there are so many that more would help nobody.
        """
        found = Diagnostic(
            code,
            shorten(message),
            tuple(Label(at) if isinstance(at, Span) else at for at in labels if at is not None),
            tuple(map(shorten, notes)),
            tuple(Help(each) if isinstance(each, str) else _admitted(each) for each in helps),
        )
        place = (code, found.span or found.message)
        if place in self._said:
            return
        self._said.add(place)
        self.diagnostics.append(found)
        if len(self.diagnostics) >= MOST:
            more = (*found.notes, f"reading stopped here, after {MOST} mistakes")
            self.diagnostics[-1] = replace(found, notes=more)
            self.settle()

    def settle(self) -> tuple[Diagnostic, ...]:
        """The warnings, in the order of the text; raises `SpecError` where there are errors."""
        ordered = tuple(sorted(self.diagnostics, key=_order))
        if any(each.severity == "error" for each in ordered):
            raise SpecError(ordered)
        return ordered


def _admitted(remedy: Help) -> Help:
    """A remedy, in words only where its edits may not be carried out."""
    sound = all(each.span.admits(each.replacement) for each in remedy.edits)
    return remedy if sound else Help(remedy.text)


def suggest(word: str, known: Iterable[str]) -> list[str]:
    """The known words that look most like `word`, whatever their case, the nearest first, or those
    of which it is a part, or that are a part of it."""
    if len(word) > LONGEST:
        return []
    known = list(known)
    alike: dict[str, str] = {}
    for each in known:
        if abs(len(each) - len(word)) <= max(2, len(word) // 2):
            alike.setdefault(_letters(each), each)
    parts = word.split("_")[1:] + word.split("_")[:1]
    near = get_close_matches(_letters(word), list(islice(alike, CONSIDERED)), n=3, cutoff=0.6)
    whole = [each for each in known if _is_part(word, each)]
    return [alike[each] for each in near] or whole or [each for each in known if each in parts]


def did_you_mean(
    word: str, known: Iterable[str], at: Span, written: Mapping[str, str] | None = None
) -> list[Help]:
    """The known word that `word` at `at` was probably to be, as an edit, where there is one.

    It is sure where no other known word is as near, and it is a slip away. `written` has what is to
    be written for a known word where that is something else.
    """
    considered = list(dict.fromkeys(known))
    meant = near(word, considered)
    if meant is None:
        return []
    distance = slips(word, meant)
    rivals = [each for each in considered if slips(word, each) <= distance]
    sure = distance < 2 and len(rivals) == 1 and len(meant) > 3 - (distance == 0)
    write = (written or {}).get(meant, meant)
    how = Applicability.SURE if sure else Applicability.LIKELY
    return [Help(f"did you mean `{write}`?", (Edit(at, write),), how)]


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that a word was probably to be."""
    considered = list(known)
    if (synonym := SYNONYMS.get(word.lower())) in considered:
        return synonym
    found = sorted(suggest(word, considered), key=lambda each: slips(word, each))
    return found[0] if found else None


def surely_meant(helps: Sequence[Help]) -> str | None:
    """The word that a remedy puts in, where that is sure."""
    sure = (each for each in helps if each.applicability is Applicability.SURE and each.edits)
    return next((each.edits[0].replacement for each in sure), None)


def slips(written: str, meant: str) -> int:
    """0 where two words differ only in case and underscores, 1 where one letter is too many, too
    few, wrong or out of order, else 2."""
    one, other = sorted((_letters(written), _letters(meant)), key=len)
    if one == other:
        return 0
    pairs = enumerate(zip(one, other, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), len(one))
    rest, longer = one[same:], other[same:]
    if len(rest) < len(longer):
        return 1 if rest == longer[1:] else 2
    swapped = rest[:2] == longer[1::-1] and rest[2:] == longer[2:]
    return 1 if rest[1:] == longer[1:] or swapped else 2


def _is_part(word: str, known: str) -> bool:
    """Whether a word, or one a slip away, stands before or behind a `_` of another one."""
    least = 1 if len(word) < 5 else 2
    return len(word) > 2 and any(slips(word, each) < least for each in known.split("_"))


def _letters(word: str) -> str:
    return word.replace("_", "").lower()


def shorten(text: str) -> str:
    """A sentence of bounded length: what is too much in the middle is left out."""
    half = LONGEST // 2
    return text if len(text) <= LONGEST else f"{text[:half]} ... {text[-half:]}"


def plural(count: int, noun: str) -> str:
    """`1 layer`, `2 layers`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def escape(text: str) -> str:
    """A text without what a terminal would act on: control and format characters are spelled."""
    return "".join(
        char
        if char.isprintable() or char == " "
        else (" " if char == "\t" else char.encode("unicode_escape").decode())
        for char in text
    )


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as it stands in a terminal, source lines and all."""
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {escape(diagnostic.message)}"]
    numbers = [label.span.line for label in diagnostic.labels]
    margin = len(str(max(numbers, default=0)))
    blank = " " * margin + " |"
    source: Source | None = None
    for place, labels in _by_line(diagnostic.labels):
        if place.source is not source:
            source = place.source
            where = f"{escape(source.name)}:{place.line}:{place.column}"
            lines += [" " * margin + f"--> {where}", blank]
        lines += _excerpt(place, labels, diagnostic.labels[0], margin)
    for note in diagnostic.notes:
        lines.append(" " * margin + f" = note: {escape(note)}")
    for entry in diagnostic.helps:
        lines.append(" " * margin + f" = help: {escape(entry.text)}")
    return "\n".join(lines)


def _by_line(labels: Sequence[Label]) -> Iterator[tuple[Span, list[Label]]]:
    groups: dict[tuple[int, int], list[Label]] = {}
    for label in labels:
        groups.setdefault((id(label.span.source), label.span.line), []).append(label)
    for group in groups.values():
        yield group[0].span, group


def _excerpt(place: Span, labels: list[Label], culprit: Label, margin: int) -> list[str]:
    """A source line and the markers under it: the culprit's `^^^`, the others' `---`."""
    text = place.source.line(place.line)
    start = max(0, place.column - WIDEST // 2) if len(text) > WIDEST else 0
    shown = text[start : start + WIDEST]
    rows = [f"{place.line:>{margin}} | {escape(shown)}"]
    marks: list[tuple[int, str, str]] = []
    for label in sorted(labels, key=lambda label: -label.span.start):
        first = max(0, label.span.column - 1 - start)
        stop = min(first + max(1, label.span.end - label.span.start), max(len(shown), first + 1))
        column = _width(escape(shown[:first]))
        sign = "^" if label is culprit else "-"
        marks.append((column, sign * max(1, _width(escape(shown[first:stop]))), label.text))
    under = ""
    for column, mark, _ in reversed(marks):
        under = under[:column].ljust(column) + mark + under[column + len(mark) :]
    rows.append(" " * margin + " | " + f"{under} {escape(marks[0][2])}".rstrip())
    for column, _, text in marks[1:]:
        if text:
            rows.append(" " * margin + " | " + " " * column + escape(text))
    return rows


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _place(span: Span) -> dict[str, Any]:
    end_line, end_column = span.source.position(span.end)
    return {
        "source": span.source.name,
        "line": span.line,
        "column": span.column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _order(diagnostic: Diagnostic) -> tuple[str, int]:
    span = diagnostic.span
    return (span.source.name, span.start) if span else ("", -1)
