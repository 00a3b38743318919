"""The syntax: how a network was written, each node with its span, the same from both surfaces.

Spans never count in comparisons, so that a tree from text equals the tree from YAML.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any

from codsl.source import Source, Span


def _span() -> Span:
    """Declare a field that holds a place and is left out of comparisons."""
    return field(compare=False, repr=False)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Name:
    """An identifier."""

    text: str
    span: Span = _span()

    @property
    def as_written(self) -> bool:
        """Whether its place holds it letter by letter, so that it can be replaced there."""
        return self.span.text == self.text


@dataclass(frozen=True)
class Literal:
    """A number, a string, a truth value or nothing."""

    value: int | float | bool | str | None
    span: Span = _span()

    def __eq__(self, other: object) -> bool:
        """One is neither 1.0 nor true: they are written differently."""
        return (
            isinstance(other, Literal)
            and type(other.value) is type(self.value)
            and other.value == self.value
        )

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True)
class Reference:
    """A name that stands for a value of the file."""

    name: str
    span: Span = _span()


@dataclass(frozen=True)
class Tuple:
    """A tuple, in YAML a list."""

    items: tuple["Expression", ...]
    span: Span = _span()


@dataclass(frozen=True)
class Unary:
    """`-x`, `+x` or `not x`."""

    operator: str
    operand: "Expression"
    span: Span = _span()


@dataclass(frozen=True)
class Binary:
    """Arithmetic, a comparison, `and` or `or`."""

    operator: str
    left: "Expression"
    right: "Expression"
    span: Span = _span()


@dataclass(frozen=True)
class Choice:
    """`yes if test else no`."""

    test: "Expression"
    yes: "Expression"
    no: "Expression"
    span: Span = _span()


@dataclass(frozen=True)
class Element:
    """`whole[at]`, one item of a tuple."""

    whole: "Expression"
    at: "Expression"
    span: Span = _span()


@dataclass(frozen=True)
class Argument:
    """A value given to a layer, a template or a function; `name` is None by position."""

    name: Name | None
    value: "Expression"


@dataclass(frozen=True)
class Call:
    """A function of the language with its arguments, or a layer given as a value."""

    function: Name
    arguments: tuple[Argument, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Broken:
    """A value or a statement that could not be read, for a reason that has been reported."""

    name: Name | None
    span: Span = _span()


Expression = Literal | Reference | Tuple | Unary | Binary | Choice | Element | Call | Broken


@dataclass(frozen=True)
class Step:
    """One name of a selector, `repeated` where `[*]` follows it."""

    name: Name
    repeated: bool = False


@dataclass(frozen=True)
class Selector:
    """A value named elsewhere: `stage2.block1`, `unit[*].skip`, `input`.

    It has no steps where it could not be read, for a reason that has been reported.
    """

    steps: tuple[Step, ...]
    span: Span = _span()

    @property
    def text(self) -> str:
        """As it is written, without quotes."""
        return ".".join(f"{step.name.text}{'[*]' * step.repeated}" for step in self.steps)


@dataclass(frozen=True)
class Layer:
    """A layer, a template in use, or a parameter that is a layer (`local` for the latter two).

    The type of an imported template has a dot in it: `blocks.unit`.
    """

    type: Name
    name: Name | None
    arguments: tuple[Argument, ...]
    sources: tuple[Selector, ...]
    local: bool
    span: Span = _span()


@dataclass(frozen=True)
class Block:
    """Statements one after another."""

    name: Name | None
    body: tuple["Statement", ...]
    sources: tuple[Selector, ...]
    span: Span = _span()


@dataclass(frozen=True)
class PerFrame:
    """Statements one after another, on single frames: their layers know no time."""

    name: Name | None
    body: tuple["Statement", ...]
    sources: tuple[Selector, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Residual:
    """A body and a shortcut around it, joined."""

    name: Name | None
    arguments: tuple[Argument, ...]
    body: tuple["Statement", ...]
    shortcut: tuple["Statement", ...]
    sources: tuple[Selector, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Branch:
    """One arm of a `parallel`."""

    name: Name | None
    body: tuple["Statement", ...]
    span: Span = _span()


@dataclass(frozen=True)
class Parallel:
    """Branches from one value, joined."""

    name: Name | None
    arguments: tuple[Argument, ...]
    branches: tuple[Branch, ...]
    sources: tuple[Selector, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Join:
    """Values named before, joined."""

    name: Name | None
    arguments: tuple[Argument, ...]
    sources: tuple[Selector, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Let:
    """Local values; each may use those before it."""

    bindings: tuple[tuple[Name, Expression], ...]
    span: Span = _span()


@dataclass(frozen=True)
class When:
    """Statements under a condition, and those for its absence."""

    test: Expression
    body: tuple["Statement", ...]
    otherwise: tuple["Statement", ...]
    span: Span = _span()


@dataclass(frozen=True)
class Repeat:
    """A statement for each index from `first` to `last`, both included, or every `step`-th."""

    name: Name
    index: Name | None
    first: Expression
    last: Expression
    step: Expression | None
    statement: "Statement"
    span: Span = _span()


Statement = Layer | Block | PerFrame | Residual | Parallel | Join | Let | When | Repeat | Broken


@dataclass(frozen=True)
class Parameter:
    """What a network or a template can be given."""

    name: Name
    type: Name | None
    default: Expression | None


@dataclass(frozen=True)
class Template:
    """Statements under a name, with parameters of their own."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    span: Span = _span()


