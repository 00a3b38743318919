"""What a row says where its arguments and its input do not fit, and what would mend it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Give:
    """An argument gets another value, the one at fault if none is named.

    `shortens` says that the layer then gives fewer items than it takes.
    """

    value: Any
    argument: str | None = None
    shortens: bool = False


@dataclass(frozen=True)
class Omit:
    """The argument at fault is left out."""


@dataclass(frozen=True)
class Use:
    """Another layer takes its place, with the same arguments."""

    layer: str


@dataclass(frozen=True)
class Precede:
    """A layer without arguments comes before it."""

    layer: str


Change = Give | Omit | Use | Precede


@dataclass(frozen=True)
class Remedy:
    """A way out: in words, and what it changes. It is `sure` where nothing else can be meant."""

    help: str
    change: Change | None = None
    sure: bool = False


class Mistake(ValueError):
    """A plain sentence; whoever holds the spans pins it to the text.

    `argument` names the culprit among the arguments, `about` is what to say there, `layer` what to
    say of the layer as a whole. `help` and the `change` that carries it out are a remedy;
    `remedies` are several, of which one is to be chosen. `choices` are the words that could stand
    for a wrong one.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        argument: str | None = None,
        about: str = "",
        layer: str = "",
        note: str = "",
        help: str = "",
        change: Change | None = None,
        remedies: Sequence[Remedy] = (),
        choices: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.argument = argument
        self.about = about
        self.layer = layer
        self.note = note
        self.remedies = (*((Remedy(help, change),) if help or change else ()), *remedies)
        self.choices = tuple(choices)
