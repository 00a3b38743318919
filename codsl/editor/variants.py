"""The variants of a document: what each changes, and of which the figures are shown."""

from dataclasses import dataclass

from codsl.editor.describe import given
from codsl.editor.reading import Reading
from codsl.source import Span
from codsl.syntax import tree


@dataclass(frozen=True)
class Choice:
    """A set of parameters whose figures can be shown: that of a variant, or, where its name is
    empty, the defaults."""

    variant: str

    @property
    def title(self) -> str:
        """What an editor says of it."""
        if self.variant:
            return f"show the figures of the variant `{self.variant}`"
        return "show the figures of the default parameters"


def choices(reading: Reading, start: int, end: int) -> list[Choice]:
    """What can be chosen at a stretch of the text: a variant by its name, and the defaults there
    where its figures are shown."""
    for variant in _variants(reading):
        at = variant.name.span
        if at.start <= end and start <= at.end:
            shown = variant.name.text == reading.variant
            return [Choice("" if shown else variant.name.text)]
    return []


def told_of(reading: Reading, span: Span) -> str:
    """What a variant whose name stands here changes, in Markdown; empty where there is none."""
    for variant in _variants(reading):
        if variant.name.span.start <= span.start < variant.name.span.end:
            parameters = reading.document.parameters if reading.document else ()
            defaults = {each.name.text: each.default for each in parameters}
            lines = [_changed(each, defaults) for each in variant.values] or ["the defaults"]
            return "  \n".join([f"variant `{variant.name.text}`", *lines])
    return ""


def values_of(reading: Reading, parameter: str) -> str:
    """The values that variants give to a parameter, in Markdown."""
    return ", ".join(
        f"`{given(value.value)}` in `{variant.name.text}`"
        for variant in _variants(reading)
        for value in variant.values
        if value.name and value.name.text == parameter
    )


def _changed(value: tree.Argument, defaults: dict[str, tree.Expression | None]) -> str:
    """A parameter with its value in a variant, and its default."""
    name = value.name.text if value.name else ""
    default = defaults.get(name)
    otherwise = f", otherwise `{given(default)}`" if default is not None else ""
    return f"`{name}` is `{given(value.value)}`{otherwise}"


def _variants(reading: Reading) -> tuple[tree.Variant, ...]:
    return reading.document.variants if reading.document else ()
