"""Names: those of values, which `from` looks up, and those of keys, which must not meet."""

from dataclasses import dataclass, field

from codsl.algebra.shape import Frame
from codsl.diagnostics import Findings, Help, Label, suggest
from codsl.source import Span
from codsl.syntax import tree
from codsl.syntax.words import RESERVED


@dataclass(frozen=True)
class Flow:
    """A value on its way: its number and its frame, or None where a mistake has made a hole."""

    value: int | None
    frame: Frame | None

    @property
    def whole(self) -> bool:
        """Whether it is known."""
        return self.value is not None


HOLE = Flow(None, None)


@dataclass
class Names:
    """The values named so far in a block, and what the names inside them are."""

    parent: "Names | None" = None
    flows: dict[str, Flow] = field(default_factory=dict)
    inner: dict[str, "Names"] = field(default_factory=dict)
    repeated: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: tree.Name | None, flow: Flow, inner: "Names | None" = None) -> None:
        """Remember a value under its name, with the names inside it."""
        if name is not None:
            self.flows[name.text] = flow
            if inner is not None:
                self.inner[name.text] = inner

    def _visible(self) -> list[str]:
        own = [*self.flows, *(f"{name}[*]" for name in self.repeated)]
        return own + (self.parent._visible() if self.parent else [])

    def _home(self, name: str) -> "Names | None":
        names: Names | None = self
        while names is not None and name not in names.flows and name not in names.repeated:
            names = names.parent
        return names

    def find(self, selector: tree.Selector, findings: Findings) -> list[Flow]:
        """The values that a selector names, in the order written; reports what it cannot find."""
        places = [self._home(selector.steps[0].name.text) or self]
        flows: list[Flow] = []
        for step in selector.steps:
            flows, inner = [], []
            for names in places:
                for name in names._instances(step):
                    if name not in names.flows:
                        _unknown(name, names._visible(), step.name.span, findings)
                        return [HOLE]
                    flows.append(names.flows[name])
                    inner.append(names.inner.get(name, Names()))
            places = inner
        return flows

    def _instances(self, step: tree.Step) -> list[str]:
        name = step.name.text
        return self.repeated.get(name, [f"{name}[*]"]) if step.repeated else [name]


def _unknown(name: str, visible: list[str], at: Span, findings: Findings) -> None:
    near = suggest(name, visible)[:1]
    helps = [Help(f"did you mean `{each}`?") for each in near]
    findings.add(
        "E0309",
        f"no value named `{name}` stands before this",
        at,
        notes=("names inside a block end with it; dots reach into a named block",),
        helps=helps,
    )


class Level:
    """A level of keys: each name in it is taken once, and a layer without one by its type once."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self._taken: dict[str, tuple[Span, bool]] = {}

    def path(self, name: str) -> str:
        """The whole key of something at this level."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def free(self, name: str) -> bool:
        """Whether nothing has this key."""
        return name not in self._taken

    def take(self, name: str, at: Span, written: bool, findings: Findings) -> str:
        """The key of a name that was written, or of a type that stands for one."""
        if written and name in RESERVED:
            findings.add("E0308", f"`{name}` is a word of the language and cannot be a name", at)
        elif name in self._taken:
            first, first_written = self._taken[name]
            if written or first_written:
                findings.add(
                    "E0306",
                    f"the name `{name}` is taken at this level",
                    at,
                    Label(first, "first here"),
                    notes=("names are the keys of weights, so each stands once",),
                    helps=("give one of them another name",),
                )
            else:
                findings.add(
                    "E0307",
                    f"a second `{name}` without a name",
                    at,
                    Label(first, "the first one has the key already"),
                    notes=("a layer with weights is keyed by its type where it has no name, once",),
                    helps=("name it",),
                )
        else:
            self._taken[name] = (at, written)
        return self.path(name)
