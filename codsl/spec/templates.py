"""The templates that a file knows, its own and those it imports: which are used, and with what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

from codsl.diagnostics import Edit, Findings, Help, Label, suggest
from codsl.layers.row import Layer
from codsl.source import Span
from codsl.spec.bind import Passed, bind, typed
from codsl.spec.values import Evaluator, Hole, Scope
from codsl.syntax import tree
from codsl.syntax.imports import Module

Rows = Mapping[str, type[Layer]]


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
        helps = [
            Help(f"did you mean `{each}`?", _instead(kind, 0, alias, each))
            for each in suggest(alias, self._imports)[:1]
        ]
        words = f'import it: `import "./{alias}.codsl" as {alias}`, in YAML `import: {{...}}`'
        message = f"no import is called `{alias}`"
        self._findings.add("E0504", message, kind.span, helps=helps or [words])

    def _no_template(self, alias: str, name: str, imported: "Templates", kind: tree.Name) -> None:
        helps: list[Help | str] = [
            Help(f"did you mean `{each}`?", _instead(kind, len(alias) + 1, name, each))
            for each in suggest(name, imported._own)[:1]
        ]
        if not helps and imported._own:
            helps.append("it has " + ", ".join(f"`{each}`" for each in list(imported._own)[:8]))
        given = next(each for each in self._document.imports if each.name.text == alias)
        message = f"`{alias}` has no template `{name}`"
        there = Label(given.path.span, "this file")
        self._findings.add("E0504", message, kind.span, there, helps=helps)

    def use(self, template: tree.Template, at: Span, within: tuple[tree.Template, ...]) -> None:
        """Raise `Hole` where a template is used within itself, once that is reported."""
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

    def tell_unused(self) -> None:
        """Warn of the templates and imports of this file that it has not used."""
        note = "what is wrong in a template shows where it is used"
        for name, template in self._own.items():
            if name not in self._used:
                message = f"the template `{name}` is not used"
                self._findings.add("W0702", message, template.name.span, notes=(note,))
        for each in self._document.imports:
            if each.name.text not in self._used:
                message = f"the import `{each.name.text}` is not used"
                self._findings.add("W0704", message, each.name.span)

    def scope(
        self, template: tree.Template, at: Span, arguments: list[Passed], channels: int | None
    ) -> Scope:
        """The parameters of a template used with these arguments, where a value of so many channels
        comes in. A default may use the parameters before it. Raises `Hole` once what is wrong is
        reported."""
        names = [each.name.text for each in template.parameters]
        required = [each.name.text for each in template.parameters if each.default is None]
        kind = template.name.text
        values = bind(kind, at, arguments, names, names, required, self._findings)
        scope = Scope({})
        evaluator = Evaluator(scope, channels, self._findings)
        for parameter in template.parameters:
            name, default = parameter.name.text, parameter.default
            if name in values:
                value = typed(parameter, values[name].value, values[name].span, self._findings)
            else:
                worth = evaluator.layer(default) if default is not None else None
                span = default.span if default is not None else None
                value = typed(parameter, worth, span, self._findings)
            scope.set(name, value)
        return scope


def _instead(kind: tree.Name, at: int, written: str, meant: str) -> tuple[Edit, ...]:
    """The edit of a part of a name, where it stands as it is read."""
    if not kind.as_written:
        return ()
    start = kind.span.start + at
    return (Edit(Span(kind.span.source, start, start + len(written)), meant),)
