"""Elements of SVG and HTML as text, in which nothing that a user wrote can act."""

from html import escape as quoted

from codsl.diagnostics import escape

Attribute = str | float | None

VOID = frozenset({"meta", "br"})
"""What HTML never closes."""


def words(text: str) -> str:
    """A text as markup shows it: `<`, `&` and quotes stand for themselves, control characters,
    which XML cannot hold, are spelled."""
    return quoted(text if text.isprintable() else escape(text))


def element(tag: str, /, *content: str, **attributes: Attribute) -> str:
    """An element with its content, which is markup already; attributes are escaped.

    `view_box` is written `viewBox`, `class_` `class`, and `data_past` `data-past`; what is None is
    left out, and `""` is an attribute without value.
    """
    given = "".join(
        f' {_spelled(key)}="{words(number(value) if isinstance(value, float | int) else value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in VOID:
        return f"<{tag}{given}>"
    return f"<{tag}{given}>{''.join(content)}</{tag}>"


def lettering(
    text: str, x: float, y: float, kind: str = "", anchor: str = "start", size: float | None = None
) -> str:
    """A text of an SVG that starts, ends or has its middle at `x`; `kind` is its class, and
    without a `size` it is as large as what is around it."""
    return element(
        "text",
        words(text),
        x=x,
        y=y,
        class_=kind or None,
        text_anchor=None if anchor == "start" else anchor,
        font_size=size,
    )


def number(value: float) -> str:
    """A length in two decimals at most."""
    return f"{value + 0.0:.2f}".rstrip("0").rstrip(".").removesuffix("-0") or "0"


def _spelled(key: str) -> str:
    if key == "view_box":
        return "viewBox"
    return key.rstrip("_").replace("_", "-")
