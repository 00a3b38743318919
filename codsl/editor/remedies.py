"""The remedies of mistakes that an editor can carry out, one by one or all that are sure."""

from collections.abc import Iterator
from dataclasses import dataclass

from codsl.diagnostics import Applicability, Diagnostic, Edit
from codsl.editor.reading import Reading, understand
from codsl.mending import mend


@dataclass(frozen=True)
class Remedy:
    """Edits of this file under a title; `sure` where they are what was meant."""

    title: str
    edits: tuple[Edit, ...]
    sure: bool
    of: Diagnostic


def remedies(reading: Reading, start: int, end: int) -> Iterator[Remedy]:
    """What can be done about the mistakes that touch a stretch of the text."""
    here = reading.source.name
    for found in reading.diagnostics:
        if not any(
            label.span.source.name == here and label.span.start <= end and start <= label.span.end
            for label in found.labels
        ):
            continue
        for remedy in found.helps:
            if remedy.edits and all(each.span.source.name == here for each in remedy.edits):
                sure = remedy.applicability is Applicability.SURE
                yield Remedy(remedy.text, remedy.edits, sure, found)


def mended(reading: Reading) -> str | None:
    """The text once all is carried out that is sure; None where nothing is."""
    after = mend(
        reading.source, lambda source: understand(source).diagnostics, (Applicability.SURE,)
    )
    return after.source.text if after.remedies else None
