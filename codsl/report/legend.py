"""What the marks of a picture mean."""

from codsl.report.marks import BAR, HEIGHT, MIDDLE
from codsl.report.markup import element


def samples() -> list[tuple[str, str]]:
    """Each mark, 22 pixels wide and as high as a row, and what it means."""
    return [
        (_bar("past", "past"), "seen at and before its own frame"),
        (_bar("ahead", "ahead"), "seen after it"),
        (_bar("ahead new", "past new"), "new in this layer"),
        (_bar("past", "past") + _line("codsl-tile", 11, 0, HEIGHT), "items"),
        (_line("fires", 11, 4, HEIGHT - 4), "it comes"),
        (
            element("line", class_="held", x1=2, x2=20, y1=MIDDLE, y2=MIDDLE)
            + element("circle", class_="held", cx=2, cy=MIDDLE, r=2),
            "held till then",
        ),
    ]


def _bar(right: str, left: str) -> str:
    def half(kind: str, x: float) -> str:
        return element("rect", class_=kind, x=x, y=MIDDLE - BAR / 2, width=11, height=BAR)

    return half(left, 0) + half(right, 11)


def _line(kind: str, x: float, y1: float, y2: float) -> str:
    return element("line", class_=kind, x1=x, x2=x, y1=y1, y2=y2)
