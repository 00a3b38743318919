"""What becomes of a text under the edits that diagnostics offer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from codsl.diagnostics import Applicability, Diagnostic, Edit, Help
from codsl.source import Source

ROUNDS = 20
"""How often edits are carried out at most; each time may bring more to light."""

SYNTAX = "E01"
"""How the codes of mistakes begin that keep a source from being read."""

Find = Callable[[Source], Sequence[Diagnostic]]
"""What is wrong with a source."""


@dataclass(frozen=True)
class Mended:
    """A source after edits: how many remedies it took, what is wrong with it now, and how many
    errors the next remedies would have led to, where they were more than before or broke it."""

    source: Source
    remedies: int
    left: Sequence[Diagnostic]
    refused: int | None = None


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A text after edits that do not overlap; one that is offered twice is carried out once."""
    once = {(each.span.start, each.span.end, each.replacement): each for each in edits}
    for edit in sorted(once.values(), key=lambda each: (each.span.start, each.span.end))[::-1]:
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return text


def mend(source: Source, find: Find, sure: Iterable[Applicability]) -> Mended:
    """The source once all is carried out that is as `sure` as asked.

    What comes to light then is mended too. It has never more errors than before, and it never stops
    to be read where it was.
    """
    wanted = frozenset(sure)
    found = find(source)
    most = errors(found)
    good = Mended(source, 0, found)
    taken, refused = 0, None
    seen = {source.text}
    for _ in range(ROUNDS):
        remedies = compatible(found, source, wanted)
        text = edited(source.text, (edit for each in remedies for edit in each.edits))
        if text in seen:
            break
        seen.add(text)
        whole = not _breaks(found, source)
        source = Source(source.name, text)
        found = find(source)
        if whole and _breaks(found, source):
            refused = errors(found)
            break
        taken += len(remedies)
        if errors(found) <= most:
            good, refused = Mended(source, taken, found), None
        else:
            refused = errors(found)
    return Mended(good.source, good.remedies, good.left, refused)


def errors(found: Iterable[Diagnostic]) -> int:
    """How many of these are no mere warnings."""
    return sum(each.severity == "error" for each in found)


def _breaks(found: Iterable[Diagnostic], source: Source) -> bool:
    """Whether some of these are mistakes of syntax in a source itself."""
    broken = (each for each in found if each.code.startswith(SYNTAX))
    return any(each.span and each.span.source.name == source.name for each in broken)


def mendable(found: Iterable[Diagnostic]) -> int:
    """How many of these have a remedy that is sure."""
    sure = (Applicability.SURE,)
    return sum(
        any(each.edits and each.applicability in sure for each in one.helps) for one in found
    )


def compatible(
    found: Iterable[Diagnostic], source: Source, sure: frozenset[Applicability]
) -> list[Help]:
    """The first remedy of each diagnostic that is as `sure` as asked, and all of whose edits are
    of this source and touch no other's."""
    taken: list[Edit] = []
    remedies = []
    for each in found:
        for remedy in each.helps:
            if not remedy.edits or remedy.applicability not in sure:
                continue
            if all(_fits(edit, source, taken) for edit in remedy.edits):
                taken += remedy.edits
                remedies.append(remedy)
            break
    return remedies


def _fits(edit: Edit, source: Source, taken: Iterable[Edit]) -> bool:
    """Whether an edit is of this source, and touches none of those taken unless it is the same."""
    if edit.span.source.name != source.name:
        return False
    return all(
        edit == other or edit.span.end < other.span.start or other.span.end < edit.span.start
        for other in taken
    )
