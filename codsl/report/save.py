"""Writing a report to a file, in the form that the name of the file asks for."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from codsl.graph.report import Report
from codsl.report.drawing import svg
from codsl.report.page import html
from codsl.writing import in_place

FORMS: Mapping[str, Callable[[Report, int | None], str]] = {
    ".html": html,
    ".svg": svg,
    ".json": lambda report, depth: f"{report.to_json()}\n",
    ".txt": lambda report, depth: f"{report}\n",
}
"""What a file of each kind holds."""


def save(report: Report, path: str | os.PathLike[str], depth: int | None = None) -> None:
    """Write a report as `.html`, `.svg`, `.json` or `.txt`, all at once.

    `depth` levels of blocks are unfolded in a picture; left out, as many as fit well on a screen.
    Raises `ValueError` for another kind of file, and `OSError` where it cannot be written.
    """
    form = FORMS.get(Path(path).suffix.lower())
    if form is None:
        raise ValueError(f"a report is written to {', '.join(FORMS)}; `{os.fspath(path)}` is none")
    write(form(report, depth), Path(path))


def write(text: str, path: Path) -> None:
    """Write a text as UTF-8, all at once; raises `OSError` where it cannot be written."""
    with in_place(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
