"""Constructs that join, as they are written: their words, and the item that they become."""

from typing import final

from codsl.diagnostics import Findings
from codsl.spec.draft import Drafts
from codsl.spec.joins import how_of, meet, no_shrink
from codsl.spec.names import HOLE, Flow
from codsl.spec.place import Place
from codsl.spec.sources import Sources
from codsl.spec.spec import Origin
from codsl.syntax import tree


@final
class Joiner:
    """Adds joins to what is made."""

    def __init__(self, sources: Sources, made: Drafts, findings: Findings) -> None:
        self._sources = sources
        self._made = made
        self._findings = findings

    def met(
        self,
        construct: str,
        node: tree.Residual | tree.Parallel | tree.Join,
        flows: list[Flow],
        labels: tuple[str, ...],
        place: Place,
        flow: Flow,
        key: str | None = None,
    ) -> Flow:
        """What becomes of these values where a construct joins them; `flow` came before it."""
        evaluator = place.evaluator(flow, self._findings)
        how = how_of(construct, node.arguments, evaluator, self._findings)
        if how and how.shrink and place.still:
            no_shrink(node.arguments, place.uses, self._findings)
            how = None
        words = {each.name.text: each.value.span for each in node.arguments if each.name}
        roots = {each.name.text: evaluator.root(each.value) for each in node.arguments if each.name}
        known = {name: root for name, root in roots.items() if root is not None}
        origin = Origin(node.span, words, place.uses, known)
        taken = [self._sources.taken(each, node.span) for each in flows]
        item = how and meet(taken, labels, how, origin, self._findings, self._made.widens)
        return self._made.add(item, place.level, key) if item else HOLE
