"""From the tree to the spec: blocks, conditions, repetitions and templates are carried out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from codsl.algebra.shape import Frame
from codsl.diagnostics import Edit, Findings, Help, Label, suggest
from codsl.layers.arguments import LARGEST
from codsl.layers.joining import AGGREGATIONS, Aggregation
from codsl.layers.mistake import Mistake
from codsl.layers.row import Layer, arguments, make
from codsl.source import Source, Span
from codsl.spec.bind import Passed, bind, given, passed, pin, typed
from codsl.spec.names import HOLE, Flow, Level, Names
from codsl.spec.spec import Block, Item, Origin, Spec
from codsl.spec.values import Evaluator, Given, Hole, LayerValue, Scope, Value, describe
from codsl.syntax import tree

MOST = 20_000
"""Layers and other statements at most, once everything is written out."""
DEEPEST = 64
"""Blocks and templates inside one another at most."""
SHRINKS = ("lagging", "leading", "centered")

Rows = Mapping[str, type[Layer]]

_NOWHERE = Source("<parameters>", "")


class _Full(Exception):  # noqa: N818
    """The network has become too large; the reason is reported."""


@dataclass(frozen=True)
class _Place:
    """Where elaboration stands: what values, names and keys mean here."""

    scope: Scope
    names: Names
    level: Level
    uses: tuple[Span, ...] = ()
    within: tuple[str, ...] = ()
    depth: int = 0

    def inside(self, name: tree.Name | None, level: Level | None) -> "_Place":
        """A block here; `level` is its own where it has a name."""
        return replace(
            self,
            scope=self.scope.child(),
            names=Names(self.names),
            level=level or self.level,
            depth=self.depth + 1,
        )


@dataclass
class _Draft:
    """An item whose key may still have to be found."""

    item: Item
    level: Level
    key: str | None


@dataclass
class _Made:
    """What there is of the spec so far."""

    drafts: list[_Draft] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


def elaborate(
    document: tree.Document,
    rows: Rows,
    variant: str | None,
    params: Mapping[str, Any],
    findings: Findings,
) -> Spec | None:
    """The spec that a document means with these parameters, as far as it can be made out.

    Params over variant over default. What is wrong goes to `findings`; layers after a mistake are
    still read, with their input unknown. None where not even the input is known.
    """
    scope = _parameters(document, variant, params, findings)
    inlet = _input(document, scope, findings)
    if inlet is None:
        return None
    frame, rate = inlet
    elaborator = _Elaborator(document, rows, findings)
    place = _Place(scope, Names(), Level())
    start = Flow(0, frame)
    place.names.flows["input"] = start
    try:
        end = elaborator.statements(document.body, place, start)
    except _Full:
        return None
    made = elaborator.made
    if not made.drafts:
        findings.add("E0202", "the network has no layers", document.source.span(0, 0))
        return None
    items = _keyed(made.drafts)
    return Spec(
        document.name.text if document.name else "network",
        frame,
        rate,
        items,
        tuple(made.blocks),
        end.value if end.value is not None else -1,
        document.input.span if document.input else document.source.span(0, 0),
        _dtype(items, findings),
    )


def _keyed(drafts: list[_Draft]) -> tuple[Item, ...]:
    """The items with paths; those without a key of their own are told apart by a count."""
    counts: dict[str, int] = {}
    items = []
    for draft in drafts:
        path = draft.key
        if path is None:
            base = draft.level.path(draft.item.type)
            counts[base] = counts.get(base, 0) + 1
            first = counts[base] == 1 and draft.level.free(draft.item.type)
            path = base if first else f"{base}[{counts[base]}]"
        items.append(replace(draft.item, path=path))
    return tuple(items)


def _dtype(items: tuple[Item, ...], findings: Findings) -> str | None:
    """The dtype that the layers state; they cannot differ, as values flow from one to the other."""
    stated: dict[str, Item] = {}
    for item in items:
        dtype = getattr(item.operation, "dtype", None)
        if dtype is not None:
            stated.setdefault(dtype, item)
    if len(stated) > 1:
        (one, first), (other, second), *_ = stated.items()
        at = second.origin.arguments.get("dtype", second.origin.span)
        findings.add("E0411", f"`{other}` here, `{one}` elsewhere", at,
                     Label(first.origin.arguments.get("dtype", first.origin.span), one),
                     notes=("a network has one dtype",))  # fmt: skip
    return next(iter(stated), None)


def _parameters(
    document: tree.Document, variant: str | None, params: Mapping[str, Any], findings: Findings
) -> Scope:
    """The network's parameters: params over variant over default."""
    scope = Scope({})
    evaluator = Evaluator(scope, None, findings)
    declared = {parameter.name.text: parameter for parameter in document.parameters}
    chosen = _variants(document, variant, declared, findings)
    for name in params:
        if name not in declared:
            near = suggest(name, declared)[:1]
            known = ", ".join(f"`{each}`" for each in declared) or "none"
            findings.add("E0312", f"the network has no parameter `{name}`",
                         helps=[f"did you mean `{each}`?" for each in near]
                         or (f"its parameters are {known}",))  # fmt: skip
    for name, parameter in declared.items():
        value: Value | type[Hole] = Hole
        try:
            if name in params:
                value = typed(parameter, _outside(name, params[name], findings), None, findings)
            elif name in chosen:
                written = chosen[name]
                value = typed(parameter, evaluator.layer(written), written.span, findings)
            elif parameter.default is not None:
                worth = evaluator.layer(parameter.default)
                value = typed(parameter, worth, parameter.default.span, findings)
            else:
                findings.add("E0314", f"the parameter `{name}` has no value", parameter.name.span,
                             helps=("give it a default, or a value from outside",))  # fmt: skip
        except Hole:
            value = Hole
        scope.set(name, value)
    return scope


