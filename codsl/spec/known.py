"""A checkpoint that a spec knows by name: how its tensors are called and laid out."""

from dataclasses import dataclass

from codsl.spec.renaming import Pattern, Renaming


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
