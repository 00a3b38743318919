"""What is shown for each file of `tests/wrong`; `python tests/goldens.py` writes it anew."""

from contextlib import chdir
from pathlib import Path

import codsl
from codsl.pipeline import inspect
from codsl.source import Source

WRONG = Path(__file__).parent / "wrong"
FILES = sorted(path for path in WRONG.iterdir() if path.suffix in (".yaml", ".codsl"))


def mistakes(text: str, name: str) -> tuple[codsl.Diagnostic, ...]:
    """The diagnostics of a spec, whose source goes by the name alone."""
    with chdir(WRONG):
        try:
            return inspect(Source(name, text), root=".")[1]
        except codsl.SpecError as error:
            return error.diagnostics


def shown(path: Path) -> str:
    """The rendering of all that is wrong with a file."""
    found = mistakes(path.read_text("utf-8"), path.name)
    return "\n\n".join(map(str, found)) + "\n"


def golden(path: Path) -> Path:
    """Where the rendering of a file is kept."""
    return path.with_name(f"{path.name}.txt")


if __name__ == "__main__":
    for file in FILES:
        golden(file).write_text(shown(file), "utf-8")
