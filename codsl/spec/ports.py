"""What enters a network and what leaves it, as the file says it."""

import re
from dataclasses import dataclass

from codsl.algebra.ports import Inlet, Outlet
from codsl.algebra.shape import Frame
from codsl.diagnostics import Applicability, Edit, Findings, Help, Label
from codsl.layers.arguments import LARGEST
from codsl.source import Span
from codsl.spec.names import HOLE, NOTHING, Flow, Names
from codsl.spec.spec import Item
from codsl.spec.values import Evaluator, Hole, Scope, Value, describe
from codsl.syntax import tree
from codsl.syntax.brackets import whole_entry

_INPUTS = ("input", "inputs")
_LENGTHS = (
    *("t", "time", "frames", "length", "seq_len", "n_frames", "num_frames", "l", "n"),
    *("none", "null", "-1", "?", "...", "*", "~"),
)
"""What the number of frames is called elsewhere."""


@dataclass(frozen=True)
class Entry:
    """A frame that enters, under its name where it has one; None where it is not well given."""

    name: str
    frame: Frame | None
    span: Span


@dataclass(frozen=True)
class Entries:
    """All that enters a network, and the rate in frames per second where one is given.

    `unsure` says that there may be more, which could not be read.
    """

    each: tuple[Entry, ...]
    rate: float | None
    unsure: bool

    @property
    def start(self) -> Flow:
        """What the first layer reads where it does not say: the only input."""
        if len(self.each) > 1:
            return NOTHING
        return self._flow(0) if self.each else HOLE

    def _flow(self, number: int) -> Flow:
        frame = self.each[number].frame
        return Flow(number, frame) if frame else HOLE

    def flows(self) -> dict[str, Flow]:
        """The values that `from` finds before the first layer; the only one also as `input`."""
        named = {each.name: self._flow(number) for number, each in enumerate(self.each)}
        return named if len(self.each) > 1 else {**named, "input": self.start}

    def inlets(self) -> tuple[Inlet, ...] | None:
        """The inputs of the network; None unless all are well given."""
        known = tuple(Inlet(each.name, each.frame) for each in self.each if each.frame)
        return known if known and len(known) == len(self.each) else None


def entries_of(document: tree.Document, scope: Scope, findings: Findings) -> Entries:
    """What enters a network; reports what is not well given."""
    late = any(isinstance(each, tree.Layer) and each.type.text in _INPUTS for each in document.body)
    if not document.inputs and not late and (document.name is not None or document.body):
        findings.add(
            "E0202",
            "the network has no input",
            document.name.span if document.name else document.source.span(0, 0),
            helps=("say what a frame is: `input (3, T, 160, 160)`",),
        )
    evaluator = Evaluator(scope, None, findings, False)
    entries: list[Entry] = []
    rates: list[tuple[float, Span]] = []
    for each in document.inputs:
        name, at = (each.name.text, each.name.span) if each.name else ("", each.span)
        entries.append(Entry(name, _frame(each, evaluator, findings), at))
        rate = _rate(each, evaluator, findings)
        if rate is not None and each.rate is not None:
            rates.append((rate, each.rate.span))
    _agree(rates, findings)
    unsure = any(each.name is None and _is_broken(each) for each in document.inputs)
    return Entries(tuple(entries), rates[0][0] if rates else None, unsure)


def _is_broken(given: tree.Input) -> bool:
    return any(isinstance(size, tree.Broken) for size in given.sizes)


def _frame(given: tree.Input, evaluator: Evaluator, findings: Findings) -> Frame | None:
    """The frame of an input, or None once what is wrong with it is reported."""
    if _is_broken(given):
        return None
    if len(given.sizes) < 2 or given.sizes[1] != tree.Reference("T", given.span):
        message = "an input is channels, then `T`, then space"
        at, helps = _meant_as_t(given) or (_brackets(given), _reordered(given))
        findings.add("E0205", message, at, helps=helps)
        return None
    if len(given.sizes) > 4:
        message = "an input has two dimensions of space at most"
        findings.add("E0205", message, _brackets(given))
        return None
    try:
        sizes = [_size(evaluator, each, findings) for each in (given.sizes[0], *given.sizes[2:])]
    except Hole:
        return None
    return Frame(sizes[0], tuple(sizes[1:]))


def _meant_as_t(given: tree.Input) -> tuple[Span, list[Help]] | None:
    """A word in the place of `T` that was to be it."""
    word = given.sizes[1].span if len(given.sizes) > 1 else None
    if word is None or word.text.strip("\"'$").lower() not in _LENGTHS:
        return None
    said = "frames are counted by `T`, which has no length: write `T`"
    return word, [Help(said, (Edit(word, "T"),), Applicability.SURE)]


def _brackets(given: tree.Input) -> Span:
    """The sizes of an input with the brackets around them."""
    if not given.sizes:
        return given.span
    source, start, end = given.span.source, given.sizes[0].span.start, given.sizes[-1].span.end
    before = re.search(r"[(\[]\s*$", source.text[:start])
    after = re.match(r"\s*,?\s*[)\]]", source.text[end:])
    return source.span(before.start(), end + after.end()) if before and after else given.span


