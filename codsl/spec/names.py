"""Names: those of values, which `from` looks up, and those of keys, which must not meet."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from codsl.algebra.shape import Frame
from codsl.diagnostics import Applicability, Edit, Findings, Help, Label, did_you_mean
from codsl.source import Span
from codsl.spec.mend import named
from codsl.syntax import tree
from codsl.syntax.surface import is_text


@dataclass(frozen=True)
class Flow:
    """A value on its way: its number and its frame, or None where a mistake has made a hole.

    `begun` is false where several inputs enter and none of them is chosen yet.
    """

    value: int | None
    frame: Frame | None
    begun: bool = True

    @property
    def whole(self) -> bool:
        """Whether it is known."""
        return self.value is not None


HOLE = Flow(None, None)
NOTHING = Flow(None, None, begun=False)
BEFORE = "stands before this"
"""Where `from` looks for names."""


@dataclass
class Names:
    """The values named so far in a block, and what the names inside them are.

    `unsure` are those of a block where a name could not be read, or stands twice: what is not
    found may be what was meant there.
    """

    parent: "Names | None" = None
    flows: dict[str, Flow] = field(default_factory=dict)
    inner: dict[str, "Names"] = field(default_factory=dict)
    repeated: dict[str, list[str]] = field(default_factory=dict)
    unnamed: list["Names"] = field(default_factory=list)
    unsure: bool = False
    lost: set[str] = field(default_factory=set)
    """The repetitions of which it is not known how many there are."""

    def add(self, name: tree.Name | None, flow: Flow, inner: "Names | None" = None) -> None:
        """Remember a value under its name, with the names inside it."""
        if name is not None:
            self.unsure = self.unsure or name.text in self.flows
            self.flows[name.text] = flow
            if inner is not None:
                self.inner[name.text] = inner
        elif inner is not None:
            self.unnamed.append(inner)

    def has(self, name: str) -> bool:
        """Whether a value goes by a name here."""
        return self._home(name) is not None

    def _visible(self) -> list[str]:
        own = [*self.flows, *(f"{name}[*]" for name in self.repeated)]
        return own + (self.parent._visible() if self.parent else [])

    def _repetitions(self) -> list[str]:
        return [*self.repeated, *(self.parent._repetitions() if self.parent else [])]

    def _inside(self) -> list[str]:
        """What dots find here."""
        return [*self.flows, *(each for names in self.unnamed for each in names._inside())]

    def _doubtful(self, name: str) -> bool:
        """Whether a name that is not found may be one that could not be read."""
        repetition = name.rstrip("0123456789") in self.lost
        return self.unsure or repetition or bool(self.parent and self.parent._doubtful(name))

    def _home(self, name: str) -> "Names | None":
        names: Names | None = self
        while names is not None and name not in names.flows and name not in names.repeated:
            names = names.parent
        return names

    def _holder(self, name: str) -> "Names":
        """Where dots find a name: here, or in a block here that adds no level to the keys."""
        if name not in self.flows and name not in self.repeated:
            for names in self.unnamed:
                holder = names._holder(name)
                if name in holder.flows or name in holder.repeated:
                    return holder
        return self

    def find(
        self, selector: tree.Selector, findings: Findings, where: str = BEFORE
    ) -> list[tuple[str, Flow]]:
        """The values that a selector names, under their whole names, in the order written.

        Reports what it cannot find; `where` says where that was looked for.
        """
        lost = [(selector.text, HOLE)]
        if not selector.steps:
            return lost
        places = [("", self._home(selector.steps[0].name.text) or self)]
        found: list[tuple[str, Flow]] = []
        for depth, step in enumerate(selector.steps):
            found, inner = [], []
            for prefix, place in places:
                names = place._holder(step.name.text) if depth else place
                if step.repeated and step.name.text not in names.repeated:
                    names._no_repetition(step, where, findings)
                    return lost
                if step.repeated and not names.repeated[step.name.text]:
                    message = f"`{step.name.text}` is repeated no time here"
                    findings.add("E0309", message, step.name.span)
                    return lost
                for name in names._instances(step):
                    if name not in names.flows and self._doubtful(name):
                        return lost
                    if name not in names.flows:
                        names._unknown(selector, depth, where, findings)
                        return lost
                    flow = names.flows[name]
                    if not flow.whole:
                        return lost
                    found.append((prefix + name, flow))
                    inner.append((f"{prefix}{name}.", names.inner.get(name, Names())))
            places = inner
        return found

    def _instances(self, step: tree.Step) -> list[str]:
        return self.repeated[step.name.text] if step.repeated else [step.name.text]

    def _no_repetition(self, step: tree.Step, where: str, findings: Findings) -> None:
        name = step.name.text
        if name in self.flows:
            message = f"`{name}` is no repetition"
            helps: list[Help | str] = [f"`{name}` alone is its value"]
        else:
            message = f"no repetition named `{name}` {where}"
            helps = [*did_you_mean(name, self._repetitions(), step.name.span)]
        findings.add("E0309", message, step.name.span, helps=helps)

    def _unknown(self, selector: tree.Selector, depth: int, where: str, findings: Findings) -> None:
        """Say that a step of a selector finds nothing, and what may have been meant."""
        step = selector.steps[depth]
        name, at = step.name.text, step.name.span
        if self._doubtful(name):
            return
        inside = {
            each: f"{outer}.{each}"
            for outer, names in self.inner.items()
            for each in names.flows
            if not depth
        }
        helps: list[Help | str] = []
        if name == "input" and not depth:
            helps.append("several inputs enter: name one of them")
        elif self.repeated.get(name):
            listed = self.repeated[name]
            helps.append(f"its values are `{name}[*]`, one by one `{listed[0]}` to `{listed[-1]}`")
        else:
            here = self._inside() if depth else self._visible()
            inside = {each: whole for each, whole in inside.items() if each not in here}
            helps += did_you_mean(name, [*inside, *here], at.within(name), inside)
            helps += [] if depth or helps else _unnamed(at, name)
        later = None if depth else _later(at, name)
        if depth:
            outer = ".".join(each.name.text for each in selector.steps[:depth])
            message = f"`{outer}` has no value named `{name}` inside"
            notes = ["dots follow the keys: into named blocks, and into templates used by name"]
        else:
            message = f"no value named `{name}` {where}"
            notes = ["names inside a block end with it; dots reach into a named block"]
        there = Label(later, "it comes only here") if later else None
        if later:
            notes = ["a value is read behind the layer that gives it"]
            helps = [f"let a layer behind that read `{name}`, or move `{name}` before this"]
        findings.add("E0309", message, at, there, notes=notes, helps=helps)


def _unnamed(at: Span, name: str) -> list[Help | str]:
    """What to do where a layer of that type stands before, without a name."""
    text = is_text(at.source)
    layer = rf"^[ \t]*({name})\b(?![ \t]*=)" if text else rf"^[ \t]*-[ ]*({name})[ ]*$"
    found = re.compile(layer, re.MULTILINE).search(at.source.text, 0, at.start)
    if found is None:
        return []
    written = f"{name} = {name}" if text else f"{name}: {{name: {name}}}"
    edit = Edit(at.source.span(found.start(1), found.end(1)), written)
    return [Help(f"a layer is found by a name that it is given: `{written}`", (edit,))]


def _later(at: Span, name: str) -> Span | None:
    """Where a name is given further down in the file."""
    given = rf"^[ \t]*({name})[ \t]*[=\[]" if is_text(at.source) else rf"\bname:[ ]*({name})\b"
    found = re.compile(given, re.MULTILINE).search(at.source.text, at.end)
    return at.source.span(found.start(1), found.end(1)) if found else None


class Level:
    """A level of keys: each name in it is taken once, and a layer without one by its type once."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self._taken: dict[str, _Claim] = {}

    def path(self, name: str) -> str:
        """The whole key of something at this level."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def free(self, name: str) -> bool:
        """Whether nothing has this key."""
        return name not in self._taken

    def take(
        self, name: str, at: Span, written: bool, uses: tuple[Span, ...], findings: Findings
    ) -> str:
        """The key of a name that was written, or of a type that stands for one.

        `uses` are the templates that it came through, the innermost first.
        """
        if name in self._taken:
            self._refuse(name, _Claim(at, written, uses), findings)
        else:
            self._taken[name] = _Claim(at, written, uses)
        return self.path(name)

    def _refuse(self, name: str, claim: "_Claim", findings: Findings) -> None:
        """Report a key that is taken, where what claims it stands or is used."""
        first = self._taken[name]
        depth = _shared(first.uses, claim.uses)
        at = (claim.at, *claim.uses)[len(claim.uses) - depth]
        there = (first.at, *first.uses)[len(first.uses) - depth]
        code, message, why, help_ = _words(name, claim, first, at, there)
        free = free_name(name if at is claim.at else at.text, self._taken)
        edits = (Edit(at, free),) if claim.written and at is claim.at else named(at, free)
        remedy = Help(f"{help_}: `{free}`, say" if edits else help_, edits, Applicability.CHOICE)
        labels = [Label(at), Label(there, "first here")]
        if at is not claim.at:
            labels.append(Label(claim.at, "its key"))
        findings.add(code, message, *labels, notes=(why,), helps=(remedy,))


def free_name(name: str, taken: Collection[str]) -> str:
    """A name like this one that is not taken."""
    base = name.rstrip("0123456789") or name
    return next(each for count in range(2, 10**6) if (each := f"{base}{count}") not in taken)


def _words(
    name: str, claim: "_Claim", first: "_Claim", at: Span, there: Span
) -> tuple[str, str, str, str]:
    """The code, the message, the note and the help for a key that is claimed twice."""
    why = "names are the keys of weights, so each stands once"
    level = "give it a name, which becomes a level of the keys"
    if at is not claim.at and there is not first.at and at.text == there.text:
        return "E0307", f"a second `{at.text}` without a name; both have a `{name}`", why, level
    if at is not claim.at:
        return "E0306", f"`{at.text}` has no name, and its `{name}` meets another one", why, level
    if claim.written or first.written:
        help_ = "give one of them another name"
        return "E0306", f"the name `{name}` is taken at this level", why, help_
    why = "a layer with weights is keyed by its type where it has no name, once"
    return "E0307", f"a second `{name}` without a name", why, "name it"


@dataclass(frozen=True)
class _Claim:
    """What has taken a key: where it stands, whether its name was written, and its templates."""

    at: Span
    written: bool
    uses: tuple[Span, ...]


def _shared(one: tuple[Span, ...], other: tuple[Span, ...]) -> int:
    """How many of the outermost uses two places have in common."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((count for count, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
