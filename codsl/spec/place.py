"""Where elaboration stands in the text, and what values, names and keys mean there."""

from dataclasses import dataclass, replace

from codsl.source import Span
from codsl.spec.names import Level, Names
from codsl.spec.values import Scope


@dataclass(frozen=True)
class Place:
    """What values, names and keys mean here.

    `uses` are the uses of templates that led here, `within` those templates, innermost last.
    `still` says that layers here are on single frames.
    """

    scope: Scope
    names: Names
    level: Level
    uses: tuple[Span, ...] = ()
    within: tuple[str, ...] = ()
    depth: int = 0
    still: bool = False

    def inside(self, level: Level | None) -> "Place":
        """A block here; `level` is its own where it has a name."""
        return replace(
            self,
            scope=self.scope.child(),
            names=Names(self.names),
            level=level or self.level,
            depth=self.depth + 1,
        )