def _reordered(given: tree.Input) -> list[Help]:
    """The sizes in their order, as far as it can be told what was meant."""
    sizes = [each.span.text for each in given.sizes]
    rest = [each for each in sizes if each != "T"]
    said = "channels come first, then `T`"
    if sizes[0] == "T" and len(sizes) == 4:
        rest = [rest[-1], *rest[:-1]]
    if "T" not in sizes and len(sizes) > 3:
        rest, said = [*rest[:1], *rest[2:]], "a stream has no length: `T` stands for it"
    elif "T" not in sizes:
        said = "`T` comes second"
    elif sizes.index("T") == 2 and len(sizes) > 3:
        rest, said = rest[1:], "the batch is no part of it"
    meant = ", ".join((*rest[:1], "T", *rest[1:]))
    if not rest:
        return [Help("as in `3, T, 160, 160`")]
    inner = given.span.source.span(given.sizes[0].span.start, given.sizes[-1].span.end)
    if len(rest) > 3 or "\n" in inner.text:
        return [Help("as in `3, T, 160, 160`")]
    return [Help(f"{said}: `{meant}`", (Edit(inner, meant),))]


def _rate(given: tree.Input, evaluator: Evaluator, findings: Findings) -> float | None:
    """Frames per second of an input, or None where they are not given, or not well."""
    if given.rate is None:
        return None
    try:
        rate = evaluator.value(given.rate)
    except Hole:
        return None
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate <= 0:
        message = f"a rate is frames per second, found {describe(rate)}"
        helps = _positive(rate, evaluator.root(given.rate))
        findings.add("E0305", message, given.rate.span, helps=helps)
        return None
    return float(rate)


def _agree(rates: list[tuple[float, Span]], findings: Findings) -> None:
    """Report rates that differ: all inputs get one frame a step."""
    for rate, at in rates[1:]:
        if rate != rates[0][0]:
            findings.add(
                "E0317",
                f"inputs of {rates[0][0]:g} and {rate:g} frames per second",
                at,
                Label(rates[0][1], f"{rates[0][0]:g} here"),
                notes=("a network has one clock: each input gets one frame a step",),
                helps=(
                    Help(
                        f"say `{rates[0][0]:g}` of both, and bring what comes faster to that rate "
                        "before it enters",
                        (Edit(at, f"{rates[0][0]:g}"),),
                        Applicability.CHOICE,
                    ),
                ),
            )
            return


def _size(evaluator: Evaluator, expression: tree.Expression, findings: Findings) -> int:
    value = evaluator.value(expression)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        findings.add(
            "E0305",
            f"a size is an integer from 1 to {LARGEST}, found {describe(value)}",
            expression.span,
            helps=_positive(value, evaluator.root(expression)),
        )
        raise Hole
    return value


def _positive(value: Value, root: Span | None) -> list[Help]:
    """The size that a number was probably to be."""
    if isinstance(value, bool) or not isinstance(value, int | float) or root is None:
        return []
    meant = int(abs(value))
    fits = abs(value) == meant and 1 <= meant <= LARGEST
    return [Help(f"write `{meant}`", (Edit(root, str(meant)),))] if fits else []


def outlets_of(
    document: tree.Document, names: Names, end: Flow, findings: Findings
) -> tuple[Outlet, ...]:
    """What leaves a network: the values that `outputs` names, or the one at its end.

    A value that is not known, or cannot leave, is -1.
    """
    inputs = len(document.inputs)
    if not document.outputs:
        if end.value is not None and end.value < inputs:
            at = document.name.span if document.name else document.source.span(0, 0)
            _bare("the last value of the network", at, findings)
            end = HOLE
        return (Outlet("", -1 if end.value is None else end.value),)
    outlets: list[Outlet] = []
    first: dict[str, Span] = {}
    for selector in document.outputs:
        for name, flow in names.find(selector, findings, "is in the network"):
            value = -1 if flow.value is None else flow.value
            if name in first and selector.steps:
                there = Label(first[name], "first here")
                message = f"the output `{name}` is named twice"
                out = Help("leave one of them out", (Edit(whole_entry(selector.span), ""),))
                findings.add("E0306", message, selector.span, there, helps=(out,))
                value = -1
            elif 0 <= value < inputs:
                _bare(f"`{name}`", selector.span, findings, whole_entry(selector.span))
                value = -1
            first.setdefault(name, selector.span)
            outlets.append(Outlet(name, value))
    return tuple(outlets)


def _bare(what: str, at: Span, findings: Findings, whole: Span | None = None) -> None:
    helps: list[Help | str] = [
        "to give it all the same, name a layer: `same = identity from ...`",
    ]
    if whole:
        helps.append(Help("leave it out", (Edit(whole, ""),), Applicability.CHOICE))
    findings.add(
        "E0316",
        f"{what} is an input as it came",
        at,
        notes=("who runs the network has that already; an output is made by a layer",),
        helps=helps,
    )


def tell_unread(entries: Entries, items: tuple[Item, ...], findings: Findings) -> None:
    """Warn of the inputs that no layer reads."""
    read = {value for item in items for value in item.inputs}
    for number, entry in enumerate(entries.each):
        if number not in read:
            findings.add(
                "W0703",
                f"nothing reads the input `{entry.name}`",
                entry.span,
                notes=("a frame of it has to come with every step all the same",),
                helps=("leave it out",),
            )
