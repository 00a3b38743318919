"""Where in a spec the cursor stands, in either surface, also while the text is not whole."""

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """What can be written at a place."""

    NOTHING = "nothing"
    SECTION = "section"
    LAYER = "layer"
    ARGUMENT = "argument"
    VALUE = "value"
    SOURCE = "source"
    TYPE = "type"


VARIANT = "variant"
"""The owner of the parameters that a variant sets."""


@dataclass(frozen=True)
class Cursor:
    """A place in a text, and the start of the word that is being written there.

    `owner` is the layer, template or construct whose argument it is about, `given` what that has
    already, `template` the template that it is in. `quoted` says that a string is open.
    """

    place: Place
    start: int
    owner: str = ""
    argument: str = ""
    given: frozenset[str] = frozenset()
    template: str = ""
    quoted: bool = False
