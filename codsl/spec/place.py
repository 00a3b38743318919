"""Where elaboration stands in the text, and what values, names and keys mean there."""

from dataclasses import dataclass, replace

from codsl.diagnostics import Findings
from codsl.source import Span
from codsl.spec.declared import reserved
from codsl.spec.names import Flow, Level, Names
from codsl.spec.templates import Templates
from codsl.spec.values import Evaluator, LayerValue, Scope
from codsl.syntax import tree
from codsl.syntax.words import RESERVED_KEYS


@dataclass(frozen=True)
class Place:
    """What values, names and keys mean here.

    `templates` are those that the file knows. `uses` are the uses of templates that led here,
    `within` those templates, innermost last. `still` says that layers here are on single frames.
    """

    scope: Scope
    names: Names
    level: Level
    templates: Templates
    uses: tuple[Span, ...] = ()
    within: tuple[tree.Template, ...] = ()
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

    def evaluator(self, flow: Flow, findings: Findings) -> Evaluator:
        """What works out expressions here, where `flow` comes in."""
        channels = flow.frame.channels if flow.frame else None
        return Evaluator(self.scope, channels, findings, flow.begun, self.names.has)

    def rank(self, flow: Flow) -> int | None:
        """How many dimensions a layer here is to take, by the number in its name."""
        return flow.frame.rank - self.still if flow.frame else None

    def shadows(self, name: str) -> bool:
        """Whether a parameter that is a layer takes the name of a template here."""
        try:
            return isinstance(self.scope.get(name), LayerValue)
        except KeyError:
            return False

    def key(self, name: tree.Name | None, findings: Findings) -> str | None:
        """The key of a name that is written here; reports one that is taken or reserved."""
        if name is None:
            return None
        reserved(name, findings, RESERVED_KEYS)
        return self.level.take(name.text, name.span, True, self.uses, findings)

    def level_of(self, name: tree.Name | None, findings: Findings) -> Level | None:
        """The level of keys that a name adds here; None where there is no name."""
        key = self.key(name, findings)
        return None if key is None else Level(key)
