"""What stands in the margins of a tree: comments, blank lines, and what was put on one line."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from codsl.printing.anchors import Anchor, anchors, start
from codsl.printing.marks import Comment, Enclosure, Marks
from codsl.syntax import tree


@final
@dataclass(frozen=True)
class Remark:
    """A comment on a line of its own, and whether a blank line stands above it."""

    text: str
    blank: bool = False


@final
class Margins:
    """The remarks of the parts of a tree, by where each starts in its source.

    Those above a part and below it have lines of their own, the one beside it stands at its end. An
    opening one stands behind the bracket or the key that the part is the first behind.
    """

    def __init__(self) -> None:
        self.above: defaultdict[int, list[Remark]] = defaultdict(list)
        self.below: defaultdict[int, list[Remark]] = defaultdict(list)
        self.beside: dict[int, str] = {}
        self.opening: dict[int, str] = {}
        self.spaced: set[int] = set()
        """Parts with a blank line above, or between them and the remarks above."""
        self.flat: set[int] = set()
        """Statements and branches that were on one line."""
        self.end: list[Remark] = []
        """What stands below everything."""

    def headline(self, parts: Iterable[int]) -> str:
        """The opening remark of a list of parts."""
        return "  ".join(self.opening[at] for at in parts if at in self.opening)

    def quiet(self, parts: Iterable[Anchor]) -> bool:
        """Whether nothing is said in the margins of these."""
        return not any(
            self.says(each.at) or (each.spaced and each.at in self.spaced) for each in parts
        )

    def says(self, at: int, but_opening: bool = False) -> bool:
        """Whether there are remarks of a part."""
        places = (self.above, self.below, self.beside, {} if but_opening else self.opening)
        return any(place.get(at) for place in places)

    def say_beside(self, at: int, text: str) -> None:
        """Put a remark at the end of a part, behind one that is there."""
        self.beside[at] = f"{self.beside[at]}  {text}" if at in self.beside else text

    def say_opening(self, at: int, text: str) -> None:
        """Put a remark on the line above the first of a list of parts."""
        self.opening[at] = f"{self.opening[at]}  {text}" if at in self.opening else text

    def hand_on(self, at: int, to: int) -> None:
        """Say of another part what is said of one that is not written for itself."""
        self.above[to] += self.above.pop(at, [])
        self.below[to] += self.below.pop(at, [])
        for said in (self.opening, self.beside):
            if text := said.pop(at, ""):
                self.say_beside(to, text)


def margins(document: tree.Document, marks: Marks) -> Margins:
    """The margins of a document whose source has these marks."""
    return _Reader(document, marks).read()


class _Reader:
    """Finds the part for each comment: what follows it, or what it stands behind."""

    def __init__(self, document: tree.Document, marks: Marks) -> None:
        self._marks = marks
        self._document = document
        found = {each.at: each for each in anchors(document)}
        found |= {at: Anchor(at, spaced=True) for at in marks.places.values()}
        self._anchors = found
        self._starts = sorted(found)
        self._bodies: dict[int | None, int] = {
            start(each): start(each.body[0]) for each in document.templates if each.body
        }
        self._rules = {
            start(pair) for each in document.checkpoints for pair in (*each.rules, *each.adapters)
        }
        self._owned: set[int] = set()
        self._members: defaultdict[int, list[int]] = defaultdict(list)
        for at in self._starts:
            if not self._goes_on(at):
                self._members[self._home(at).start].append(at)
        self._closing = {each.end: each for each in marks.enclosures}
        self._margins = Margins()

    def read(self) -> Margins:
        for comment in self._marks.comments:
            self._place(comment)
        self._space()
        self._flatten()
        return self._margins

    def _goes_on(self, at: int) -> bool:
        """Whether this is a condition right behind the `else` of another one."""
        outer = self._anchors[at].chained
        return outer is not None and self._marks.around(outer) == self._marks.around(at)

    def _home(self, at: int) -> Enclosure:
        """The brackets that a part is directly in; not the mapping that an item has for itself."""
        around = self._marks.around(at)
        is_own = self._marks.text[around.start : at].strip() in ("", "{")
        if not (self._marks.is_yaml and self._anchors[at].item and is_own):
            return around
        self._owned.add(around.start)
        return self._marks.around(around.start)

    def _place(self, comment: Comment) -> None:
        around = self._marks.around(comment.start)
        following = self._following(comment.start, around)
        if comment.alone and following is None and around.start in self._owned:
            around = self._marks.around(around.start)
            following = self._following(comment.start, around)
        before = self._marks.before(comment.start)
        closing = self._closing.get(before)
        if comment.alone or (closing and not closing.flat and self._marks.text[before] == "}"):
            self._line(comment, around, following)
        elif around != self._marks.root and self._ends_value(before):
            self._behind_value(comment, before, around)
        elif following and self._opens(before, around):
            self._head(comment, following, self._marks.text[before])
        elif (key := self._held(comment, around)) is not None:
            self._behind_key(comment, key)
        elif (previous := self._previous(comment.start, around)) is not None:
            self._behind(comment, self._anchors[previous])
        elif following:
            self._head(comment, following, "")
        else:
            self._behind_outer(comment, around)

    def _following(self, offset: int, around: Enclosure) -> Anchor | None:
        """The part that starts next, if it is in the same brackets."""
        at = bisect_right(self._starts, offset)
        inside = at < len(self._starts) and self._starts[at] < around.end
        return self._anchors[self._starts[at]] if inside else None

    def _previous(self, offset: int, around: Enclosure) -> int | None:
        """The part that started last, directly in the same brackets."""
        members = self._members[around.start]
        at = bisect_left(members, offset)
        return members[at - 1] if at else None

    def _outside(self, around: Enclosure) -> int | None:
        """The part that brackets without parts are in."""
        while around.start >= 0:
            outer = self._marks.around(around.start)
            if (at := self._previous(around.start + 2, outer)) is not None:
                return at
            around = outer
        return None

    def _opens(self, before: int, around: Enclosure) -> bool:
        """Whether a bracket or a key stands before, that parts follow."""
        if before == around.start:
            return True
        if not self._marks.is_yaml or around.flat:
            return False
        sign = self._marks.text[max(before - 1, 0) : before + 1]
        return sign.endswith(":") or sign.strip() == "-"

    def _line(self, comment: Comment, around: Enclosure, following: Anchor | None) -> None:
        """Place a comment that has a line, or is to have one."""
        blank = comment.alone and self._marks.blank_above(comment.start)
        remark = Remark(comment.text, blank)
        if following and following.inner is not None and self._marks.behind_dash(comment.start):
            following = self._anchors[following.inner]
        if following is not None:
            self._above(following.at, remark)
        elif (previous := self._previous(comment.start, around)) is not None:
            self._below(previous, remark)
        else:
            outer = self._outside(around)
            (self._margins.end if outer is None else self._margins.above[outer]).append(
                Remark(comment.text)
            )

    def _above(self, at: int, remark: Remark) -> None:
        spaced = self._anchors[at].spaced
        self._margins.above[at].append(remark if spaced else Remark(remark.text))

    def _below(self, at: int, remark: Remark) -> None:
        """Say it below a part; below all of a file, where it is one of the whole file."""
        if at in self._members[self._marks.root.start]:
            self._margins.end.append(remark)
        else:
            spaced = self._anchors[at].spaced
            self._margins.below[at].append(remark if spaced else Remark(remark.text))

    def _head(self, comment: Comment, first: Anchor, sign: str) -> None:
        """Place a comment on the line above the first of some parts."""
        previous = self._previous(comment.start, self._marks.around(comment.start))
        if sign == ":" and previous in self._bodies:
            first = self._anchors[self._bodies[previous]]
        if sign == "-" and first.inner is not None:
            first = self._anchors[first.inner]
        elif sign == "-" or not (first.headed or self._heads_network(first, sign)):
            self._above(first.at, Remark(comment.text))
            return
        if first.whole is not None:
            self._margins.say_beside(first.whole, comment.text)
        else:
            self._margins.say_opening(first.at, comment.text)

    def _heads_network(self, first: Anchor, sign: str) -> bool:
        inputs = self._document.inputs
        return sign == "{" and bool(inputs) and first.at == start(inputs[0])

    def _ends_value(self, offset: int) -> bool:
        """Whether the value of a key of YAML ends with a character, whose key is no part."""
        key, _ = self._marks.values.get(offset, (None, 0))
        return key is not None and key not in self._anchors

    def _behind_value(self, comment: Comment, end: int, around: Enclosure) -> None:
        """Place a comment behind the value of a key that is no part: at the key of a list of parts,
        else at the end of what has the key."""
        _, begin = self._marks.values[end]
        at = bisect_left(self._starts, begin)
        first = self._anchors[self._starts[at]] if at < len(self._starts) else None
        if first is None or not first.spaced or self._home(first.at).start != begin:
            self._behind_outer(comment, around)
        elif first.at in self._rules:
            self._above(first.at, Remark(comment.text))
        else:
            self._head(comment, first, ":")

    def _behind_outer(self, comment: Comment, around: Enclosure) -> None:
        """Place a comment at the end of what brackets are in."""
        if (outer := self._outside(around)) is None:
            self._line(comment, around, None)
        else:
            self._behind(comment, self._anchors[outer])

    def _held(self, comment: Comment, around: Enclosure) -> str | None:
        """The key of a YAML file whose parts end right before a comment."""
        if around != self._marks.root:
            return None
        for key, (first, end) in self._marks.keys.items():
            near = end <= comment.start and not self._marks.text[end : comment.start].strip()
            if near and bisect_left(self._starts, first) < bisect_left(self._starts, end):
                return key
        return None

    def _behind_key(self, comment: Comment, key: str) -> None:
        """Place a comment behind all that a key of a YAML file holds."""
        inside = self._starts[bisect_left(self._starts, self._marks.keys[key][0]) :]
        if key == "outputs":
            self._margins.say_beside(inside[0], comment.text)
        elif key == "params" and self._document.inputs and self._document.name:
            self._margins.say_opening(start(self._document.inputs[0]), comment.text)
        elif key == "params":
            self._head(comment, self._anchors[inside[0]], "")
        else:
            self._above(inside[0], Remark(comment.text))

    def _behind(self, comment: Comment, part: Anchor) -> None:
        """Place a comment at the end of a part."""
        name, inputs = self._document.name, self._document.inputs
        if name and part.at == name.span.start and inputs:
            self._margins.say_opening(start(inputs[0]), comment.text)
        else:
            self._margins.say_beside(part.at if part.ends is None else part.ends, comment.text)

    def _space(self) -> None:
        """Find the parts with a blank line above them."""
        lines = set()
        for at in self._starts:
            line = self._marks.text.rfind("\n", 0, at) + 1
            begins = self._anchors[at].led or not self._marks.text[line:at].strip("- \t")
            if line not in lines and begins and not self._is_first(at):
                self._margins.spaced |= {at} if self._marks.blank_above(at) else set()
            lines.add(line)

    def _is_first(self, at: int) -> bool:
        """Whether a part is the first of some, with nothing above it."""
        members = self._members[self._home(at).start]
        return self._anchors[at].headed and at == members[0] and not self._margins.above[at]

    def _flatten(self) -> None:
        """Find the statements and branches whose brackets are all on one line."""
        for at in self._starts:
            around = self._marks.around(at)
            members = self._members[around.start]
            after = bisect_right(members, at)
            end = members[after] if after < len(members) else around.end
            inner = self._marks.within(around, at, end)
            if inner and all(each.flat for each in inner):
                self._margins.flat.add(at)
