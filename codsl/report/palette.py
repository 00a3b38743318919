"""The colours of pictures, by light and by dark, and the style sheets in them."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

COLOURS: Mapping[str, tuple[str, str]] = {
    "paper": ("#ffffff", "#0f1419"),
    "ink": ("#1c2128", "#e4e9ef"),
    "soft": ("#5b6570", "#98a2ad"),
    "faint": ("#e3e7ec", "#262e37"),
    "wire": ("#8a94a0", "#6f7a86"),
    "past": ("#bcd7f0", "#234a70"),
    "past-new": ("#2a70b8", "#5aa9f5"),
    "ahead": ("#f6d3ad", "#68421c"),
    "ahead-new": ("#c4620c", "#f29a4a"),
    "held": ("#7b3fb3", "#c297f5"),
    "weight": ("#a9b3be", "#55616d"),
    "lit": ("#fff4cc", "#37321a"),
}
"""What each is for, with its light and its dark colour; text on paper has a contrast above 4.5."""

_USED = re.compile(r"var\(--([a-z-]+)\)")
_RULE = re.compile(r"[^{}]+\{[^{}]*\}")


@cache
def sheet(name: str) -> str:
    """A file beside this one."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def variables() -> str:
    """The colours as a page's variables: those of the reader's scheme, on paper the light ones."""
    light, dark = (
        "".join(f"--{name}:{pair[index]};" for name, pair in COLOURS.items()) for index in (0, 1)
    )
    return (
        f".codsl{{color-scheme:light;{light}}}\n"
        "@media screen and (prefers-color-scheme:dark){"
        f".codsl:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
        f"@media screen{{.codsl[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n"
    )


def literal(css: str) -> str:
    """A style sheet without variables, for viewers that know none, with what is dark behind."""
    dark = [rule.strip() for rule in _RULE.findall(css) if _USED.search(rule)]
    return (
        f"{_in(css, 0)}@media screen and (prefers-color-scheme:dark){{\n"
        f"{_in(chr(10).join(dark), 1)}\n}}\n"
    )


def _in(css: str, scheme: int) -> str:
    return _USED.sub(lambda used: COLOURS[used[1]][scheme], css)