def _variants(
    document: tree.Document,
    variant: str | None,
    declared: Mapping[str, tree.Parameter],
    findings: Findings,
) -> dict[str, tree.Expression]:
    """The values of the chosen variant; every variant is checked for what it sets."""
    chosen: dict[str, tree.Expression] = {}
    for each in document.variants:
        for value in each.values:
            name = value.name
            if name is not None and name.text not in declared:
                near = suggest(name.text, declared)[:1]
                helps = [Help(f"did you mean `{word}`?", (Edit(name.span, word),)) for word in near]
                findings.add("E0312", f"the network has no parameter `{name.text}`", name.span,
                             helps=helps)  # fmt: skip
            elif name is not None and each.name.text == variant:
                chosen[name.text] = value.value
    known = [each.name.text for each in document.variants]
    if variant is not None and variant not in known:
        listed = ", ".join(f"`{name}`" for name in known) or "none"
        findings.add("E0312", f"there is no variant `{variant}`",
                     helps=(f"the variants are {listed}",))  # fmt: skip
    return chosen


def _outside(name: str, value: Any, findings: Findings) -> Value:
    """A parameter's value as Python or the command line gives it."""
    if isinstance(value, list | tuple):
        return tuple(_outside(name, each, findings) for each in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        ((layer, settings),) = value.items()
        if isinstance(layer, str) and isinstance(settings, dict | None):
            nowhere = Span(_NOWHERE, 0, 0)
            return LayerValue(layer, tuple(
                (str(key), Given(_outside(name, each, findings), nowhere))
                for key, each in (settings or {}).items()
            ))  # fmt: skip
    findings.add("E0312", f"the parameter `{name}` cannot be a {type(value).__name__}",
                 helps=("give a number, a text, true or false, a tuple, or a layer",))  # fmt: skip
    raise Hole


def _input(
    document: tree.Document, scope: Scope, findings: Findings
) -> tuple[Frame, float | None] | None:
    """The frame that enters and its rate, or None where they are not well given."""
    inlet = document.input
    if inlet is None:
        if document.name is not None or document.body:
            at = document.name.span if document.name else document.source.span(0, 0)
            findings.add("E0202", "the network has no input", at,
                         helps=("say what a frame is: `input (3, T, 160, 160)`",))  # fmt: skip
        return None
    evaluator = Evaluator(scope, None, findings)
    if len(inlet.sizes) < 2 or inlet.sizes[1] != tree.Reference("T", inlet.span):
        findings.add("E0205", "an input is channels, then `T`, then space", inlet.span,
                     helps=("as in `(3, T, 160, 160)`",))  # fmt: skip
        return None
    if len(inlet.sizes) > 4:
        findings.add("E0205", "an input has two dimensions of space at most", inlet.span)
        return None
    try:
        sizes = [_size(evaluator, each, findings) for each in (inlet.sizes[0], *inlet.sizes[2:])]
        rate = evaluator.value(inlet.rate) if inlet.rate else None
    except Hole:
        return None
    if inlet.rate is None:
        return Frame(sizes[0], tuple(sizes[1:])), None
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0:
        findings.add("E0305", f"a rate is frames per second, found {describe(rate)}",
                     inlet.rate.span)  # fmt: skip
        return None
    return Frame(sizes[0], tuple(sizes[1:])), float(rate)


def _size(evaluator: Evaluator, expression: tree.Expression, findings: Findings) -> int:
    value = evaluator.value(expression)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        findings.add("E0305", f"a size is an integer from 1 to {LARGEST}, found {describe(value)}",
                     expression.span)  # fmt: skip
        raise Hole
    return value


class _Elaborator:
    """Goes through the statements and notes what they mean."""

    def __init__(self, document: tree.Document, rows: Rows, findings: Findings) -> None:
        self._rows = rows
        self._findings = findings
        self._steps = 0
        self._templates: dict[str, tree.Template] = {}
        self.made = _Made()
        for template in document.templates:
            name = template.name
            if name.text in rows:
                findings.add("E0308", f"`{name.text}` is a layer and cannot be a template", name.span)
            elif name.text in self._templates:
                findings.add("E0306", f"the template `{name.text}` stands here twice", name.span,
                             Label(self._templates[name.text].span, "first here"))  # fmt: skip
            else:
                self._templates[name.text] = template

    def statements(self, body: tuple[tree.Statement, ...], place: _Place, flow: Flow) -> Flow:
        """What becomes of a value that goes through these statements."""
        for statement in body:
            flow = self._statement(statement, place, flow)
        return flow

    def _statement(self, node: tree.Statement, place: _Place, flow: Flow) -> Flow:
        self._steps += 1
        if self._steps > MOST:
            self._findings.add("E0311", f"the network is larger than {MOST} layers, written out",
                               node.span)  # fmt: skip
            raise _Full
        if place.depth > DEEPEST:
            self._findings.add("E0106", f"blocks nest {DEEPEST} deep at most", node.span)
            raise _Full
        match node:
            case tree.Layer():
                return self._layer(node, place, self._source(node.sources, place, flow))
            case tree.Block():
                return self._block(node, place, self._source(node.sources, place, flow))
            case tree.Residual():
                return self._residual(node, place, self._source(node.sources, place, flow))
            case tree.Parallel():
                return self._parallel(node, place, self._source(node.sources, place, flow))
            case tree.Join():
                return self._join_statement(node, place)
            case tree.Let():
                return self._let(node, place, flow)
            case tree.When():
                return self._when(node, place, flow)
            case tree.Repeat():
                return self._repeat(node, place, flow)

    def _evaluator(self, place: _Place, flow: Flow) -> Evaluator:
        channels = flow.frame.channels if flow.frame else None
        return Evaluator(place.scope, channels, self._findings)

    def _source(self, sources: tuple[tree.Selector, ...], place: _Place, flow: Flow) -> Flow:
        """Where a statement's input comes from: the value before it, or one named earlier."""
        if not sources:
            return flow
        found = [each for selector in sources for each in place.names.find(selector, self._findings)]
        if len(found) > 1:
            self._findings.add("E0309", "this takes one input", sources[-1].span,
                               helps=("join several first: `join from a, b`",))  # fmt: skip
            return HOLE
        return found[0]

    def _layer(self, node: tree.Layer, place: _Place, flow: Flow) -> Flow:
        kind = node.type.text
        evaluator = self._evaluator(place, flow)
        arguments = passed(node.arguments, evaluator.layer)
        if node.local and kind in self._templates and not self._shadowed(kind, place):
            return self._use(self._templates[kind], node, arguments, place, flow)
        if node.local:
            try:
                value = evaluator.value(tree.Reference(kind, node.type.span))
            except Hole:
                return self._lost(node, place)
            if not isinstance(value, str | LayerValue):
                self._findings.add("E0302", f"`{kind}` is {describe(value)}, not a layer",
                                   node.type.span)  # fmt: skip
                return self._lost(node, place)
            layer = LayerValue(value) if isinstance(value, str) else value
            arguments = given(layer.arguments) + arguments
            kind = layer.name
        if kind not in self._rows:
            self._unknown(kind, node)
            for argument in arguments:
                self._try(argument)
            return self._lost(node, place)
        return self._row(kind, node, arguments, place, flow)

    def _shadowed(self, name: str, place: _Place) -> bool:
        try:
            place.scope.get(name)
        except KeyError:
            return False
        return True

    def _lost(self, node: tree.Layer, place: _Place) -> Flow:
        """A layer that cannot be made keeps its name, so that what refers to it stays silent."""
        if node.name is not None:
            place.level.take(node.name.text, node.name.span, True, self._findings)
            place.names.add(node.name, HOLE)
        return HOLE

    @staticmethod
    def _try(argument: Passed) -> None:
        try:
            argument.value()
        except Hole:
            return

    def _unknown(self, kind: str, node: tree.Layer) -> None:
        at = node.type.span
        if kind in self._templates:
            self._findings.add("E0302", f"`{kind}` is a template of this file", at,
                               helps=(Help(f"write `${kind}`", (Edit(at, f"${kind}"),)),))  # fmt: skip
            return
        near = suggest(kind.replace("_", ""), [name.replace("_", "") for name in self._rows])
        by_letters = {name.replace("_", ""): name for name in self._rows}
        known = [*(by_letters[each] for each in near), *suggest(kind, self._templates)]
        helps = [Help(f"did you mean `{each}`?", (Edit(at, each),)) for each in known[:1]]
        self._findings.add("E0302", f"there is no layer `{kind}`", at, helps=helps)

    def _row(
        self, kind: str, node: tree.Layer, passing: list[Passed], place: _Place, flow: Flow
    ) -> Flow:
        """A layer of the table: its arguments onto its row, the row onto the frame."""
        row = self._rows[kind]
        known = arguments(row)
        spans = {
            name: argument.span
            for argument, name in zip(
                passing, _named(passing, [each.name for each in known if each.positional]), strict=True
            )
            if argument.span.source is not _NOWHERE
        }
        origin = Origin(node.type.span, spans, place.uses)
        try:
            values = bind(
                kind,
                node.type.span,
                passing,
                [each.name for each in known],
                [each.name for each in known if each.positional],
                [each.name for each in known if each.required],
                self._findings,
            )
            layer = make(row, {name: each.value for name, each in values.items()})
            frame = self._framed(layer, flow)
            weights = layer.weights(flow.frame) if flow.frame and frame else {}
        except Hole:
            return self._lost(node, place)
        except Mistake as mistake:
            pin(mistake, kind, origin, self._findings)
            return self._lost(node, place)
        if frame is None or flow.value is None:
            return self._lost(node, place)
        key = None
        if node.name is not None:
            key = place.level.take(node.name.text, node.name.span, True, self._findings)
        elif weights:
            key = place.level.take(kind, node.type.span, False, self._findings)
        named = node.name is not None
        made = self._add(Item("", named, kind, layer, (flow.value,), frame, origin), place, key)
        place.names.add(node.name, made)
        return made

    def _framed(self, layer: Layer, flow: Flow) -> Frame | None:
        if flow.frame is None:
            return None
        frame = layer.shape(flow.frame)
        if frame.size > 2**40:
            raise Mistake("E0410", f"a frame of {frame} holds {frame.size} numbers")
        return frame

    def _add(self, item: Item, place: _Place, key: str | None) -> Flow:
        self.made.drafts.append(_Draft(item, place.level, key))
        return Flow(len(self.made.drafts), item.frame)

    def _named_level(self, name: tree.Name | None, place: _Place) -> Level | None:
        if name is None:
            return None
        return Level(place.level.take(name.text, name.span, True, self._findings))

    def _close(
        self, name: tree.Name | None, place: _Place, inner: _Place, start: int, entry: Flow, end: Flow
    ) -> Flow:
        """Note a block that has ended; named, it can be reached into."""
        place.names.add(name, end, inner.names)
        if name is not None and entry.value is not None and end.value is not None:
            stop = len(self.made.drafts)
            prefix = inner.level.prefix
            self.made.blocks.append(Block(prefix, start, stop, entry.value, end.value))
        return end

    def _block(self, node: tree.Block, place: _Place, flow: Flow) -> Flow:
        start = len(self.made.drafts)
        inner = place.inside(node.name, self._named_level(node.name, place))
        end = self.statements(node.body, inner, flow)
        return self._close(node.name, place, inner, start, flow, end)

    def _use(
        self,
        template: tree.Template,
        node: tree.Layer,
        arguments: list[Passed],
        place: _Place,
        flow: Flow,
    ) -> Flow:
        """A template in use: its body with its own parameters, names and, if named, keys."""
        name = template.name.text
        if name in place.within:
            self._findings.add("E0310", f"the template `{name}` uses itself", node.type.span)
            return self._lost(node, place)
        names = [parameter.name.text for parameter in template.parameters]
        required = [each.name.text for each in template.parameters if each.default is None]
        try:
            values = bind(name, node.type.span, arguments, names, names, required, self._findings)
            scope = self._template_scope(template, values, flow)
        except Hole:
            return self._lost(node, place)
        level = self._named_level(node.name, place)
        inner = replace(
            place,
            scope=scope,
            names=Names(None, {"input": flow}),
            level=level or place.level,
            uses=(node.type.span, *place.uses),
            within=(*place.within, name),
            depth=place.depth + 1,
        )
        start = len(self.made.drafts)
        end = self.statements(template.body, inner, flow)
        return self._close(node.name, place, inner, start, flow, end)

    def _template_scope(
        self, template: tree.Template, values: Mapping[str, Given], flow: Flow
    ) -> Scope:
        scope = Scope({})
        evaluator = Evaluator(scope, flow.frame.channels if flow.frame else None, self._findings)
        for parameter in template.parameters:
            name = parameter.name.text
            if name in values:
                value = typed(parameter, values[name].value, values[name].span, self._findings)
            else:
                default = parameter.default
                worth = evaluator.layer(default) if default is not None else None
                at = default.span if default is not None else None
                value = typed(parameter, worth, at, self._findings)
            scope.set(name, value)
        return scope

    def _words(
        self, arguments: tuple[tree.Argument, ...], what: str, default: str, place: _Place, flow: Flow
    ) -> tuple[str, str | None]:
        """The aggregation of a join and, of a residual, what it does where its body shortens time."""
        choices = {"aggregation": AGGREGATIONS, "shrink": SHRINKS}
        known = list(choices) if what == "residual" else ["aggregation"]
        evaluator = self._evaluator(place, flow)
        at = arguments[0].value.span if arguments else None
        bound = (
            bind(what, at, passed(arguments, evaluator.value), known, known, (), self._findings)
            if at
            else {}
        )
        for name, each in bound.items():
            if not isinstance(each.value, str) or each.value not in choices[name]:
                near = suggest(str(each.value), choices[name])[:1]
                listed = ", ".join(f"`{word}`" for word in choices[name])
                self._findings.add("E0305", f"`{name}` is one of {listed}, found "
                                   f"{describe(each.value)}", each.span,
                                   helps=[f"did you mean `{word}`?" for word in near])  # fmt: skip
                raise Hole
        shrink = bound["shrink"].value if "shrink" in bound else None
        word = bound["aggregation"].value if "aggregation" in bound else default
        return str(word), None if shrink is None else str(shrink)

    def _residual(self, node: tree.Residual, place: _Place, flow: Flow) -> Flow:
        start = len(self.made.drafts)
        inner = place.inside(node.name, self._named_level(node.name, place))
        body = self.statements(node.body, inner, flow)
        shortcut = self.statements(
            node.shortcut, replace(inner, scope=place.scope.child()), flow
        )
        try:
            word, shrink = self._words(node.arguments, "residual", "sum", place, flow)
        except Hole:
            return self._close(node.name, place, inner, start, flow, HOLE)
        labels = ("shortcut", "body")
        end = self._join([shortcut, body], labels, word, shrink, node.span, inner, None)
        return self._close(node.name, place, inner, start, flow, end)

    def _parallel(self, node: tree.Parallel, place: _Place, flow: Flow) -> Flow:
        start = len(self.made.drafts)
        inner = place.inside(node.name, self._named_level(node.name, place))
        if not node.branches:
            self._findings.add("E0202", "`parallel` needs a branch", node.span)
        ends, labels = [], []
        for number, branch in enumerate(node.branches, 1):
            first = len(self.made.drafts)
            arm = inner.inside(branch.name, self._named_level(branch.name, inner))
            end = self.statements(branch.body, arm, flow)
            ends.append(self._close(branch.name, inner, arm, first, flow, end))
            labels.append(branch.name.text if branch.name else f"branch {number}")
        try:
            word, _ = self._words(node.arguments, "parallel", "concat", place, flow)
        except Hole:
            return self._close(node.name, place, inner, start, flow, HOLE)
        end = self._join(ends, tuple(labels), word, None, node.span, inner, None)
        return self._close(node.name, place, inner, start, flow, end)

    def _join_statement(self, node: tree.Join, place: _Place) -> Flow:
        flows, labels = [], []
        for selector in node.sources:
            found = place.names.find(selector, self._findings)
            flows += found
            text = selector.span.text.strip("\"'")
            labels += [text] if len(found) == 1 else [f"{text} {n}" for n in range(1, len(found) + 1)]
        key = None
        if node.name is not None:
            key = place.level.take(node.name.text, node.name.span, True, self._findings)
        try:
            word, _ = self._words(node.arguments, "join", "concat", place, HOLE)
            end = self._join(flows, tuple(labels), word, None, node.span, place, key)
        except Hole:
            end = HOLE
        place.names.add(node.name, end)
        return end

    def _join(
        self,
        flows: list[Flow],
        labels: tuple[str, ...],
        word: str,
        shrink: str | None,
        at: Span,
        place: _Place,
        key: str | None,
    ) -> Flow:
        values = [flow.value for flow in flows if flow.value is not None]
        frames = tuple(flow.frame for flow in flows if flow.frame is not None)
        if len(values) < len(flows) or not values:
            return HOLE
        operation = Aggregation(word)
        try:
            frame = operation.shape(frames)
        except ValueError as error:
            notes = [f"`{label}` is {each}" for label, each in zip(labels, frames, strict=True)]
            self._findings.add("E0405", f"`{word}` cannot join these: {error}", at,
                               *(Label(use, "in this use") for use in place.uses),
                               notes=notes)  # fmt: skip
            return HOLE
        origin = Origin(at, {}, place.uses)
        item = Item("", key is not None, word, operation, tuple(values), frame, origin, labels, shrink)
        return self._add(item, place, key)

    def _let(self, node: tree.Let, place: _Place, flow: Flow) -> Flow:
        evaluator = self._evaluator(place, flow)
        for name, expression in node.bindings:
            try:
                place.scope.set(name.text, evaluator.value(expression))
            except Hole:
                place.scope.set(name.text, Hole)
        return flow

    def _when(self, node: tree.When, place: _Place, flow: Flow) -> Flow:
        try:
            holds = self._evaluator(place, flow).truth(node.test)
        except Hole:
            return HOLE
        return self.statements(node.body if holds else node.otherwise, place, flow)

    def _repeat(self, node: tree.Repeat, place: _Place, flow: Flow) -> Flow:
        evaluator = self._evaluator(place, flow)
        ends = []
        for expression in (node.first, node.last):
            try:
                value = evaluator.value(expression)
            except Hole:
                return HOLE
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                self._findings.add("E0305", "a repetition counts with integers from 0, found "
                                   f"{describe(value)}", expression.span)  # fmt: skip
                return HOLE
            ends.append(value)
        if isinstance(node.statement, tree.Let | tree.When | tree.Repeat) or node.statement.name:
            self._findings.add("E0201", "a repetition repeats one layer or block, and names it",
                               node.statement.span)  # fmt: skip
            return HOLE
        if ends[1] - ends[0] >= MOST - self._steps:
            self._findings.add("E0311", f"{ends[1] - ends[0] + 1} repetitions make the network larger "
                               f"than {MOST} layers", node.last.span)  # fmt: skip
            raise _Full
        names = place.names.repeated.setdefault(node.name.text, [])
        for index in range(ends[0], ends[1] + 1):
            name = tree.Name(f"{node.name.text}{index}", node.name.span)
            scope = place.scope.child({node.index.text: index} if node.index else {})
            statement = replace(node.statement, name=name)
            flow = self._statement(statement, replace(place, scope=scope), flow)
            names.append(name.text)
        return flow


def _named(arguments: list[Passed], positional: list[str]) -> list[str]:
    """The name of each argument, those by position included."""
    order = iter(positional)
    return [each.name or next(order, "") for each in arguments]
