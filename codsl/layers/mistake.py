"""What a row says where its arguments and its input do not fit."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Remedy:
    """One of several ways out: in words, and the value of the argument, as it is written.

    `shortens` says that the layer then gives fewer items than it takes.
    """

    help: str
    replacement: str
    shortens: bool = False


class Mistake(ValueError):
    """A plain sentence; whoever holds the spans pins it to the text.

    `argument` names the culprit among the arguments, `about` is what to say there, `layer` what to
    say of the layer as a whole, `replacement` the value that would mend it, as it is written;
    `remedies` are several such values.
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
        replacement: str | None = None,
        remedies: Sequence[Remedy] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.argument = argument
        self.about = about
        self.layer = layer
        self.note = note
        self.help = help
        self.replacement = replacement
        self.remedies = tuple(remedies)
