"""The templates of a file: which are used, and what their parameters are in a use."""

from collections.abc import Collection, Sequence

from codsl.diagnostics import Findings, Label
from codsl.source import Span
from codsl.spec.bind import Passed, bind, check_type, typed
from codsl.spec.names import HOLE, Level, Names
from codsl.spec.place import Place
from codsl.spec.values import Evaluator, Hole, Scope
from codsl.syntax import tree

SAMPLES = {"int": 8, "float": 0.5, "bool": True}
"""Values to offer for parameters that are missing."""


class Templates:
    """The templates by their names; none of them has the name of a row."""

    def __init__(
        self, templates: Sequence[tree.Template], rows: Collection[str], findings: Findings
    ) -> None:
        self._findings = findings
        self._used: set[str] = set()
        self._named: dict[str, tree.Template] = {}
        for template in templates:
            name = template.name
            if name.text in rows:
                message = f"`{name.text}` is a layer and cannot be a template"
                findings.add("E0308", message, name.span, helps=("give it another name",))
            self._named.setdefault(name.text, template)

    @property
    def names(self) -> Collection[str]:
        """The names of all templates."""
        return self._named

    def named(self, name: str) -> tree.Template | None:
        """The template of this name, where there is one."""
        return self._named.get(name)

    def use(self, template: tree.Template, at: Span, within: tuple[str, ...]) -> None:
        """Note that a template is used within others; raises `Hole` once it is reported that it is
        one of them."""
        name = template.name.text
        self._used.add(name)
        if name in within:
            chain = [*within[within.index(name) :], name]
            self._findings.add(
                "E0310",
                f"the template `{name}` uses itself",
                at,
                Label(template.span, "which is this one"),
                notes=(" uses ".join(f"`{each}`" for each in chain),),
                helps=("what comes several times is a repetition",),
            )
            raise Hole

    def unused(self) -> list[tree.Template]:
        """The templates that nothing has used."""
        return [each for name, each in self._named.items() if name not in self._used]

    def somewhere(self, template: tree.Template) -> Place:
        """The place in a template where nothing is known of what it is given."""
        for parameter in template.parameters:
            if parameter.type:
                check_type(parameter.type, self._findings)
        scope = Scope({each.name.text: Hole for each in template.parameters})
        within = (template.name.text,)
        return Place(scope, Names(None, {"input": HOLE}), Level(), within=within)

    def tell_unused(self) -> None:
        """Warn of the templates that nothing has used, in which only names are checked."""
        for template in self.unused():
            note = "shapes and times show where a template is used"
            message = f"the template `{template.name.text}` is not used"
            self._findings.add("W0702", message, template.name.span, notes=(note,))

    def scope(
        self, template: tree.Template, at: Span, arguments: list[Passed], channels: int | None
    ) -> Scope:
        """The parameters of a template used with these arguments, where a value of so many channels
        comes in. A default may use the parameters before it. Raises `Hole` once what is wrong is
        reported."""
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
                value = typed(parameter, values[name].value, values[name].span, self._findings)
                root = values[name].root
            else:
                worth = evaluator.layer(default) if default is not None else None
                span = default.span if default is not None else None
                value = typed(parameter, worth, span, self._findings)
                root = evaluator.root(default) if default is not None else None
            scope.set(name, value, root)
        return scope
