"""A checkpoint that a spec knows by name: how its tensors are called and laid out."""

from dataclasses import dataclass

from codsl.spec.renaming import Pattern, Renaming

FOLD = r"(un)?fold (\S+)(?: eps=(\d{1,9}(?:\.\d{0,20})?(?:e-?\d{1,2})?))?"
"""The form of a word for a layer and its norm: whether it is undone, the norm, its `eps`."""


@dataclass(frozen=True)
class Known:
    """What is known of a checkpoint; `adapt` has the word of an adapter for a pattern."""

    name: str
    layout: str = "torch"
    renaming: Renaming = Renaming()
    sha256: str | None = None
    envelope: str | None = None
    allow_missing: tuple[Pattern, ...] = ()
    allow_unexpected: tuple[Pattern, ...] = ()
    adapt: tuple[tuple[Pattern, str], ...] = ()
