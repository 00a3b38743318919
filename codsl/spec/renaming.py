"""Rules that rename tensors: patterns with holes, reversible by construction.

`blocks.{i}.{rest} -> stage{i+1}.{rest}` fits a whole name. A hole `{name}` takes a part of a name
between dots, or a piece of one; `{name:int}`, and a hole with which is calculated (`{i+1}`,
`{3*i-2}`), a whole number; `{name:path}` several parts with their dots, as does a hole that is the
last part on the left unless it is a `{name:part}`. Both sides have the same holes. A part has one
hole that takes anything, and between holes stands something that no number has; a side has one
path: so a name fits in one way only, and back.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

LONGEST = 1000
"""Characters of a name or a pattern at most."""

_HOLE = r"\{\s*(?:(\d{1,9})\s*\*\s*)?(\w*)\s*(?::\s*(\w+)\s*)?(?:([+-])\s*(\d{1,9})\s*)?\}"
_PIECE = re.compile(rf"{_HOLE}|([^{{}}]+)|([{{}}])")
_KINDS = {"part": "[^.]+", "int": "0|[1-9][0-9]{0,17}", "path": ".+"}


class BadRule(ValueError):
    """A pattern or a rule that cannot be; says why, and which `pattern` it is if it is one."""

    pattern = ""


@dataclass(frozen=True)
class Hole:
    """A place in a pattern; a number that stands there is `factor` times the value and `shift`."""

    name: str
    kind: str
    shift: int = 0
    factor: int = 1

    def read(self, text: str) -> str | None:
        """The value behind a text that stands here."""
        if self.shift == 0 and self.factor == 1:
            return text
        value, rest = divmod(int(text) - self.shift, self.factor)
        return str(value) if value >= 0 and not rest else None

    def write(self, value: str) -> str | None:
        """What stands here for a value."""
        if self.shift == 0 and self.factor == 1:
            return value
        number = int(value) * self.factor + self.shift
        return str(number) if number >= 0 else None

    def __str__(self) -> str:
        factor = f"{self.factor}*" if self.factor != 1 else ""
        return f"{{{factor}{self.name}{f'{self.shift:+}' if self.shift else ''}}}"


Piece = str | Hole


@dataclass(frozen=True)
class Pattern:
    """Names of one form. Texts and holes take turns; `{}` is a hole that needs no name."""

    pieces: tuple[Piece, ...]
    text: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str, kinds: Mapping[str, str] | None = None) -> "Pattern":
        """Read a pattern; `kinds` are those of holes that its other side knows.

        Raises `BadRule`.
        """
        if not text or len(text) > LONGEST:
            raise BadRule(f"a pattern has 1 to {LONGEST} characters")
        plain = re.sub(r"\{[^{}]*\}", "", text)
        if text != text.strip() or any(char.isspace() for char in plain):
            raise BadRule(f"there are spaces in `{text}`")
        try:
            if "*" in plain:
                raise BadRule(
                    f"`*` in `{text}` is no hole: write `{{x}}`, or `{{x:path}}` over dots"
                )
            pieces = tuple(_pieces(text, {**holes_of(text), **(kinds or {})}))
            _settle(text, pieces)
        except BadRule as bad:
            bad.pattern = text
            raise
        return cls(pieces, text)

    @property
    def holes(self) -> dict[str, Hole]:
        """The holes by name."""
        return {each.name: each for each in self.pieces if isinstance(each, Hole)}

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        parts = [
            f"({_KINDS[each.kind]})" if isinstance(each, Hole) else re.escape(each)
            for each in self.pieces
        ]
        return re.compile("".join(parts))

    def read(self, name: str) -> dict[str, str] | None:
        """The values of the holes in a name that fits, else None."""
        found = self._regex.fullmatch(name) if len(name) <= LONGEST else None
        if found is None:
            return None
        values: dict[str, str] = {}
        holes = (each for each in self.pieces if isinstance(each, Hole))
        for hole, text in zip(holes, found.groups(), strict=True):
            value = hole.read(text)
            if value is None or (hole.name and values.setdefault(hole.name, value) != value):
                return None
        return values

    def fits(self, name: str) -> bool:
        """Whether a whole name is of this form."""
        return self.read(name) is not None

    def write(self, values: Mapping[str, str]) -> str | None:
        """The name with these values in its holes, or None where a number would be negative."""
        name = ""
        for each in self.pieces:
            text = each.write(values[each.name]) if isinstance(each, Hole) else each
            if text is None:
                return None
            name += text
        return name

    def __str__(self) -> str:
        """As it was written."""
        return self.text or "".join(map(str, self.pieces))


def holes_of(text: str) -> dict[str, str]:
    """The kinds of the named holes of a pattern, as far as it tells them: `int` or `path`."""
    kinds: dict[str, str] = {}
    for factor, name, kind, sign, _, _, _ in _PIECE.findall(text):
        if name and (kind or sign or factor):
            kinds[name] = kind or "int"
    return kinds


def _pieces(text: str, kinds: Mapping[str, str]) -> Iterator[Piece]:
    for found in _PIECE.finditer(text):
        factor, name, kind, sign, number, plain, brace = found.groups()
        if brace:
            raise BadRule(f"a brace in `{text}` that opens or closes no hole such as `{{i}}`")
        if plain:
            yield plain
            continue
        kind = (name and kinds.get(name)) or kind or ("int" if sign or factor else "part")
        if kind not in _KINDS:
            raise BadRule(f"`{found[0]}`: a hole is a `part`, a `path` or an `int`")
        if (sign or factor) and kind != "int":
            raise BadRule(f"`{found[0]}`: only with a number can be calculated")
        if factor and not int(factor):
            raise BadRule(f"`{found[0]}` is the same whatever `{name}` is")
        yield Hole(name, kind, int(f"{sign}{number}") if sign else 0, int(factor or 1))


def _settle(text: str, pieces: Sequence[Piece]) -> None:
    """Raise `BadRule` where a name could fit in two ways."""
    for left, right in pairwise(pieces):
        if isinstance(left, Hole) and isinstance(right, Hole):
            raise BadRule(f"between `{left}` and `{right}` in `{text}` nothing tells them apart")
    parts: list[list[Piece]] = [[]]
    for each in pieces:
        texts = each.split(".") if isinstance(each, str) else [each]
        parts[-1].append(texts[0])
        parts += [[one] for one in texts[1:]]
    paths = 0
    for part in parts:
        filled = [each for each in part if each != ""]
        if not filled:
            raise BadRule(f"`{text}` has a part without a name")
        kinds = [each.kind for each in filled if isinstance(each, Hole)]
        paths += kinds.count("path")
        if "path" in kinds and len(filled) > 1:
            raise BadRule(f"a path in `{text}` is no whole part; one part alone is `{{name:part}}`")
        if kinds.count("part") > 1:
            raise BadRule(
                f"two holes of one part of `{text}` take anything; a number is `{{i:int}}`"
            )
        inner = [each for each in filled[1:-1] if isinstance(each, str)]
        if len(kinds) > 1 and any(each.isdigit() for each in inner):
            raise BadRule(f"numbers in `{text}` that only digits divide")
    if paths > 1:
        raise BadRule(f"`{text}` has two paths, and nothing tells where one ends")


@dataclass(frozen=True)
class Rule:
    """A name of the source's and the network's name for it."""

    source: Pattern
    target: Pattern

    @classmethod
    def parse(cls, source: str, target: str) -> "Rule":
        """Read both sides. Raises `BadRule`."""
        kinds = _agreed(source, target)
        return cls(Pattern.parse(source, kinds), Pattern.parse(target, kinds))._checked()

    @classmethod
    def onto(cls, source: Pattern, target: str) -> "Rule":
        """Read the other side of a pattern. Raises `BadRule`."""
        kinds = {name: hole.kind for name, hole in source.holes.items()}
        return cls(source, Pattern.parse(target, kinds))._checked()

    def _checked(self) -> "Rule":
        left, right = set(self.source.holes), set(self.target.holes)
        if "" in left | right:
            raise BadRule("a hole of a rule has a name, such as `{i}`")
        if left != right:
            alone = min(left ^ right)
            side = "left" if alone in left else "right"
            raise BadRule(f"`{{{alone}}}` stands on the {side} only, so nothing could be undone")
        return self

    @cached_property
    def reverse(self) -> "Rule":
        """From the network's names to the source's."""
        return Rule(self.target, self.source)

    def rename(self, name: str) -> str | None:
        """The name for a name that fits, else None."""
        values = self.source.read(name)
        return None if values is None else self.target.write(values)

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


def _agreed(source: str, target: str) -> dict[str, str]:
    """The kinds of the holes of both sides. Raises `BadRule` where they differ."""
    left, right = holes_of(source), holes_of(target)
    for name in left.keys() & right.keys():
        if left[name] != right[name]:
            raise BadRule(f"`{{{name}}}` is of kind `{left[name]}` left, `{right[name]}` right")
    last = re.search(r"(?:^|\.)\{\s*(\w+)\s*\}$", source)
    path = {last[1]: "path"} if last else {}
    return {**path, **left, **right}


@dataclass(frozen=True)
class Renaming:
    """Rules in order: the first that fits a name renames it; a name that none fits stays."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def parse(cls, rules: Mapping[str, str] | Iterable[tuple[str, str]]) -> "Renaming":
        """Read the rules. Raises `BadRule`."""
        pairs = rules.items() if isinstance(rules, Mapping) else rules
        return cls(tuple(Rule.parse(source, target) for source, target in pairs))

    def rename(self, name: str) -> tuple[str, Rule | None]:
        """The network's name for a name of the source's, and the rule that gave it."""
        for rule in self.rules:
            renamed = rule.rename(name)
            if renamed is not None:
                return renamed, rule
        return name, None

    def undo(self, name: str) -> str | None:
        """The name that is renamed to this one, by the first rule that does, or that stays.

        None where the rules give no name this one.
        """
        found = (rule.reverse.rename(name) for rule in self.rules)
        candidates = (*(each for each in found if each is not None), name)
        return next((each for each in candidates if self.rename(each)[0] == name), None)