@dataclass(frozen=True)
class Import:
    """Another file, and the name that its templates have before their own: `name.template`.

    The path is None where it could not be read, for a reason that has been reported.
    """

    name: Name
    path: Literal


@dataclass(frozen=True)
class Variant:
    """Values of the network's parameters under a name."""

    name: Name
    values: tuple[Argument, ...]


@dataclass(frozen=True)
class Pair:
    """Two texts of which one becomes the other."""

    left: Literal
    right: Literal


@dataclass(frozen=True)
class Checkpoint:
    """Weights that the file knows by name: how they are laid out, renamed and adapted."""

    name: Name
    settings: tuple[Argument, ...]
    rules: tuple[Pair, ...]
    adapters: tuple[Pair, ...]


@dataclass(frozen=True)
class Input:
    """Frames that enter: channels, `T`, space; and frames per second where they are known.

    Without a name it is the only one.
    """

    name: Name | None
    sizes: tuple[Expression, ...]
    rate: Expression | None
    span: Span = _span()


@dataclass(frozen=True)
class Document:
    """A whole file; without `outputs` the last value is the only one.

    One of templates alone, to be imported, has neither name nor inputs nor body.
    """

    version: int
    name: Name | None
    doc: str | None
    inputs: tuple[Input, ...]
    outputs: tuple[Selector, ...]
    parameters: tuple[Parameter, ...]
    variants: tuple[Variant, ...]
    imports: tuple[Import, ...]
    templates: tuple[Template, ...]
    checkpoints: tuple[Checkpoint, ...]
    body: tuple[Statement, ...]
    source: Source = field(compare=False, repr=False)

    @property
    def has_network(self) -> bool:
        """Whether there is one, or what was to be one."""
        return bool(self.name or self.inputs or self.body)


def children(node: object) -> Sequence[object]:
    """What stands directly under a node, without its places."""
    if isinstance(node, tuple):
        return node
    kind: Any = type(node)
    return [getattr(node, part) for part in _parts(kind)]


@cache
def _parts(kind: type) -> tuple[str, ...]:
    """The names of the fields of a class of nodes that are no places."""
    if issubclass(kind, Span | Source) or not is_dataclass(kind):
        return ()
    return tuple(part.name for part in fields(kind) if part.compare)
