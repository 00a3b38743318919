"""The templates that a file knows, its own and those it imports: which are used, and with what."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import final

from codsl.diagnostics import Findings, Help, Label, did_you_mean
from codsl.layers.row import Layer
from codsl.source import Span
from codsl.spec.bind import Passed, bind, typed
from codsl.spec.values import Evaluator, Hole, Scope
from codsl.syntax import tree
from codsl.syntax.imports import Module

Rows = Mapping[str, type[Layer]]

SAMPLES = {"int": 8, "float": 0.5, "bool": True}
"""Values to offer for parameters that are missing."""


def templates_of(module: Module, rows: Rows, findings: Findings) -> "Templates":
    """The templates that a spec knows; no template and no import has the name of a row."""
    made: dict[Module, Templates] = {}

    def make(module: Module) -> Templates:
        if module not in made:
            imports = {name: each and make(each) for name, each in module.imports.items()}
            made[module] = Templates(module.document, imports, findings)
        return made[module]

    for each in module.all():
        _check_names(each.document, rows, findings)
    return make(module)


def _check_names(document: tree.Document, rows: Rows, findings: Findings) -> None:
    """Report what is named like a layer, and templates that are named like an import."""
    imports = {each.name.text: each.name for each in document.imports}
    for what, named in (("an import", document.imports), ("a template", document.templates)):
        for each in named:
            if each.name.text in rows:
                message = f"`{each.name.text}` is a layer and cannot be {what}"
                helps = ("give it another name",)
                findings.add("E0308", message, each.name.span, helps=helps)
    for template in document.templates:
        name = template.name
        if name.text in imports:
            there = Label(imports[name.text].span, "the import")
            message = f"the template `{name.text}` has the name of an import"
            findings.add("E0306", message, name.span, there)


@final
@dataclass(frozen=True, eq=False)
class Found:
    """A template, and the templates that its body knows."""

    template: tree.Template
    home: "Templates"


@final
class Templates:
    """The templates that one file knows: its own by their names, others as `import.template`."""

    def __init__(
        self,
        document: tree.Document,
        imports: Mapping[str, "Templates | None"],
        findings: Findings,
    ) -> None:
        self._findings = findings
        self._document = document
        self._imports = imports
        self._used: set[str] = set()
        self._own: dict[str, tree.Template] = {}
        for template in document.templates:
            self._own.setdefault(template.name.text, template)

    def names(self) -> Iterator[str]:
        """The names of all templates, as they are written in this file."""
        yield from self._own
        for name, imported in self._imports.items():
            if imported:
                yield from (f"{name}.{each}" for each in imported._own)

    def find(self, kind: tree.Name) -> Found | None:
        """The template that a name stands for, or None where that is no template's name.

        Raises `Hole` once it is reported that an import lacks it.
        """
        alias, dot, name = kind.text.partition(".")
        self._used.add(alias)
        if not dot:
            return Found(self._own[alias], self) if alias in self._own else None
        if alias not in self._imports:
            self._no_import(alias, kind)
            raise Hole
        imported = self._imports[alias]
        if imported is None:
            raise Hole
        if name not in imported._own:
            self._no_template(alias, name, imported, kind)
            raise Hole
        return Found(imported._own[name], imported)

    def _no_import(self, alias: str, kind: tree.Name) -> None:
        helps = did_you_mean(alias, self._imports, kind.span.within(alias))
        words = f'import it: `import "./{alias}.codsl" as {alias}`, in YAML `import: {{...}}`'
        message, at = f"no import is called `{alias}`", kind.span.within(alias)
        self._findings.add("E0504", message, at, helps=helps or [words])

    def _no_template(self, alias: str, name: str, imported: "Templates", kind: tree.Name) -> None:
        behind = Span(kind.span.source, kind.span.start + len(alias) + 1, kind.span.end)
        helps: list[Help | str] = [*did_you_mean(name, imported._own, behind.within(name))]
        if not helps and imported._own:
            helps.append("it has " + ", ".join(f"`{each}`" for each in list(imported._own)[:8]))
        given = next(each for each in self._document.imports if each.name.text == alias)
        message = f"`{alias}` has no template `{name}`"
        there = Label(given.path.span, "this file")
        self._findings.add("E0504", message, behind.within(name), there, helps=helps)

    def use(self, template: tree.Template, at: Span, within: tuple[tree.Template, ...]) -> None:
        """Raise `Hole` where a template could not be read, or is used within itself, once that is
        reported."""
        body = template.body
        if not template.parameters and len(body) == 1 and isinstance(body[0], tree.Broken):
            raise Hole
        outer = next((number for number, each in enumerate(within) if each is template), None)
        if outer is None:
            return
        name = template.name.text
        chain = [each.name.text for each in (*within[outer:], template)]
        self._findings.add(
            "E0310",
            f"the template `{name}` uses itself",
            at,
            Label(template.span, "which is this one"),
            notes=(" uses ".join(f"`{each}`" for each in chain),),
            helps=("what comes several times is a repetition",),
        )
        raise Hole

    def lacks(self, name: str) -> bool:
        """Whether a name with a dot in it begins with no import of this file."""
        alias, dot, _ = name.partition(".")
        return bool(dot) and alias not in self._imports

    def unused(self) -> list[tree.Template]:
        """The templates of this file that nothing has used."""
        return [each for name, each in self._own.items() if name not in self._used]

    def tell_unused(self) -> None:
        """Warn of the templates and imports of this file that it has not used; in such a template
        only names are checked."""
        for template in self.unused():
            note = "shapes and times show where a template is used"
            message = f"the template `{template.name.text}` is not used"
            self._findings.add("W0702", message, template.name.span, notes=(note,))
        for each in self._document.imports:
            if each.name.text not in self._used:
                message = f"the import `{each.name.text}` is not used"
                self._findings.add("W0704", message, each.name.span)

    def scope(
        self,
        template: tree.Template,
        at: Span,
        arguments: list[Passed],
        channels: int | None,
        outer: Collection[str],
    ) -> Scope:
        """The parameters of a template used with these arguments, where a value of so many channels
        comes in and `outer` are the names of values. A default may use the parameters before it.

        Raises `Hole` once what is wrong is reported.
        """
        names = [each.name.text for each in template.parameters]
        required = [each.name.text for each in template.parameters if each.default is None]
        kind = template.name.text
        samples = {
            each.name.text: SAMPLES[each.type.text]
            for each in template.parameters
            if each.type and each.type.text in SAMPLES
        }
        values = bind(kind, at, arguments, names, names, required, self._findings, samples)
        scope = Scope({})
        evaluator = Evaluator(scope, channels, self._findings)
        for parameter in template.parameters:
            name, default = parameter.name.text, parameter.default
            if name in values:
                worth, span = values[name].value, values[name].span
                value = typed(parameter, worth, span, self._findings, outer)
                root = values[name].root
            else:
                worth = evaluator.layer(default) if default is not None else None
                at_default = default.span if default is not None else None
                value = typed(parameter, worth, at_default, self._findings)
                root = evaluator.root(default) if default is not None else None
            scope.set(name, value, root)
        return scope
