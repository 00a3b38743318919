"""What every code of a diagnostic means; one file of Markdown for each lies beside this one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

STAGES = {
    "E01": "Syntax",
    "E02": "Structure",
    "E03": "Names and values",
    "E04": "Layers, shapes and time",
    "E05": "Imports",
    "E06": "Weights",
    "W07": "Warnings",
}
"""The stages at which something is found, by the beginning of their codes."""

_FORM = re.compile(
    r"# (?P<title>[^\n]+)\n\n(?P<what>.+?)\n\n"
    r"## In a stream\n\n(?P<stream>.+?)\n\n"
    r"## Wrong\n\n```(?P<written>\w+)\n(?P<wrong>.+?)```\n\n"
    r"## Right\n\n```(?P=written)\n(?P<right>.+?)```\n",
    re.DOTALL,
)


@dataclass(frozen=True)
class Explanation:
    """A code: its title in a line, what it means, what it has to do with a stream, and an example
    of it beside one without; both are `written` in `yaml`, `text` or `python`."""

    code: str
    title: str
    what: str
    stream: str
    written: str
    wrong: str
    right: str

    def markdown(self) -> str:
        """All of it, under a heading."""
        parts = (
            f"### {self.code}: {self.title}\n\n{self.what}",
            f"In a stream: {self.stream}",
            f"Wrong:\n\n```{self.written}\n{self.wrong}```",
            f"Right:\n\n```{self.written}\n{self.right}```",
        )
        return "\n\n".join(parts) + "\n"


@cache
def codes() -> tuple[str, ...]:
    """Every code, in order."""
    names = (each.name for each in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".md") for name in names if name.endswith(".md")))


@cache
def explanation(code: str) -> Explanation:
    """What a code means. Raises `KeyError` for one that there is not."""
    if code not in codes():
        raise KeyError(code)
    text = files(__name__).joinpath(f"{code}.md").read_text("utf-8")
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{code}.md has another form than the others")
    return Explanation(code, **found.groupdict())


def titles() -> Mapping[str, str]:
    """The title of every code."""
    return {code: explanation(code).title for code in codes()}


def page() -> str:
    """All explanations, as the page of the documentation has them."""
    parts = [
        "# Errors\n",
        "Every mistake has a code; `codsl explain CODE` shows what stands here. In Python the "
        "diagnostics of a `codsl.SpecError` have it as `code`.\n",
    ]
    for stage, name in STAGES.items():
        listed = [explanation(code) for code in codes() if code.startswith(stage)]
        parts.append(f"## {name}\n")
        parts += [each.markdown() for each in listed]
    return "\n".join(parts)
