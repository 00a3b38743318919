"""What becomes of a value that goes through statements: conditions, repetitions, templates."""

from collections.abc import Mapping
from dataclasses import replace
from typing import final

from codsl.diagnostics import Findings, Label
from codsl.layers.row import Layer
from codsl.spec.bind import Passed, check_type, given, passed
from codsl.spec.declared import reserved
from codsl.spec.draft import Drafts
from codsl.spec.joiner import Joiner
from codsl.spec.names import HOLE, Flow, Level, Names
from codsl.spec.near import of_module
from codsl.spec.place import Place
from codsl.spec.repetition import indices_of
from codsl.spec.room import Room
from codsl.spec.rows import row_item
from codsl.spec.sources import Sources, reads
from codsl.spec.spec import Block
from codsl.spec.templates import Found, Templates
from codsl.spec.unknown import no_layer, undefined, unknown
from codsl.spec.values import Evaluator, Hole, LayerValue, Scope
from codsl.syntax import tree
from codsl.syntax.words import CONSTRUCTS, RESERVED_KEYS

Rows = Mapping[str, type[Layer]]


@final
class Statements:
    """Goes through statements and notes what they mean, in `made`."""

    def __init__(self, document: tree.Document, rows: Rows, findings: Findings) -> None:
        self._rows = rows
        self._findings = findings
        self._room = Room(findings)
        self._sources = Sources(document.inputs, findings)
        self.made = Drafts(len(document.inputs))
        self._joiner = Joiner(self._sources, self.made, findings)
        self._passed_by: dict[int, tuple[tuple[tree.Statement, ...], Place]] = {}
        self._gone_through: set[int] = set()

    def look_through(self, templates: Templates) -> None:
        """Report what is wrong whatever the values are in statements that no value went through:
        in templates that are not used, in conditions that do not hold."""
        for template in templates.unused():
            for each in template.parameters:
                if each.type:
                    check_type(each.type, self._findings)
            scope = Scope({each.name.text: Hole for each in template.parameters})
            names = Names(None, {"input": HOLE})
            place = Place(scope, names, Level(), templates, within=(template,))
            self._look(template.body, place)
        for key, (body, place) in list(self._passed_by.items()):
            if key not in self._gone_through:
                self._look(body, place)

    def _look(self, body: tuple[tree.Statement, ...], place: Place) -> None:
        """Read statements with all values unknown, what `from` names too."""
        names = Names(place.names, unsure=True)
        inner = replace(place.inside(Level()), scope=place.scope.unknown(), names=names)
        self.through(body, inner, HOLE)

    def through(self, body: tuple[tree.Statement, ...], place: Place, flow: Flow) -> Flow:
        """What becomes of a value that goes through these statements."""
        for statement in body:
            flow = self._statement(statement, place, flow)
        return flow

    def _statement(self, node: tree.Statement, place: Place, flow: Flow) -> Flow:
        self._room.take(node.span, place.depth)
        match node:
            case tree.Layer():
                return self._layer(node, place, self._sources.source(node.sources, place, flow))
            case tree.Block():
                return self._block(node, place, self._sources.source(node.sources, place, flow))
            case tree.PerFrame():
                return self._per_frame(node, place, self._sources.source(node.sources, place, flow))
            case tree.Residual():
                return self._residual(node, place, self._sources.source(node.sources, place, flow))
            case tree.Parallel():
                return self._parallel(node, place, self._sources.source(node.sources, place, flow))
            case tree.Join():
                return self._join(node, place, flow)
            case tree.Let():
                return self._let(node, place, flow)
            case tree.When():
                return self._when(node, place, flow)
            case tree.Repeat():
                return self._repeat(node, place, flow)
            case tree.Broken():
                place.key(node.name, self._findings)
                place.names.add(node.name, HOLE)
                return HOLE

    def _layer(self, node: tree.Layer, place: Place, flow: Flow) -> Flow:
        kind = node.type.text
        flow = self._sources.taken(flow, node.type.span)
        evaluator = place.evaluator(flow, self._findings)
        arguments = passed(node.arguments, evaluator.layer, evaluator.root)
        if node.local and not (place.templates.lacks(kind) and of_module(kind, self._rows)):
            try:
                meant = self._meant(node.type, place, evaluator)
            except Hole:
                return self._lost(node, place)
            if isinstance(meant, Found):
                return self._use(meant, node, arguments, place, flow)
            arguments = given(meant.arguments) + arguments
            kind = meant.name
        if kind in self._rows:
            return self._row(kind, node, arguments, place, flow)
        known, values = list(place.templates.names()), place.scope.defined()
        sure = unknown(
            kind, node.type.span, self._rows, known, place.rank(flow), self._findings, values
        )
        if sure in self._rows:
            return self._row(str(sure), node, arguments, place, flow)
        if sure in known and (found := place.templates.find(tree.Name(str(sure), node.type.span))):
            return self._use(found, node, arguments, place, flow)
        if kind != "input" and sure not in CONSTRUCTS:
            for argument in arguments:
                self._try(argument)
        return self._lost(node, place)

    def _meant(self, name: tree.Name, place: Place, evaluator: Evaluator) -> Found | LayerValue:
        """The template or the layer that a name of the file stands for; raises `Hole` once it is
        reported that it is neither."""
        found = None if place.shadows(name.text) else place.templates.find(name)
        if found:
            return found
        if name.text not in place.scope.names():
            values = place.scope.defined()
            known = list(place.templates.names())
            sure = undefined(name, values, known, self._rows, self._findings)
            found = place.templates.find(tree.Name(sure, name.span)) if sure in known else None
            if found:
                return found
            raise Hole
        value = evaluator.value(tree.Reference(name.text, name.span))
        if not isinstance(value, LayerValue):
            no_layer(name, value, self._rows, self._findings)
            raise Hole
        return value

    def _lost(self, node: tree.Layer, place: Place) -> Flow:
        """A layer that cannot be made keeps its name, so that what refers to it stays silent."""
        place.key(node.name, self._findings)
        place.names.add(node.name, HOLE)
        return HOLE

    @staticmethod
    def _try(argument: Passed) -> None:
        try:
            argument.value()
        except Hole:
            return

    def _row(
        self, kind: str, node: tree.Layer, passing: list[Passed], place: Place, flow: Flow
    ) -> Flow:
        """A layer of the table: its arguments onto its row, the row onto the frame."""
        at = node.type.span
        item = row_item(self._rows[kind], passing, node, place, flow, self._findings)
        if item is None:
            return self._lost(node, place)
        key = place.key(node.name, self._findings)
        if key is None and (item.weights or self._rows[kind].buffered):
            key = place.level.take(kind, at, False, place.uses, self._findings)
        made = self.made.add(item, place.level, key)
        place.names.add(node.name, made)
        return made

    def _close(
        self,
        name: tree.Name | None,
        place: Place,
        inner: Place,
        start: int,
        entry: Flow,
        end: Flow,
    ) -> Flow:
        """Note a block that has ended; named, it can be reached into."""
        place.names.add(name, end, inner.names)
        if name is not None and entry.value is not None and end.value is not None:
            stop = len(self.made)
            prefix = inner.level.prefix
            self.made.blocks.append(Block(prefix, start, stop, entry.value, end.value))
        return end

    def _per_frame(self, node: tree.PerFrame, place: Place, flow: Flow) -> Flow:
        if place.still:
            self._findings.add(
                "E0420",
                "this is on single frames already",
                node.span,
                *(Label(use, f"in this use of `{use.text}`") for use in place.uses),
                helps=("a block is enough here: `{ ... }`, in YAML `sequential`",),
            )
        return self._block(node, replace(place, still=True), flow)

    def _block(self, node: tree.Block | tree.PerFrame, place: Place, flow: Flow) -> Flow:
        start = len(self.made)
        if not flow.begun and reads(node.body):
            flow = self._sources.taken(flow, node.span)
        inner = place.inside(place.level_of(node.name, self._findings))
        end = self.through(node.body, inner, flow)
        if node.name is not None:
            end = self._sources.taken(end, node.span)
        return self._close(node.name, place, inner, start, flow, end)

    def _use(
        self,
        found: Found,
        node: tree.Layer,
        arguments: list[Passed],
        place: Place,
        flow: Flow,
    ) -> Flow:
        """A template in use: its body with its own parameters, names and, if named, keys."""
        at, channels = node.type.span, flow.frame.channels if flow.frame else None
        template = found.template
        try:
            found.home.use(template, at, place.within)
            names = place.scope.defined()
            scope = found.home.scope(template, at, arguments, channels, names)
        except Hole:
            return self._lost(node, place)
        level = place.level_of(node.name, self._findings)
        inner = replace(
            place,
            scope=scope,
            names=Names(None, {"input": flow}),
            level=level or place.level,
            templates=found.home,
            uses=(at, *place.uses),
            within=(*place.within, template),
            depth=place.depth + 1,
        )
        start = len(self.made)
        end = self.through(template.body, inner, flow)
        return self._close(node.name, place, inner, start, flow, end)

    def _residual(self, node: tree.Residual, place: Place, flow: Flow) -> Flow:
        start = len(self.made)
        inner = place.inside(place.level_of(node.name, self._findings))
        body = self.through(node.body, inner, flow)
        shortcut = self.through(node.shortcut, replace(inner, scope=place.scope.child()), flow)
        end = self._joiner.met(
            "residual", node, [shortcut, body], ("shortcut", "body"), inner, flow
        )
        return self._close(node.name, place, inner, start, flow, end)

    def _parallel(self, node: tree.Parallel, place: Place, flow: Flow) -> Flow:
        start = len(self.made)
        inner = place.inside(place.level_of(node.name, self._findings))
        if not node.branches:
            self._findings.add("E0202", "`parallel` needs a branch", node.span)
        ends, labels = [], []
        for number, branch in enumerate(node.branches, 1):
            first = len(self.made)
            arm = inner.inside(inner.level_of(branch.name, self._findings))
            end = self.through(branch.body, arm, flow)
            ends.append(self._close(branch.name, inner, arm, first, flow, end))
            labels.append(branch.name.text if branch.name else f"branch {number}")
        end = self._joiner.met("parallel", node, ends, tuple(labels), inner, flow)
        return self._close(node.name, place, inner, start, flow, end)

    def _join(self, node: tree.Join, place: Place, flow: Flow) -> Flow:
        flows: list[Flow] = []
        labels: list[str] = []
        for selector in node.sources:
            for name, found in place.names.find(selector, self._findings):
                flows.append(found)
                labels.append(name)
        key = place.key(node.name, self._findings)
        end = self._joiner.met("join", node, flows, tuple(labels), place, flow, key)
        place.names.add(node.name, end)
        return end

    def _let(self, node: tree.Let, place: Place, flow: Flow) -> Flow:
        evaluator = place.evaluator(flow, self._findings)
        for name, expression in node.bindings:
            reserved(name, self._findings)
            try:
                worth = evaluator.value(expression)
                place.scope.set(name.text, worth, evaluator.root(expression))
            except Hole:
                place.scope.set(name.text, Hole)
        return flow

    def _when(self, node: tree.When, place: Place, flow: Flow) -> Flow:
        try:
            holds = place.evaluator(flow, self._findings).truth(node.test)
        except Hole:
            for body in (node.body, node.otherwise):
                self._passed_by[id(body)] = (body, place)
                for statement in body:
                    place.names.add(getattr(statement, "name", None), HOLE)
            return HOLE
        taken, other = (node.body, node.otherwise) if holds else (node.otherwise, node.body)
        self._gone_through.add(id(taken))
        if other:
            self._passed_by.setdefault(id(other), (other, place))
        return self.through(taken, place, flow)

    def _repeat(self, node: tree.Repeat, place: Place, flow: Flow) -> Flow:
        reserved(node.name, self._findings, RESERVED_KEYS)
        if node.index is not None:
            reserved(node.index, self._findings)
        names = place.names.repeated.setdefault(node.name.text, [])
        try:
            indices = indices_of(
                node, place.evaluator(flow, self._findings), self._room, self._findings
            )
        except Hole:
            names.append(node.name.text)
            place.names.lost.add(node.name.text)
            place.names.add(node.name, HOLE)
            inner = place.scope.child({node.index.text: Hole} if node.index else {})
            self._look((node.statement,), replace(place, scope=inner))
            return HOLE
        for index in indices:
            name = tree.Name(f"{node.name.text}{index}", node.name.span)
            scope = place.scope.child({node.index.text: index} if node.index else {})
            statement = replace(node.statement, name=name)  # type: ignore[arg-type]
            flow = self._statement(statement, replace(place, scope=scope), flow)
            names.append(name.text)
        return flow
